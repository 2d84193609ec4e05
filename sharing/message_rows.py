"""What the desk reads about a share's messages: where each stands, why, and what else can be done."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sharing.models import Channel, Message, Share
from sharing.troubles import NEEDS_ANOTHER_WAY, Trouble

_State = Message.State
_TONES: Final = {
    _State.QUEUED: "warn",
    _State.HELD: "warn",
    _State.DELIVERED: "good",
    _State.UNDELIVERED: "bad",
    _State.FAILED: "bad",
}
_NAMES: Final = {
    Message.Kind.LINK: "Link",
    Message.Kind.CODE: "Code",
    Message.Kind.CALL: "Call with a code",
    Message.Kind.NOTICE: "Notice",
}
_OF_CALLS: Final[dict[str, str]] = {
    _State.SENT: "The telephone was rung; nobody has pressed the key yet.",
    _State.DELIVERED: "Somebody pressed the key and heard the code.",
}
# Gateways that tell later whether a text arrived.
_REPORTING: Final = frozenset({"webhook", "twilio", "aws"})
# Whether last week's code arrived is nobody's question any more.
_CODE_SHOWN: Final = timedelta(minutes=30)


class MessageRow(NamedTuple):
    """One message: `what` it is, the state as a word and in words, and when a held one is tried next."""

    id: uuid.UUID
    what: str
    state: str
    label: str
    tone: str
    words: str
    due_at: datetime | None
    can_send_now: bool
    needs_another_way: bool


def message_rows(share: Share, moment: datetime) -> list[MessageRow]:
    """The newest link where its state needs a word, and the newest code while somebody may be waiting for it."""
    newest: dict[str, Message] = {}
    # Chosen and sorted here, because a list of shares has fetched the messages of all of them at once.
    for message in sorted(share.messages.all(), key=lambda message: message.created_at):
        newest[message.kind] = message
    for kind in Message.CODES:
        if kind in newest and moment - newest[kind].created_at > _CODE_SHOWN:
            del newest[kind]
    rows = [_row(share, newest[kind]) for kind in _NAMES if kind in newest]
    # A link that was delivered is all that the share's own state says already.
    return [row for row in rows if row.words or row.what != _NAMES[Message.Kind.LINK]]


def _row(share: Share, message: Message) -> MessageRow:
    state = _State(message.state)
    trouble = message.trouble
    return MessageRow(
        id=message.pk,
        what=_NAMES[Message.Kind(message.kind)],
        state=state.value,
        label="waiting"
        if state == _State.HELD
        else "not delivered"
        if state == _State.UNDELIVERED
        else state,
        tone=_TONES.get(state, "live"),
        words=message.failure or _words(share, message),
        due_at=message.due_at if state == _State.HELD else None,
        can_send_now=state == _State.HELD and trouble != Trouble.TURN,
        needs_another_way=state in (_State.FAILED, _State.UNDELIVERED) and trouble in NEEDS_ANOTHER_WAY,
    )


def _words(share: Share, message: Message) -> str:
    if message.kind == Message.Kind.CALL:
        return _OF_CALLS.get(message.state, "")
    if message.state == _State.SENT and message.gateway in _REPORTING:
        return "The message service took it; the phone has not confirmed it yet."
    if message.state == _State.SENT and share.channel == Channel.EMAIL:
        return "The mail server took it. E-mail can't tell whether it was read."
    return ""
