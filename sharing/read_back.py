"""Checking a number at the desk: a code is texted now, and the patient reads it back.

It proves that the phone in front of the desk has this number, before anything of the patient goes there. The text has
words of its own, so that nobody learns to read a share's code to a stranger.
"""

from __future__ import annotations

import hmac
import uuid
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from portal.audit import trail
from portal.audit.actor import Actor
from portal.audit.events import REFUSED
from portal.clock import now
from portal.errors import AccessDenied, CodeRefused, Conflict, NotFound
from portal.jobs.queue import enqueue
from portal.jobs.run import Lease
from portal.practice.agreements import require_agreement
from portal.practice.models import Practice
from portal.records.models import Patient
from portal.sealed.keys import installation_key
from sharing import limits
from sharing.addresses import mobile_number
from sharing.codes import make_code
from sharing.gateways import Gateway, Outgoing, Undeliverable, choose
from sharing.known import ReadBack
from sharing.messages import gsm
from sharing.models import Channel
from sharing.opted_out import has_stopped
from sharing.standing import mark_verified
from sharing.troubles import Trouble

KIND: Final = "check"


def ask_read_back(patient: Patient, *, number: str, language: str, actor: Actor) -> ReadBack:
    """Queue a code to this number. Raises `InvalidInput` for a number that gets no texts, `LimitReached`."""
    if patient.practice_id != actor.practice or actor.id is None:
        raise NotFound
    number, moment = mobile_number(number), now()
    with transaction.atomic():
        limits.take(limits.PHONE_DAY, number)
        limits.take(limits.PRACTICE_DAY, str(patient.practice_id))
        check = ReadBack.objects.create(
            practice_id=patient.practice_id,
            patient=patient,
            address=number,
            language=language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE,
            asked_by_id=actor.id,
            created_at=moment,
            expires_at=moment + timedelta(seconds=settings.CODE_LIFETIME_S),
        )
        trail.record("number.check-sent", actor=actor, patient=patient.pk, private={"to": number})
        enqueue("read-back", check.pk)
    return check


def give_read_back(check: ReadBack, code: str, *, actor: Actor) -> None:
    """Compare what the patient read out; right, and the number is verified for this patient.

    A try takes its place by a conditional UPDATE before anything is compared. Raises `CodeRefused` (with `tries_left`)
    and `Conflict` when the check is over.
    """
    if check.practice_id != actor.practice:
        raise NotFound
    open_checks = ReadBack.objects.filter(
        pk=check.pk, consumed_at=None, code_hmac__isnull=False, expires_at__gt=now()
    )
    if not open_checks.filter(tries__lt=settings.CODE_TRIES_MAX).update(tries=F("tries") + 1):
        raise Conflict("This code is over. Text a new one.")
    check.refresh_from_db(fields=["tries", "code_hmac"])
    typed = "".join(code.split())
    if not hmac.compare_digest(_hmac(check.pk, typed), bytes(check.code_hmac or b"")):
        raise _refused(check, actor)
    with transaction.atomic():
        if not open_checks.update(consumed_at=now()):
            raise Conflict("This code is over. Text a new one.")
        mark_verified(check.patient, check.address, by=actor.id)
        trail.record(
            "number.verified", actor=actor, patient=check.patient_id, private={"number": check.address}
        )


def _refused(check: ReadBack, actor: Actor) -> CodeRefused:
    trail.record_alone("number.check-refused", actor=actor, outcome=REFUSED, patient=check.patient_id)
    left = settings.CODE_TRIES_MAX - check.tries
    words = "That is not the code that was sent. " + (
        f"{left} tr{'y' if left == 1 else 'ies'} left." if left else "Text a new one."
    )
    return CodeRefused(words, tries_left=left)


def _hmac(check: uuid.UUID, code: str) -> bytes:
    return hmac.digest(installation_key("otp", "read-back"), check.bytes + code.encode(), "sha256")


# --- the worker's part ---------------------------------------------------------------------------------------------


def send_read_back(check_id: uuid.UUID, lease: Lease) -> None:
    """Make the code and send it, once; whoever waits at the desk is told at once when it can't be."""
    check = ReadBack.objects.select_related("practice").get(pk=check_id)
    if check.sent_at or check.failure or check.consumed_at:
        return
    code = make_code()
    try:
        gateway = _permitted_gateway(check)
        with transaction.atomic():
            lease.check()
            ReadBack.objects.filter(pk=check.pk).update(code_hmac=_hmac(check.pk, code))
        body = read_back_text(check.practice, language=check.language, code=code)
        gateway.deliver(Outgoing(check.pk, check.address, body, KIND))
    except Undeliverable as error:
        ReadBack.objects.filter(pk=check.pk).update(failure=error.sentence[:200])
    else:
        ReadBack.objects.filter(pk=check.pk).update(sent_at=now())


def _permitted_gateway(check: ReadBack) -> Gateway:
    gateway = choose(Channel.TEXT)
    if gateway.needs_agreement:
        try:
            require_agreement(check.practice_id, gateway.name)
        except AccessDenied:
            raise Undeliverable(Trouble.NO_AGREEMENT) from None
    if has_stopped(check.address):
        raise Undeliverable(Trouble.OPTED_OUT)
    return gateway


def read_back_text(practice: Practice, *, language: str, code: str) -> str:
    """The words of the check, in GSM letters; it names no patient and opens nothing."""
    with translation.override(language):
        words = _("%(practice)s checks this number. Please read this code to the front desk: %(code)s")
        return gsm(words % {"practice": practice.name[:60], "code": code})
