"""Calls by Twilio: what its Calls resource is asked for, and TwiML, the words of a call.

The call begins with a greeting that names a key. What is pressed is posted back, signed; the answer says the code.

Source: twilio.com/docs/voice/api/call-resource, /docs/voice/twiml/gather, /docs/voice/twiml/say.
"""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape, quoteattr

from django.conf import settings

from sharing.gateways.base import Outgoing
from sharing.troubles import Trouble

# Spanish as in the Americas; another language is asked for by its own code.
_VOICES: Final = {"en": "en-US", "es": "es-MX"}
_RINGS_S: Final = 30
_KEY_WITHIN_S: Final = 8
_PAUSE: Final = '<Pause length="2"/>'

# How a call ended: nobody took it, or it was taken and no key pressed (one that was pressed is delivered already).
ENDINGS: Final[dict[str, Trouble]] = {
    "busy": Trouble.UNREACHABLE,
    "no-answer": Trouble.UNREACHABLE,
    "canceled": Trouble.UNREACHABLE,
    "failed": Trouble.UNREACHABLE,
    "completed": Trouble.UNHEARD,
}


def call_form(outgoing: Outgoing) -> dict[str, str]:
    """The form of one call."""
    place = f"{settings.PUBLIC_BASE_URL}/messages/twilio/{outgoing.message}"
    return {
        "To": outgoing.address,
        "From": settings.TWILIO_CALLER,
        "Timeout": str(_RINGS_S),
        "Twiml": _asking(outgoing.body, outgoing.language, action=f"{place}/pressed"),
        "StatusCallback": f"{place}/call",
    }


def said(words: str, language: str) -> str:
    """The words twice, and the end of the call."""
    say = _say(words, language)
    return f"<Response>{say}{_PAUSE}{say}<Hangup/></Response>"


def _asking(words: str, language: str, *, action: str) -> str:
    """The words twice, while a key is waited for; without one the call ends."""
    say = _say(words, language)
    gather = f'<Gather numDigits="1" timeout="{_KEY_WITHIN_S}" action={quoteattr(action)}>'
    return f"<Response>{gather}{say}{_PAUSE}{say}</Gather><Hangup/></Response>"


def _say(words: str, language: str) -> str:
    return f"<Say language={quoteattr(_VOICES.get(language, language))}>{escape(words)}</Say>"
