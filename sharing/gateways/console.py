"""Messages on the operator's own screen, for trying an installation out before a vendor is chosen."""

from __future__ import annotations

import sys

from sharing.gateways.base import Outgoing, Undeliverable
from sharing.troubles import Trouble


class ConsoleGateway:
    """Prints to a terminal and to nothing else: a link in a log file would open a scan."""

    name = "console"
    rings = False
    needs_agreement = False
    speaks = True

    def deliver(self, outgoing: Outgoing) -> str:
        if not sys.stdout.isatty():
            raise Undeliverable(Trouble.NOT_SET_UP)
        head = f"\n--- {outgoing.kind} to {outgoing.address}\n"
        sys.stdout.write(f"{head}{outgoing.subject}\n{outgoing.body}\n---\n")
        sys.stdout.flush()
        return "console"
