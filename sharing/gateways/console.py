"""Messages on the operator's own screen, for trying an installation out before a vendor is chosen."""

from __future__ import annotations

import sys

from sharing.gateways.base import Undeliverable


class ConsoleGateway:
    """Prints to a terminal and to nothing else: a link in a log file would open a scan."""

    name = "console"
    needs_agreement = False

    def deliver(self, address: str, body: str, *, kind: str, subject: str = "") -> str:
        if not sys.stdout.isatty():
            raise Undeliverable("No service for text messages is set up, so nothing was sent.")
        sys.stdout.write(f"\n--- {kind} to {address}\n{subject}\n{body}\n---\n")
        sys.stdout.flush()
        return "console"
