"""Why a message waits or did not arrive: one word for rows and tests, one sentence for the desk.

A sentence says what to do next, and names neither number, content nor vendor's words, which may carry both.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Trouble(StrEnum):
    """What a vendor, a carrier or we ourselves can have against a message."""

    # It waits, and leaves when the reason is gone.
    QUIET_HOURS = "quiet-hours"
    TURN = "turn"
    DOWN = "down"
    REFUSED = "refused"
    NO_AGREEMENT = "no-agreement"
    NOT_SET_UP = "not-set-up"
    # It will not arrive.
    LANDLINE = "landline"
    OPTED_OUT = "opted-out"
    BAD_NUMBER = "bad-number"
    BAD_ADDRESS = "bad-address"
    UNREACHABLE = "unreachable"
    UNHEARD = "unheard"
    BLOCKED = "blocked"
    TOO_LATE = "too-late"
    UNKNOWN = "unknown"


# These pass: the message is held, with its reason shown, and is tried again.
PASSING: Final = frozenset(
    {
        Trouble.QUIET_HOURS,
        Trouble.TURN,
        Trouble.DOWN,
        Trouble.REFUSED,
        Trouble.NO_AGREEMENT,
        Trouble.NOT_SET_UP,
    }
)
# These wait for a clock and not for a person: nobody has to do anything about them.
BY_THE_CLOCK: Final = frozenset({Trouble.QUIET_HOURS, Trouble.TURN})
# Sending the same to the same address again would fail again.
NEEDS_ANOTHER_WAY: Final = frozenset(
    {Trouble.LANDLINE, Trouble.OPTED_OUT, Trouble.BAD_NUMBER, Trouble.BAD_ADDRESS}
)

SENTENCES: Final[dict[Trouble, str]] = {
    Trouble.QUIET_HOURS: "It waits for the morning: no texts leave at night. Send now if the patient asked for it.",
    Trouble.TURN: "It waits for its turn behind other messages.",
    Trouble.DOWN: "The message service does not answer. It is tried again by itself; nothing goes another way.",
    Trouble.REFUSED: "The message service refuses our account. Ask whoever runs Scanpass to check its settings.",
    Trouble.NO_AGREEMENT: "There is no business associate agreement in force with the message service. "
    "It leaves once the practice owner has added one.",
    Trouble.NOT_SET_UP: "No message service is set up, so nothing was sent. Ask whoever runs Scanpass.",
    Trouble.LANDLINE: "This number is a landline and gets no texts. Use a mobile number, e-mail or a letter.",
    Trouble.OPTED_OUT: "The owner of this number has replied STOP. Until they text START, use e-mail or a letter.",
    Trouble.BAD_NUMBER: "This is no number that gets texts. Please check it with the patient.",
    Trouble.BAD_ADDRESS: "The mail server refused this address. Please check it with the patient.",
    Trouble.UNREACHABLE: "The phone could not be reached. Try again later, or use e-mail or a letter.",
    Trouble.UNHEARD: "The telephone rang, but nobody pressed the key, so the code was not said.",
    Trouble.BLOCKED: "The phone company blocked it. Use e-mail or a letter, and tell whoever runs Scanpass.",
    Trouble.TOO_LATE: "It was no longer wanted when its turn came, so it was not sent.",
    Trouble.UNKNOWN: "It did not arrive, and the phone company does not say why. Use e-mail or a letter.",
}


def sentence(trouble: Trouble) -> str:
    """The trouble in words for the desk."""
    return SENTENCES[trouble]
