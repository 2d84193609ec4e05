"""`manage.py test`: pytest, also for whoever reaches it past `manage.py`.

Django's own runner would know neither our settings for tests nor our rules.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from portal.serving.bootstrap import run


class Command(BaseCommand):
    """Every argument is pytest's."""

    help = "Run the tests; arguments are pytest's."
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        run(argv)

    def handle(self, *args: Any, **options: Any) -> None:
        run(["manage.py", "test", *args])
