"""A bulk day: many shares in one go, each listed, none of them twice, and no number flooded."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.accounts.models import User
from portal.clock import now
from portal.errors import InvalidInput, LimitReached, NotFound
from portal.practice.models import Practice
from portal.records.models import Contact, DisclosureEvent, Patient
from portal.records.search_terms import rewrite_terms
from sharing.batch import issue_batch, who_waits
from sharing.gateways.memory import Kept
from sharing.models import Share
from tests.cast import actor_of, make_patient, signed_in
from tests.sharing.conftest import make_share, make_study, run_jobs

pytestmark = pytest.mark.django_db


def scanned(practice: Practice, family_name: str, mobile: str = "") -> Patient:
    """A patient whose scan came in today."""
    patient = make_patient(practice, family_name=family_name)
    rewrite_terms(patient)
    if mobile:
        Contact.objects.create(
            practice=practice, patient=patient, kind="mobile", value=mobile, created_at=now()
        )
    make_study(patient)
    return patient


def in_30_days() -> Any:
    return now() + timedelta(days=30)


def test_f9_forty_shares_are_queued_and_each_failure_is_listed(
    smile: Practice, dana: User, sent: list[Kept]
) -> None:
    fine = [scanned(smile, f"Patient{n:02}", f"+120155501{n:02}") for n in range(38)]
    scanned(smile, "Nobody")
    twins = [scanned(smile, "Twin", "+12065550142"), scanned(smile, "Twin", "+12065550143")]
    client = signed_in(dana)
    page = client.get("/desk/batch").content.decode()
    assert page.count('name="patients"') == 38
    assert "No number or e-mail address" in page
    assert page.count("Another patient has this name") == 2
    key = page.split('name="form_key" value="')[1].split('"')[0]
    form = {"form_key": key, "patients": [str(row.pk) for row in fine], "consent": "on"}
    done = client.post("/desk/batch", form).content.decode()
    assert done.count(">Queued<") == 38
    assert '<span class="number">38</span> of <span class="number">38</span> shared' in done
    assert client.post("/desk/batch", form).content.decode().count(">Queued<") == 38
    run_jobs()
    assert len({kept.to for kept in sent}) == len(sent) == Share.objects.count() == 38
    assert not Share.objects.filter(patient__in=twins).exists()


def test_f9_one_that_fails_stops_none_of_the_others(smile: Practice, dana: User) -> None:
    first, second = scanned(smile, "First", "+12015550101"), scanned(smile, "Second", "+12015550102")
    for _ in range(20):
        _fill_up(smile, dana, "+12015550101")
    outcomes = issue_batch(
        uuid4(), [first.pk, second.pk], consent=True, expires_at=in_30_days(), actor=actor_of(dana)
    )
    assert [bool(row.share) for row in outcomes] == [False, True]
    assert "Too many links went there today" in outcomes[0].sentence


def test_f9_the_page_asks_as_often_for_many_as_for_few(smile: Practice, dana: User) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert who_waits(smile.pk)
        return len(queries)

    scanned(smile, "First", "+12015550101")
    few = asked()
    for number in range(4):
        scanned(smile, f"Later{number}", f"+1201555011{number}")
    assert asked() == few


def test_f9_no_more_are_ticked_than_may_go_at_once(smile: Practice, dana: User, settings: Any) -> None:
    for number in range(3):
        scanned(smile, f"Patient{number}", f"+1201555012{number}")
    settings.BATCH_MAX_SHARES = 2
    page = signed_in(dana).get("/desk/batch").content.decode()
    ticks = re.findall(r'name="patients" value="[^"]+"( checked)?>', page)
    assert ticks == [" checked", " checked", ""]
    assert "At most 2 go at once" in page
    settings.BATCH_MAX_SHARES = 3
    assert "go at once" not in signed_in(dana).get("/desk/batch").content.decode()


def _fill_up(practice: Practice, user: User, number: str) -> None:
    make_share(make_patient(practice, family_name="Other"), user, address=number)


def test_one_number_gets_no_flood_of_links(pat: Patient, dana: User) -> None:
    for _ in range(20):
        make_share(pat, dana)
    with pytest.raises(LimitReached, match="Too many links"):
        make_share(pat, dana)
    assert Share.objects.count() == DisclosureEvent.objects.filter(kind="queued").count() == 20


@pytest.mark.parametrize(
    ("patients", "consent", "error"),
    [(0, True, InvalidInput), (61, True, InvalidInput), (1, False, InvalidInput), (1, True, NotFound)],
    ids=["none", "too many", "without consent", "somebody who isn't waiting"],
)
def test_batch_is_refused_as_a_whole(
    smile: Practice, dana: User, patients: int, consent: bool, error: type[Exception]
) -> None:
    scanned(smile, "Garcia", "+12015550101")
    ids = [uuid4() for _ in range(patients)]
    with pytest.raises(error):
        issue_batch(uuid4(), ids, consent=consent, expires_at=in_30_days(), actor=actor_of(dana))
    assert not Share.objects.exists()


def test_shared_images_and_those_of_other_practices_wait_for_nobody(
    smile: Practice, dana: User, mallory: User
) -> None:
    make_share(scanned(smile, "Garcia", "+12015550101"), dana)
    foreign = mallory.memberships.get().practice
    assert who_waits(smile.pk) == []
    waiting = scanned(foreign, "Lopez", "+12015550102")
    assert [row.patient for row in who_waits(foreign.pk)] == [waiting]
    with pytest.raises(NotFound):
        issue_batch(uuid4(), [waiting.pk], consent=True, expires_at=in_30_days(), actor=actor_of(dana))
