"""The portal as a Django application: its commands, and Celery loaded in every process that has Django."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        import_module("portal.celery")
        import_module("portal.checks")
