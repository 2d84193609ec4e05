"""How long images are kept: years, warnings, legal holds, and two people at the end. The trail stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.clock import now
from portal.errors import Conflict, InvalidInput, NotFound
from portal.jobs.sweep import SWEEPERS
from portal.practice.models import Practice
from portal.records import retention, shredding
from portal.records.models import Disclosure, DisclosureEvent, Patient, Study
from portal.records.retention_rows import LegalHold, RetentionWarning
from portal.records.shredding_rows import Shredding
from sharing.destruction import destroy
from tests.cast import actor_of, make_patient, signed_in
from tests.conftest import MovableClock
from tests.sharing.conftest import make_study
from tests.viewer.conftest import made_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(pat: Patient) -> Study:
    return made_study(pat).study


@pytest.fixture
def kept(smile: Practice, study: Study, olga: User) -> Practice:
    """A practice that keeps images for seven years."""
    retention.set_years(smile, 7, actor=actor_of(olga))
    return Practice.objects.get(pk=smile.pk)


@pytest.fixture(autouse=True)
def _look_again(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(retention, "_looked_at", -float(retention.EVERY_S))
    return


def days_until_the_end(practice: Practice) -> int:
    today = now().date()
    return (today.replace(year=today.year + 7) - today).days


def test_without_years_nothing_ends(smile: Practice, study: Study, clock: MovableClock) -> None:
    clock.advance(days=365 * 40)
    assert retention.endings_of(smile) == []


@pytest.mark.parametrize("years", [0, 5, 101])
def test_less_than_six_years_is_refused_by_form_verb_and_database(
    smile: Practice, olga: User, years: int
) -> None:
    assert signed_in(olga).post(reverse("keep_years"), {"years": years}).status_code == 422
    with pytest.raises(InvalidInput):
        retention.set_years(smile, years, actor=actor_of(olga))
    with pytest.raises(IntegrityError), transaction.atomic():
        Practice.objects.filter(pk=smile.pk).update(keep_years=years)


def test_another_practices_years_are_not_mine(bright: Practice, olga: User) -> None:
    with pytest.raises(NotFound):
        retention.set_years(bright, 7, actor=actor_of(olga))


def test_warnings_are_written_once_each_at_90_30_7_days_and_at_the_end(
    kept: Practice, study: Study, clock: MovableClock
) -> None:
    def told() -> list[int]:
        retention.warn(kept)
        rows = AuditEntry.objects.filter(code__startswith="retention.end", study_id=study.pk).order_by("n")
        return [int(bytes(row.event).partition(b'"days":')[2].partition(b"}")[0]) for row in rows]

    clock.advance(days=days_until_the_end(kept) - 92)
    assert told() == []
    clock.advance(days=3)
    assert told() == told() == [90]
    clock.advance(days=60)
    assert told() == [90, 30]
    clock.advance(days=25)
    assert told() == [90, 30, 7]
    clock.advance(days=10)
    assert told() == told() == [90, 30, 7, 0]


def test_the_sweep_writes_them(kept: Practice, clock: MovableClock) -> None:
    assert "portal.records.retention.sweep_retention" in SWEEPERS
    clock.advance(days=days_until_the_end(kept) - 89)
    retention.sweep_retention()
    retention.sweep_retention()
    assert AuditEntry.objects.filter(code="retention.ends-soon").count() == 1


def test_r30_long_list_costs_no_more_questions_and_nobody_in_it_goes_unwarned(
    kept: Practice, study: Study, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.advance(days=days_until_the_end(kept) + 1)
    with CaptureQueriesContext(connection) as few:
        assert len(retention.endings_of(kept)) == 1
    clock.advance(days=-2)
    late = [make_study(make_patient(kept)) for _ in range(7)]
    clock.advance(days=2)
    Study.objects.filter(pk__in=[one.pk for one in late]).update(
        created_at=study.created_at + timedelta(days=1)
    )
    with CaptureQueriesContext(connection) as many:
        listed = retention.endings_of(kept)
    assert listed[0].study.pk == study.pk, "the oldest first"
    assert (len(listed), len(many)) == (8, len(few))
    monkeypatch.setattr(retention, "LISTED_MAX", 2)
    monkeypatch.setattr(retention, "WARNED_AT_ONCE", 3)
    assert len(retention.endings_of(kept)) == 2
    for written in (3, 6, 8, 8):
        retention.sweep_retention()
        assert RetentionWarning.objects.count() == written


def test_years_run_from_the_last_share_and_for_a_child_from_eighteen(
    kept: Practice, pat: Patient, study: Study, clock: MovableClock
) -> None:
    stored = study.created_at
    assert retention.ends_after(pat, stored, 7, kept).year == stored.year + 7
    child = make_patient(kept, "Leo", "Garcia", date(stored.year - 5, 2, 28))
    assert retention.ends_after(child, stored, 7, kept) == date(stored.year - 5 + 18 + 7, 2, 28)
    leap = make_patient(kept, "Ana", "Leap", date(2012, 2, 29))
    assert retention.ends_after(leap, stored, 7, kept) == date(2037, 3, 1)
    clock.advance(days=365 * 4)
    Disclosure.objects.create(
        practice=kept,
        patient=pat,
        recipient_kind="patient",
        recipient_name="Maria Garcia",
        recipient_address="+12065550142",
        purpose="patient-request",
        accounting="exempt-individual",
        description="CBCT",
        consent=True,
        allows_download=False,
        disclosed_at=now(),
    )
    clock.advance(days=365 * 3 + 10)
    assert retention.endings_of(kept) == []
    clock.advance(days=365 * 4)
    assert [one.has_ended for one in retention.endings_of(kept)] == [True]


def test_from_the_list_to_the_certificate_by_two_people(
    kept: Practice, study: Study, olga: User, omar: User, clock: MovableClock
) -> None:
    clock.advance(days=days_until_the_end(kept) - 10)
    asking = signed_in(omar)
    ask = {"study": str(study.pk)}
    assert "in 10 days" in asking.get(reverse("retention")).content.decode()
    assert asking.post(reverse("ask_retention"), ask).status_code == 400, "not before its time"
    clock.advance(days=11)
    asking, agreeing = signed_in(omar), signed_in(olga)
    assert 'name="study"' in asking.get(reverse("retention")).content.decode()
    assert asking.post(reverse("ask_retention"), ask).status_code == 302
    wish = Shredding.objects.get(study=study)
    assert "Kept for 7 years" in wish.reason
    assert asking.post(reverse("agree_shredding", args=[wish.pk])).status_code == 403
    done = agreeing.post(reverse("agree_shredding", args=[wish.pk]), follow=True).content.decode()
    assert "Certificate of destruction" in done
    assert retention.endings_of(kept) == []


# --- legal holds ---------------------------------------------------------------------------------------------------


def test_legal_hold_stops_destruction_warnings_and_asking(
    kept: Practice, pat: Patient, study: Study, olga: User, omar: User, clock: MovableClock
) -> None:
    wish = shredding.ask(study, reason="Taken of the wrong person", actor=actor_of(omar))
    client = signed_in(olga)
    client.post(reverse("legal_holds", args=[pat.pk]), {"reason": "Letter of the county court"})
    with pytest.raises(Conflict, match="legal hold"):
        destroy(wish, actor=actor_of(olga))
    shredding.withdraw(wish, actor=actor_of(omar))
    with pytest.raises(Conflict, match="legal hold"):
        shredding.ask(study, reason="Once more", actor=actor_of(omar))
    assert "Legal hold" in client.get(reverse("patient", args=[pat.pk])).content.decode()
    clock.advance(days=days_until_the_end(kept) + 1)
    assert retention.warn(kept) == 0
    client = signed_in(olga)
    page = client.get(reverse("retention")).content.decode()
    assert "Legal hold: stays" in page
    assert 'name="study"' not in page
    assert client.post(reverse("ask_retention"), {"study": str(study.pk)}).status_code == 409
    assert not Shredding.objects.exclude(state="withdrawn").exists()


def test_legal_hold_stops_no_share(pat: Patient, study: Study, olga: User, dana: User) -> None:
    retention.place_legal_hold(pat, reason="Letter of the court", actor=actor_of(olga))
    assert signed_in(dana).get(reverse("share", args=[pat.pk])).status_code == 200


def test_legal_hold_is_lifted_once_with_a_reason(
    kept: Practice, pat: Patient, study: Study, olga: User, omar: User
) -> None:
    hold = retention.place_legal_hold(pat, reason="Letter of the court", actor=actor_of(olga))
    client, address = signed_in(olga), reverse("lift_legal_hold", args=[hold.pk])
    assert client.post(address, {"reason": ""}).status_code == 400
    assert client.post(address, {"reason": "The case is closed"}).status_code == 302
    assert client.post(address, {"reason": "The case is closed"}).status_code == 409
    codes = list(AuditEntry.objects.filter(code__startswith="legal-hold").values_list("code", flat=True))
    assert sorted(codes) == ["legal-hold.lifted", "legal-hold.placed"]
    assert shredding.ask(study, reason="Now really", actor=actor_of(omar)).state == "asked"


def test_legal_holds_of_others_are_not_mine(pat: Patient, mallory: User, olga: User) -> None:
    with pytest.raises(NotFound):
        retention.place_legal_hold(pat, reason="Mine to say", actor=actor_of(mallory))
    hold = retention.place_legal_hold(pat, reason="Letter of the court", actor=actor_of(olga))
    with pytest.raises(NotFound):
        retention.lift_legal_hold(hold, reason="Mine to say", actor=actor_of(mallory))
    assert LegalHold.objects.get().lifted_at is None


# --- what never ends -----------------------------------------------------------------------------------------------


def test_r7_trail_and_disclosures_outlive_their_images_and_seven_years(
    kept: Practice, pat: Patient, study: Study, olga: User, omar: User, clock: MovableClock
) -> None:
    from tests.portal.test_who_may_do_what import make_things

    make_things(kept, omar)
    entries, disclosures = AuditEntry.objects.count(), Disclosure.objects.count()
    events = DisclosureEvent.objects.count()
    clock.advance(days=365 * 7 + 10)
    wish = shredding.ask(study, reason="Kept for seven years", actor=actor_of(omar))
    destroy(wish, actor=actor_of(olga))
    sweep_all()
    assert AuditEntry.objects.count() > entries
    assert Disclosure.objects.count() == disclosures
    assert DisclosureEvent.objects.count() >= events
    for table in ("audit_auditentry", "records_disclosure", "records_disclosureevent"):
        refused = pytest.raises(Exception, match="can only be added to")
        with refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")


def sweep_all() -> None:
    """Every sweeper that touches rows; backups and checkpoints have their own tests."""
    from importlib import import_module

    for path in SWEEPERS:
        module, _, name = path.rpartition(".")
        if not module.startswith(("portal.backups", "portal.audit")):
            sweeper: Any = getattr(import_module(module), name)
            sweeper()


def test_the_day_is_kept_nowhere_for_it_would_tell_a_childs_birthday() -> None:
    from portal.records.retention_rows import RetentionWarning

    assert {field.name for field in RetentionWarning._meta.fields} == {"study", "days"}
    assert timedelta(days=retention.WARN_DAYS[0]) == timedelta(days=90)
