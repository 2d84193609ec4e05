"""What has become of the code somebody waits for, texted or spoken, in their words: nobody stares at a phone in vain.

A dentist's page is told nothing: the address they typed may be a wrong one, and a code that never comes must look
like one that is on its way.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sharing.calls import MAY_RING, can_be_called
from sharing.models import Message, ShareSession
from sharing.troubles import Trouble

_State = Message.State


class CodeState(NamedTuple):
    """`state` is waiting, sent, delivered, failed or unknown; `words` are empty while all is well."""

    state: str
    words: str | Promise


_UNKNOWN: Final = CodeState("unknown", "")
_SLOW: Final = CodeState("waiting", _("Our texts are slow right now. We keep trying."))
_CALLING: Final = CodeState("sent", _("We are calling you now. Press the key that the voice names."))
_CALL_SLOW: Final = CodeState("waiting", _("Our calls are slow right now. We keep trying."))
_CALL_LOST: Final = CodeState(
    "failed", _("We called, but no one pressed the key. Ask for a new code, or call the dental office.")
)
_LOST: Final = CodeState(
    "failed", _("The code did not reach you. Ask for a new one, or call the dental office.")
)
_CALL_INSTEAD: Final = CodeState(
    "failed", _("The text did not reach you. We can call you with the code. Or call the dental office.")
)
_LOST_FOR: Final = {
    Trouble.LANDLINE: _("This phone can't get texts. Please call the dental office."),
    Trouble.BAD_NUMBER: _("This phone can't get texts. Please call the dental office."),
    Trouble.BAD_ADDRESS: _("This e-mail address does not work. Please call the dental office."),
    Trouble.OPTED_OUT: _(
        "This phone has stopped our texts. Reply START to our last text, or call the dental office."
    ),
}


def code_state(session: ShareSession) -> CodeState:
    """Where the newest code of this browser stands."""
    share = session.share
    if share is None or share.disclosure.recipient_kind == "dentist":
        return _UNKNOWN
    codes = Message.objects.filter(challenge__session=session).order_by("-created_at")
    message = codes.only("state", "trouble", "kind").first()
    if message is None:
        return _UNKNOWN
    if message.kind == Message.Kind.CALL:
        return _state_of_call(message)
    if message.state in (_State.UNDELIVERED, _State.FAILED):
        trouble = Trouble(message.trouble or Trouble.UNKNOWN)
        if trouble in MAY_RING and can_be_called(share):
            return _CALL_INSTEAD
        words = _LOST_FOR.get(trouble)
        return CodeState("failed", words) if words else _LOST
    if message.state == _State.HELD:
        return _SLOW
    return CodeState("waiting" if message.state == _State.QUEUED else message.state, "")


def _state_of_call(call: Message) -> CodeState:
    if call.state in (_State.UNDELIVERED, _State.FAILED):
        return _CALL_LOST
    if call.state == _State.HELD:
        return _CALL_SLOW
    return CodeState("delivered", "") if call.state == _State.DELIVERED else _CALLING
