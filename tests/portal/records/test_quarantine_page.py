"""Files of another patient, for someone with the right to decide about them."""

from __future__ import annotations

import pytest

from portal.accounts.models import User
from portal.audit.reading import latest
from portal.clock import now
from portal.jobs.models import Job
from portal.practice.models import Practice
from portal.records.models import Patient, QuarantinedGroup
from portal.records.uploads import start_upload
from tests.cast import actor_of, signed_in

pytestmark = pytest.mark.django_db
WHY = "Her maiden name, checked with her passport."


@pytest.fixture
def held(smile: Practice, dana: User, pat: Patient) -> QuarantinedGroup:
    return QuarantinedGroup.objects.create(
        practice=smile,
        upload=start_upload(pat, actor=actor_of(dana)),
        patient=pat,
        cause=QuarantinedGroup.Cause.OTHER_PATIENT,
        header={"patient_name": "Lopez^Ana", "birthdate": "19860412", "patient_id": "", "studies": []},
        files=[],
        pack="0" * 32,
        file_count=3,
        created_at=now(),
    )


def test_page_shows_both_names_side_by_side(olga: User, held: QuarantinedGroup) -> None:
    page = signed_in(olga).get("/desk/quarantine/").content.decode()
    assert "Garcia, Maria" in page
    assert "Lopez, Ana" in page
    assert page.count("Apr 12, 1986") == 2
    assert "3 files dropped on" in page


def test_decision_needs_a_reason(olga: User, held: QuarantinedGroup) -> None:
    for verb in ("accept", "discard"):
        response = signed_in(olga).post(f"/desk/quarantine/{held.pk}/{verb}", {"reason": " "})
        assert response.status_code == 422
        assert "Write down why." in response.content.decode()
    held.refresh_from_db()
    assert held.state == QuarantinedGroup.State.HELD


def test_accepted_files_go_to_the_worker_with_the_reason_in_the_trail(
    olga: User, smile: Practice, held: QuarantinedGroup
) -> None:
    assert signed_in(olga).post(f"/desk/quarantine/{held.pk}/accept", {"reason": WHY}).status_code == 302
    held.refresh_from_db()
    assert held.state == QuarantinedGroup.State.ACCEPTED
    assert Job.objects.filter(subject_id=held.pk).exists()
    resolved = next(entry for entry in latest(smile.pk, 5) if entry.words == "Quarantined study resolved")
    assert resolved.private["reason"] == WHY
    assert resolved.who == "Olga Officer"


def test_discarded_files_are_gone_from_the_page(olga: User, held: QuarantinedGroup) -> None:
    client = signed_in(olga)
    assert client.post(f"/desk/quarantine/{held.pk}/discard", {"reason": WHY}).status_code == 302
    assert "Nothing is held." in client.get("/desk/quarantine/").content.decode()


def test_second_decision_is_told_that_there_was_a_first(olga: User, held: QuarantinedGroup) -> None:
    client = signed_in(olga)
    client.post(f"/desk/quarantine/{held.pk}/discard", {"reason": WHY})
    assert client.post(f"/desk/quarantine/{held.pk}/accept", {"reason": WHY}).status_code == 409
