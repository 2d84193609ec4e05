"""What a gateway is, what it is given, and what it answers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sharing.troubles import PASSING, Trouble, sentence


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message as it leaves. `message` is our own id, by which the vendor's reports find the row again.

    With a `language` it is a call: the body is spoken in it, and what is pressed then is told to `sharing.speak`.
    """

    message: uuid.UUID
    address: str
    body: str
    kind: str
    subject: str = ""
    language: str = ""

    @property
    def channel(self) -> str:
        """How it leaves: "text" is written, "voice" is spoken."""
        return "voice" if self.language else "text"


class Undeliverable(Exception):
    """The message didn't leave. It carries a trouble of ours and never the vendor's words, which quote the number."""

    def __init__(self, trouble: Trouble, *, until: datetime | None = None) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble
        self.until = until  # when the reason is gone, where that is known

    @property
    def sentence(self) -> str:
        return sentence(self.trouble)

    @property
    def is_final(self) -> bool:
        """Whether trying again would not help."""
        return self.trouble not in PASSING


class Gateway(Protocol):
    """A way out.

    `name` is the adapter a business associate agreement must stand behind, if it `needs_agreement`. `rings`: a phone
    makes a sound at the other end, so that quiet hours, STOP and the vendor's pace count. `speaks`: it can call and
    say a message; where it can't, no call is offered.
    """

    name: str
    rings: bool

    @property
    def needs_agreement(self) -> bool: ...

    @property
    def speaks(self) -> bool: ...

    def deliver(self, outgoing: Outgoing) -> str:
        """Send it; the vendor's reference for it, or "". Raises `Undeliverable`."""
        ...
