"""What one of the crowd does: each act takes the id of a session or a share, and the member's number."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from portal.clock import now
from sharing.calls import key_of
from sharing.codes import code_hmac
from sharing.matching import give_birthdate
from sharing.models import Challenge, Message, Share, ShareSession
from sharing.resend import resend
from sharing.sessions import begin
from sharing.speak import speak
from sharing.verify import request_code, verify_code

CODE = "482911"
NOWHERE = "127.0.0.1"


def guess(session: UUID, number: int) -> None:
    verify_code(_session(session), f"{number:06}", address=NOWHERE)


def give_code(session: UUID, number: int) -> None:
    verify_code(_session(session), CODE, address=NOWHERE)


def give_date(session: UUID, number: int) -> None:
    give_birthdate(_session(session), date(1901, 1, 1) + timedelta(days=number), address=NOWHERE)


def ask(session: UUID, number: int) -> None:
    request_code(_session(session), address=NOWHERE)


def ask_call(session: UUID, number: int) -> None:
    request_code(_session(session), address=NOWHERE, by_call=True)


def press_key(call: UUID, number: int) -> None:
    if "code is" not in speak(call, key=key_of(call), gateway="twilio").words:
        raise LookupError("no code was said")


def send_again(share: UUID, number: int) -> None:
    from portal.audit.actor import system

    found = Share.objects.get(pk=share)
    resend(found, actor=system(found.practice_id))


def _session(session: UUID) -> ShareSession:
    return ShareSession.objects.select_related("share__disclosure", "share__patient", "share__practice").get(
        pk=session
    )


def after_two_texts(share: Share) -> UUID:
    """A session that has matched and asked for two codes, the last of them a while ago."""
    session, _key = begin(share, ShareSession.Step.MATCHED)
    for _ in range(2):
        _challenge(session, share).save()
    return session.pk


def ringing(share: Share) -> UUID:
    """A call that somebody takes."""
    session, _key = begin(share, ShareSession.Step.MATCHED)
    challenge = _challenge(session, share)
    challenge.save()
    call = Message.objects.create(
        practice_id=share.practice_id, share=share, challenge=challenge, kind=Message.Kind.CALL,
        state=Message.State.SENT, created_at=now(),
    )  # fmt: skip
    return call.pk


def _challenge(session: ShareSession, share: Share) -> Challenge:
    moment = now()
    return Challenge(
        session=session, share=share, created_at=moment, expires_at=moment + timedelta(minutes=10)
    )


def with_code(share: Share) -> UUID:
    """A session that has matched and was sent the code."""
    session, _key = begin(share, ShareSession.Step.MATCHED)
    challenge = _challenge(session, share)
    challenge.code_hmac = code_hmac(CODE, challenge=challenge.pk, share=share.pk)
    challenge.save()
    return session.pk
