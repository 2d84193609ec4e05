"""Saying a code: somebody has answered the call and pressed a key. Only here, and only now, is there a code to say."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import transaction

from portal.errors import NotFound
from sharing import messages
from sharing.calls import key_of
from sharing.in_order import take_share
from sharing.mint_code import mint_code
from sharing.models import Message
from sharing.reports import UNDECIDED, delivered, undelivered
from sharing.troubles import Trouble


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the voice says, and in which language."""

    words: str
    language: str


def speak(message_id: uuid.UUID, *, key: str, gateway: str) -> Spoken:
    """The code for whoever pressed the key this call named; for another key, or a second time, that it didn't work.

    The first other key ends the call: who tries them all, as a greeting full of tones would, hears nothing.
    Raises `NotFound` for the id of anything but a call.
    """
    calls = Message.objects.select_related("share__practice").filter(kind=Message.Kind.CALL)
    message = calls.filter(pk=message_id).first()
    if message is None:
        raise NotFound
    practice, language = message.share.practice, message.share.language
    code = None
    if key == key_of(message.pk):
        code = _code_of(message, gateway)
    else:
        undelivered(message.pk, Trouble.UNHEARD, gateway=gateway)
    if code is None:
        return Spoken(messages.no_code_words(language=language), language)
    return Spoken(messages.code_words(practice, language=language, code=code), language)


def _code_of(message: Message, gateway: str) -> str | None:
    """A code, once: the entry that it was heard stands in the same transaction."""
    with transaction.atomic():
        take_share(message.share_id)
        # Of two who press at once, and of a request that comes again, one hears it.
        if not Message.objects.filter(pk=message.pk, state__in=UNDECIDED).exists():
            return None
        code = mint_code(message)
        if code is not None:
            delivered(message.pk, gateway=gateway)
    return code
