"""The portal as a Django application: its commands, and what every process with Django needs.

That is Celery, the checks and a log without values.
"""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        import_module("portal.celery")
        import_module("portal.checks")
        import_module("portal.redaction").log_the_uncaught()
