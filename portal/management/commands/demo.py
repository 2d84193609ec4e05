"""`manage.py demo`: a sample practice to walk through, with everything an installation has."""

from __future__ import annotations

import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandParser

from portal.demo.facts import remove_unfinished
from portal.serving import greeting
from portal.serving.environment import add_options
from portal.serving.start import start


class Command(BaseCommand):
    """The options were read before Django loaded (`portal.serving.environment`); here they serve --help."""

    help = "Set up, make a sample practice with studies and shares, and serve it on this machine."
    # The start runs them itself, once the key file they look at is there.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        add_options(parser)

    def handle(self, *args: object, **options: object) -> None:
        start(_prepare_demo, tidy=remove_unfinished)


def _prepare_demo(state: Path, base_url: str) -> str:
    from portal.demo.prepare import prepare

    prepare(state, base_url)
    return greeting.of_demo(state, with_qr=sys.stdout.isatty())
