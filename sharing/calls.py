"""Being called instead of texted: a voice says the code, to a phone that gets no texts or to eyes that can't read one.

It is offered once two codes were texted in vain, or one is known not to have come. The call itself only names a key,
and the code is made when that key is pressed (`sharing.speak`): an answering machine presses nothing. Each call names
another key, because there are mailboxes whose greeting plays a tone (docs/decisions/0016-a-code-by-telephone.md).
"""

from __future__ import annotations

import hmac
import uuid
from typing import Final

from portal.sealed.keys import installation_key
from sharing.gateways import Undeliverable, choose
from sharing.models import Challenge, Channel, Message, Share, ShareSession
from sharing.opted_out import has_opted_out
from sharing.troubles import Trouble

# The call that follows is the third code of a quarter of an hour, and there is no fourth (`sharing.verify`).
_TEXTS_FIRST: Final = 2
_LOST: Final = (Message.State.UNDELIVERED, Message.State.FAILED)
# A text doesn't come, or came to nobody, but there may be a telephone at the other end.
MAY_RING: Final = (Trouble.LANDLINE, Trouble.UNREACHABLE, Trouble.BLOCKED, Trouble.UNKNOWN)


def can_be_called(share: Share) -> bool:
    """Whether the share's code could be spoken: it goes to a telephone that hasn't said STOP, and the gateway speaks.

    Never a dentist's: their page doesn't tell whether a telephone or a mailbox was entered.
    """
    is_patients_phone = share.channel == Channel.TEXT and share.disclosure.recipient_kind != "dentist"
    return is_patients_phone and _has_voice() and not has_opted_out(share)


def may_call(session: ShareSession) -> bool:
    """Whether this browser may ask to be called now."""
    if session.share is None or not can_be_called(session.share):
        return False
    if Challenge.objects.filter(session=session).count() >= _TEXTS_FIRST:
        return True
    codes = Message.objects.filter(challenge__session=session)
    return codes.filter(state__in=_LOST, trouble__in=MAY_RING).exists()


def key_of(call: uuid.UUID) -> str:
    """The key that this call names: 1 to 9. Nobody knows it who hasn't heard the call."""
    return str(1 + hmac.digest(installation_key("otp", "call-key"), call.bytes, "sha256")[0] % 9)


def _has_voice() -> bool:
    try:
        return choose(Channel.TEXT).speaks
    except Undeliverable:
        return False
