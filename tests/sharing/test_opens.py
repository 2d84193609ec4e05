"""A share that may be opened a number of times: counted when a code is right, exactly, and anew with a new link."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection

from portal.accounts.models import User
from portal.clock import now
from portal.errors import InvalidInput
from portal.records.models import Patient
from sharing.codes import code_hmac
from sharing.gateways.memory import Kept
from sharing.models import Challenge, DeskTask, Share, ShareSession
from sharing.sessions import begin
from sharing.verify import verify_code
from tests.cast import signed_in
from tests.conftest import MovableClock
from tests.sharing.conftest import Recipient, make_share, run_jobs, token_in


@pytest.mark.django_db
def test_after_its_last_opening_a_link_asks_for_a_new_one(
    pat: Patient, dana: User, sent: list[Kept], clock: MovableClock
) -> None:
    share = make_share(pat, dana, opens_max=1)
    run_jobs()
    token = token_in(sent[0])
    inside = Recipient(sent)
    inside.walk_in(token)
    assert inside.get("/s/view").status_code == 200, "who is in stays in"
    again = Recipient(sent)
    assert again.open(token).status_code == 404, "a stranger reads what every dead link says"
    told = again.birthdate()
    assert (told.status_code, told.json()["state"]) == (410, "used")
    assert "opened as often as it can be" in told.json()["detail"]
    assert again.post("/s/code").status_code == 410
    assert again.post("/s/renew").status_code == 202
    clock.advance(seconds=61)
    assert inside.post("/s/code/verify", {"code": inside.ask_code()}).status_code == 200, (
        "a fresh code is no opening"
    )
    desk = signed_in(dana)
    assert desk.post(f"/desk/shares/{share.pk}/renew").status_code == 302
    assert not DeskTask.objects.filter(done_at=None).exists()
    run_jobs()
    clock.advance(seconds=61)
    Recipient(sent).walk_in(token_in(sent[-1]))


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [0, -1, 101])
def test_a_number_of_openings_that_makes_no_sense_is_refused(pat: Patient, dana: User, wrong: int) -> None:
    with pytest.raises(InvalidInput):
        make_share(pat, dana, opens_max=wrong)


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_openings_at_once_exactly_as_many_as_allowed_succeed(
    pat: Patient, dana: User, sent: list[Kept]
) -> None:
    allowed = 7
    share = make_share(pat, dana, opens_max=allowed)
    sessions = [_with_code(share) for _ in range(100)]

    def enter(session: UUID) -> str:
        try:
            found = ShareSession.objects.select_related("share__disclosure").get(pk=session)
            verify_code(found, "482911", address="127.0.0.1")
        except Exception as error:
            return type(error).__name__
        finally:
            connection.close()
        return "in"

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(enter, sessions))
    assert answers.count("in") == allowed
    assert set(answers) <= {"in", "Gone", "CodeRefused"}
    share.refresh_from_db()
    assert (share.opens, share.code_failures, share.locked_at) == (allowed, 0, None)
    assert share.sessions.filter(step=ShareSession.Step.VERIFIED).count() == allowed


def _with_code(share: Share) -> UUID:
    session, _key = begin(share, ShareSession.Step.MATCHED)
    ends_at = now() + timedelta(minutes=10)
    challenge = Challenge(session=session, share=share, created_at=now(), expires_at=ends_at)
    challenge.code_hmac = code_hmac("482911", challenge=challenge.pk, share=share.pk)
    challenge.save()
    return session.pk
