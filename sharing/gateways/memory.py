"""The tests' way out: a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sharing.gateways.base import Outgoing


@dataclass(frozen=True, slots=True)
class Kept:
    to: str
    body: str
    kind: str
    subject: str = ""


class MemoryGateway:
    """Keeps what was sent in this process."""

    name = "memory"
    rings = False
    needs_agreement = False
    speaks = True
    sent: ClassVar[list[Kept]] = []

    def deliver(self, outgoing: Outgoing) -> str:
        self.sent.append(Kept(outgoing.address, outgoing.body, outgoing.kind, outgoing.subject))
        return f"memory-{len(self.sent)}"
