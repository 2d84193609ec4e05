"""The worker's verb: send one message of the outbox.

Link and code are born here and leave only in the message. What is started twice is harmless: a crash after minting
and before sending leaves a link that nobody has, and the next try mints another. A crash between sending and the
last commit sends a second message; its link or code replaces the first.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F

from portal.audit import trail
from portal.audit.actor import system
from portal.clock import now
from portal.errors import AccessDenied
from portal.jobs.run import Lease
from portal.practice.agreements import require_agreement
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent
from sharing import messages
from sharing.calls import key_of
from sharing.gateways import Gateway, Outgoing, Undeliverable, choose
from sharing.hold import WAITING, close_unsent, hold
from sharing.in_order import take_share
from sharing.liveness import live
from sharing.mint_code import mint_code, still_wanted
from sharing.models import Channel, DeskTask, Message, Share
from sharing.opted_out import has_opted_out, opt_out
from sharing.quiet_hours import end_of_quiet
from sharing.sessions import end_all
from sharing.todo import close_tasks
from sharing.tokens import link_of, mint, token_hmac
from sharing.troubles import Trouble
from sharing.turns import reserve_turn

# A turn this near is waited for by nobody: the way through the queue takes longer.
_NEARLY = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True)
class Letter:
    """What is about to leave."""

    body: str
    subject: str = ""
    language: str = ""  # of one that is spoken


def send_message(message_id: uuid.UUID, lease: Lease) -> None:
    """Send the message unless it was sent already; what can't leave now is held, what never can is told the desk."""
    message = Message.objects.select_related("share__practice", "challenge").get(pk=message_id)
    if message.state not in WAITING:
        return
    try:
        _check_wanted(message)
        gateway = _permitted_gateway(message)
        letter = _LETTERS[Message.Kind(message.kind)](message, lease)
        if letter is None:
            raise Undeliverable(Trouble.TOO_LATE)
        reference = gateway.deliver(
            Outgoing(
                message.pk,
                message.share.address,
                letter.body,
                message.kind,
                letter.subject,
                letter.language,
            )
        )
    except Undeliverable as error:
        if error.is_final:
            _give_up(message, lease, error)
        else:
            hold(message, lease, error.trouble, until=error.until)
    else:
        _close(message, lease, gateway=gateway.name, reference=reference)


def _check_wanted(message: Message) -> None:
    """Raise `Undeliverable` where its reason is gone: a held message may wait longer than a share or a code lives.

    A code is counted from when it was asked for; each try makes another one, which must not go on for ever.
    """
    moment = now()
    is_live = Share.objects.filter(live(moment), pk=message.share_id).exists()
    ends_at = message.created_at + timedelta(seconds=settings.CODE_LIFETIME_S)
    if not is_live or (message.kind in Message.CODES and ends_at <= moment):
        raise Undeliverable(Trouble.TOO_LATE)


def _permitted_gateway(message: Message) -> Gateway:
    """The one way out, if this message may take it now. Raises `Undeliverable`."""
    gateway = choose(message.share.channel)
    if message.kind == Message.Kind.CALL and not gateway.speaks:
        raise Undeliverable(Trouble.NOT_SET_UP)
    if gateway.needs_agreement:
        try:
            require_agreement(message.practice_id, gateway.name)
        except AccessDenied:
            raise Undeliverable(Trouble.NO_AGREEMENT) from None
    if gateway.rings:
        _check_phone(message, gateway.name)
    return gateway


def _check_phone(message: Message, gateway: str) -> None:
    if has_opted_out(message.share):
        raise Undeliverable(Trouble.OPTED_OUT)
    if message.kind in Message.CODES:
        return
    moment = now()
    morning = None if message.is_urgent else end_of_quiet(message.share.practice, moment)
    if morning is not None:
        raise Undeliverable(Trouble.QUIET_HOURS, until=morning)
    if message.trouble != Trouble.TURN:
        turn = reserve_turn(gateway)
        if turn - moment > _NEARLY:
            raise Undeliverable(Trouble.TURN, until=turn)


# --- what is in it -------------------------------------------------------------------------------------------------


def _link_letter(message: Message, lease: Lease) -> Letter | None:
    share, practice = message.share, message.share.practice
    token = mint()
    moment = now()
    with transaction.atomic():
        lease.check()
        # The address it is about to go to must still be the share's: the desk may just have changed it.
        wanted = Share.objects.filter(live(moment), pk=share.pk, address_index=share.address_index)
        # From here on the link before this one is dead, and whoever came in by it is out.
        if not wanted.update(token_hmac=token_hmac(token)):
            return None
        end_all(share, moment)
    link, language = link_of(token), share.language
    if share.channel == Channel.TEXT:
        return Letter(
            messages.link_text(
                practice,
                language=language,
                link=link,
                expires_at=share.expires_at,
                time_zone=practice.time_zone,
            )
        )
    return Letter(
        messages.email_link(
            practice, language=language, link=link, expires_at=share.expires_at, time_zone=practice.time_zone
        ),
        messages.email_subject(practice, language=language),
    )


def _code_letter(message: Message, lease: Lease) -> Letter | None:
    share, practice = message.share, message.share.practice
    code = _minted(message, lease)
    if code is None:
        return None
    if share.channel == Channel.TEXT:
        return Letter(messages.code_text(practice, language=share.language, code=code))
    return Letter(
        messages.email_code(practice, language=share.language, code=code),
        messages.email_subject(practice, language=share.language),
    )


def _minted(message: Message, lease: Lease) -> str | None:
    with transaction.atomic():
        lease.check()
        return mint_code(message)


def _call_letter(message: Message, lease: Lease) -> Letter | None:
    """What the voice says first: which key to press. The code is made when somebody presses it (`sharing.speak`)."""
    practice, language = message.share.practice, message.share.language
    if not still_wanted(message, now()).exists():
        return None
    words = messages.call_words(practice, language=language, key=key_of(message.pk))
    if not choose(message.share.channel).rings:
        # A gateway of this machine has no keys to press: it is heard to the end at once.
        code = _minted(message, lease)
        if code is None:
            return None
        words += "\n\n" + messages.code_words(practice, language=language, code=code)
    return Letter(words, language=language)


def _notice_letter(message: Message, lease: Lease) -> Letter | None:
    share, practice = message.share, message.share.practice
    if share.channel == Channel.TEXT:
        return Letter(messages.notice_text(practice, language=share.language))
    return Letter(
        messages.email_notice(practice, language=share.language),
        messages.email_subject(practice, language=share.language),
    )


_LETTERS: Final = {
    Message.Kind.LINK: _link_letter,
    Message.Kind.CODE: _code_letter,
    Message.Kind.CALL: _call_letter,
    Message.Kind.NOTICE: _notice_letter,
}


# --- what became of it ---------------------------------------------------------------------------------------------


def _close(message: Message, lease: Lease, *, gateway: str, reference: str) -> None:
    share = message.share
    with transaction.atomic():
        lease.check()
        take_share(share.pk)
        sent = Message.objects.filter(pk=message.pk)
        sent.update(sent_at=now(), gateway=gateway, vendor_reference=reference[:80])
        # Not over a report: a fast vendor's may have come before this.
        sent.filter(state__in=WAITING).update(state=Message.State.SENT, trouble="", failure="", due_at=None)
        code = "share.sent" if message.kind == Message.Kind.LINK else "share.code-sent"
        trail.record(
            code,
            actor=system(message.practice_id),
            patient=share.patient_id,
            share=share.pk,
            private={"to": share.address},
            message=str(message.pk),
            gateway=gateway,
            reference=reference[:80],
        )
        close_tasks(share, DeskTask.Kind.HELD)
        if message.kind == Message.Kind.LINK:
            Share.objects.filter(pk=share.pk).update(links_sent=F("links_sent") + 1)
            close_tasks(share, DeskTask.Kind.SEND_FAILED)
            note(share.disclosure_id, DisclosureEvent.Kind.SENT, channel=share.channel)


def _give_up(message: Message, lease: Lease, error: Undeliverable) -> None:
    with transaction.atomic():
        lease.check()
        # Nobody misses what nobody wants any more.
        is_missed = error.trouble != Trouble.TOO_LATE
        close_unsent(message, error.sentence, trouble=error.trouble, tell_desk=is_missed)
        if error.trouble == Trouble.OPTED_OUT:
            opt_out(message.share.address)
