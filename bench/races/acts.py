"""What one of the crowd does: each act takes the id of a session or a share, and the member's number."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from portal.clock import now
from sharing.codes import code_hmac
from sharing.matching import give_birthdate
from sharing.models import Challenge, Share, ShareSession
from sharing.resend import resend
from sharing.sessions import begin
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


def send_again(share: UUID, number: int) -> None:
    from portal.audit.actor import system

    found = Share.objects.get(pk=share)
    resend(found, actor=system(found.practice_id))


def _session(session: UUID) -> ShareSession:
    return ShareSession.objects.select_related("share__disclosure", "share__patient", "share__practice").get(
        pk=session
    )


def with_code(share: Share) -> UUID:
    """A session that has matched and was sent the code."""
    moment = now()
    session, _key = begin(share, ShareSession.Step.MATCHED)
    challenge = Challenge(
        session=session, share=share, created_at=moment, expires_at=moment + timedelta(minutes=10)
    )
    challenge.code_hmac = code_hmac(CODE, challenge=challenge.pk, share=share.pk)
    challenge.save()
    return session.pk
