"""Who acts: a member of staff, a recipient of a share, or the system itself."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["staff", "recipient", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts, as the trail names them.

    `practice` is the practice they act in; `None` only for the system before a practice is known.
    `id` is a user's or a share's id. `label` (a person's name) is sealed in the trail, never stored in clear.
    `session` names the session without opening it; `address` is the network address, sealed too.
    """

    kind: Kind
    practice: uuid.UUID | None = None
    id: uuid.UUID | None = None
    role: str = ""
    label: str = field(default="", repr=False)
    session: str = ""
    method: str = ""
    address: str = field(default="", repr=False)


def system(practice: uuid.UUID) -> Actor:
    """Scanpass itself, working for a practice: the worker, the sweep, a command."""
    return Actor(kind="system", practice=practice)
