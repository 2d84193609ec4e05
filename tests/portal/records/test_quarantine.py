"""Files held back: looked at, thrown away, or taken with a reason."""

from __future__ import annotations

import json

import pytest

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.errors import AccessDenied, Conflict, InvalidInput, NotFound, Sealed
from portal.jobs.models import Job
from portal.jobs.run import run
from portal.practice.models import Practice
from portal.records.models import Patient, QuarantinedGroup, Study, VaultPack
from portal.records.quarantine import HeldSource, accept, discard, get_group, held_groups
from portal.records.vault import vault
from portal.sealed.keys import forget_keys
from tests.cast import actor_of, make_patient
from tests.portal.records.scans import Scan, Stored, series, taken

MAIDEN = Scan(name="Lopez^Maria", study_uid="1.2.3.500")
FILES = series(MAIDEN, 3)


@pytest.fixture
def maria(smile: Practice) -> Patient:
    return make_patient(smile)


@pytest.fixture
def group(maria: Patient) -> QuarantinedGroup:
    return taken(maria, FILES).quarantined.get()


def test_held_groups_are_the_practices_own(
    group: QuarantinedGroup, smile: Practice, bright: Practice
) -> None:
    assert held_groups(smile.pk) == [group]
    assert held_groups(bright.pk) == []
    assert get_group(smile.pk, group.pk) == group
    with pytest.raises(NotFound):
        get_group(bright.pk, group.pk)


def test_accepted_files_come_onto_the_chart_as_they_were(
    group: QuarantinedGroup, clara: User, maria: Patient
) -> None:
    accept(group, reason="Maiden name, same person", actor=actor_of(clara))
    assert held_groups(group.practice_id) == []
    assert not Study.objects.exists()
    job = Job.objects.get(kind="accept", subject_id=group.pk)
    run(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.DONE, job.failure
    study = Study.objects.get(patient=maria)
    assert Stored(study).originals() == list(FILES.values())
    assert list(group.upload.studies.all()) == [study]
    assert not vault().exists(group.pack)
    assert not VaultPack.objects.filter(name=group.pack).exists()
    group.refresh_from_db()
    assert (group.state, group.reason, group.resolved_by) == ("accepted", "Maiden name, same person", clara)
    entry = AuditEntry.objects.get(code="quarantine.resolved")
    assert json.loads(bytes(entry.event))["facts"]["decision"] == "accepted"
    assert b"Maiden" not in bytes(entry.event)


def test_the_job_of_an_accepted_group_may_come_twice(group: QuarantinedGroup, clara: User) -> None:
    accept(group, reason="Same person", actor=actor_of(clara))
    for _ in range(2):
        run(Job.objects.get(kind="accept").pk)
        Job.objects.filter(kind="accept").update(state=Job.State.QUEUED)
    assert Study.objects.count() == 1


def test_discarded_files_are_gone_with_their_key(group: QuarantinedGroup, olga: User) -> None:
    discard(group, reason="Another patient of ours", actor=actor_of(olga))
    forget_keys()
    assert not vault().exists(group.pack)
    with pytest.raises(Sealed):
        HeldSource(QuarantinedGroup.objects.get())
    assert not Study.objects.exists()


@pytest.mark.parametrize("decide", [accept, discard])
def test_a_decision_needs_the_right_a_reason_and_comes_once(  # type: ignore[no-untyped-def]
    group: QuarantinedGroup, dana: User, olga: User, mallory: User, decide
) -> None:
    with pytest.raises(AccessDenied):
        decide(group, reason="Because", actor=actor_of(dana))
    with pytest.raises(AccessDenied):
        decide(group, reason="Because", actor=actor_of(mallory))
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(InvalidInput) as refusal:
            decide(group, reason=reason, actor=actor_of(olga))
        assert refusal.value.details["field"] == "reason"
    assert held_groups(group.practice_id) == [group]
    decide(group, reason="Because", actor=actor_of(olga))
    with pytest.raises(Conflict):
        decide(group, reason="Because", actor=actor_of(olga))
