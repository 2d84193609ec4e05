"""What a gateway is."""

from __future__ import annotations

from typing import Protocol


class Undeliverable(Exception):
    """The message didn't leave. The sentence is for the desk; it names neither number nor content.

    `is_final`: trying again would not help.
    """

    def __init__(self, sentence: str, *, is_final: bool = True) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.is_final = is_final


class Gateway(Protocol):
    """A way out. `name` is the adapter a business associate agreement must stand behind, if it `needs_agreement`."""

    name: str

    @property
    def needs_agreement(self) -> bool: ...

    def deliver(self, address: str, body: str, *, kind: str, subject: str = "") -> str:
        """Send it; the vendor's reference for it, or "". Raises `Undeliverable`."""
        ...
