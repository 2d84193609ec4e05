"""The worker's verb: send one message of the outbox.

Link and code are born here and leave only in the message. What is started twice is harmless: a crash after minting
and before sending leaves a link that nobody has, and the next try mints another. A crash between sending and the
last commit sends a second message; its link or code replaces the first.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from portal.audit import trail
from portal.audit.actor import system
from portal.audit.events import FAILED
from portal.clock import now
from portal.errors import AccessDenied, ScanpassError
from portal.jobs.run import ATTEMPTS_MAX, Lease
from portal.practice.agreements import require_agreement
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent
from sharing import messages
from sharing.codes import code_hmac, make_code
from sharing.gateways import Gateway, Undeliverable, choose
from sharing.liveness import live
from sharing.models import Challenge, Channel, DeskTask, Message, Share
from sharing.sessions import end_all
from sharing.todo import add_task, close_tasks
from sharing.tokens import link_of, mint, token_hmac

TOO_LATE = "It was no longer wanted when its turn came, so it was not sent."


class NotSentYet(ScanpassError):
    """The way out is closed for the moment; the job's next try comes later."""

    sentence = "The message could not be sent yet. It is tried again."


@dataclass(frozen=True, slots=True)
class Letter:
    """What is about to leave."""

    body: str
    subject: str = ""


def send_message(message_id: uuid.UUID, lease: Lease) -> None:
    """Send the message unless it was sent already; a failure ends as a task on the desk."""
    message = Message.objects.select_related("share__practice", "challenge").get(pk=message_id)
    if message.state != Message.State.QUEUED:
        return
    try:
        gateway = _permitted_gateway(message)
        letter = (
            _link_letter(message, lease)
            if message.kind == Message.Kind.LINK
            else _code_letter(message, lease)
        )
        if letter is None:
            _give_up(message, lease, TOO_LATE, tell_desk=False)
            return
        reference = gateway.deliver(
            message.share.address, letter.body, kind=message.kind, subject=letter.subject
        )
    except Undeliverable as error:
        _held_back(message, lease, error)
    else:
        _close(message, lease, gateway=gateway.name, reference=reference)


def _permitted_gateway(message: Message) -> Gateway:
    gateway = choose(message.share.channel)
    if gateway.needs_agreement:
        try:
            require_agreement(message.practice_id, gateway.name)
        except AccessDenied as error:
            raise Undeliverable(error.sentence) from None
    return gateway


# --- what is in it -------------------------------------------------------------------------------------------------


def _link_letter(message: Message, lease: Lease) -> Letter | None:
    share, practice = message.share, message.share.practice
    token = mint()
    moment = now()
    with transaction.atomic():
        lease.check()
        # From here on the link before this one is dead, and whoever came in by it is out.
        if not Share.objects.filter(live(moment), pk=share.pk).update(token_hmac=token_hmac(token)):
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
    share, practice, challenge = message.share, message.share.practice, message.challenge
    if challenge is None:
        return None
    code = make_code()
    moment = now()
    with transaction.atomic():
        lease.check()
        made = Challenge.objects.filter(
            pk=challenge.pk,
            consumed_at=None,
            expires_at__gt=moment,
            session__ended_at=None,
            share__in=Share.objects.filter(live(moment)),
        ).update(
            code_hmac=code_hmac(code, challenge=challenge.pk, share=share.pk),
            expires_at=moment + timedelta(seconds=settings.CODE_LIFETIME_S),
        )
    if not made:
        return None
    if share.channel == Channel.TEXT:
        return Letter(messages.code_text(practice, language=share.language, code=code))
    return Letter(
        messages.email_code(practice, language=share.language, code=code),
        messages.email_subject(practice, language=share.language),
    )


# --- what became of it ---------------------------------------------------------------------------------------------


def _close(message: Message, lease: Lease, *, gateway: str, reference: str) -> None:
    share = message.share
    with transaction.atomic():
        lease.check()
        Message.objects.filter(pk=message.pk).update(
            state=Message.State.SENT,
            sent_at=now(),
            gateway=gateway,
            vendor_reference=reference[:80],
            failure="",
        )
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
        if message.kind == Message.Kind.LINK:
            Share.objects.filter(pk=share.pk).update(links_sent=F("links_sent") + 1)
            close_tasks(share, DeskTask.Kind.SEND_FAILED)
            note(share.disclosure_id, DisclosureEvent.Kind.SENT, channel=share.channel)


def _held_back(message: Message, lease: Lease, error: Undeliverable) -> None:
    if not error.is_final and lease.job.attempts < ATTEMPTS_MAX:
        Message.objects.filter(pk=message.pk).update(failure=error.sentence[:200])
        raise NotSentYet
    _give_up(message, lease, error.sentence, tell_desk=True)


def _give_up(message: Message, lease: Lease, sentence: str, *, tell_desk: bool) -> None:
    with transaction.atomic():
        lease.check()
        close_unsent(message, sentence, tell_desk=tell_desk)


def close_unsent(message: Message, sentence: str, *, tell_desk: bool) -> None:
    """The message will not be sent: its row, the trail, the record and the desk say so, or nothing does."""
    share = message.share
    with transaction.atomic():
        unsent = Message.objects.filter(pk=message.pk, state=Message.State.QUEUED)
        if not unsent.update(state=Message.State.FAILED, failure=sentence[:200]):
            return
        trail.record(
            "share.send-failed",
            actor=system(message.practice_id),
            outcome=FAILED,
            patient=share.patient_id,
            share=share.pk,
            message=str(message.pk),
            kind=message.kind,
            sentence=sentence,
        )
        if message.kind == Message.Kind.LINK:
            note(share.disclosure_id, DisclosureEvent.Kind.SEND_FAILED, sentence=sentence)
        if tell_desk:
            add_task(share, DeskTask.Kind.SEND_FAILED)
