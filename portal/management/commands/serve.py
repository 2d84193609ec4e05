"""`manage.py serve`: a real installation on one machine."""

from __future__ import annotations

from pathlib import Path

from django.core.management.base import BaseCommand, CommandParser

from portal.serving import greeting
from portal.serving.environment import add_options
from portal.serving.start import start


class Command(BaseCommand):
    """The options were read before Django loaded (`portal.serving.environment`); here they serve --help."""

    help = "Set up and serve a real installation; the first run prints a one-time owner link."
    # The start runs them itself, once the key file they look at is there.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        add_options(parser)

    def handle(self, *args: object, **options: object) -> None:
        start(_prepare_owner)


def _prepare_owner(state: Path, base_url: str) -> str:
    from portal.accounts.setup_link import make_owner_link

    link = make_owner_link()
    return greeting.of_first_serve(link) if link else ""
