"""F11: a curious colleague says why, and the privacy officer reads it."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.errors import NotFound
from portal.practice.models import Practice
from portal.records import activity_review, relation
from portal.records.holds import lift_hold, place_hold
from portal.records.models import Patient, Study
from portal.records.relation_rows import BrokenGlass
from tests.cast import actor_of, signed_in
from tests.conftest import MovableClock
from tests.viewer.conftest import made_study

pytestmark = pytest.mark.django_db
WHY = "Called in with a swollen cheek"


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    relation.forget()


@pytest.fixture
def study(pat: Patient) -> Study:
    return made_study(pat).study


@pytest.fixture
def quiet(study: Study, clock: MovableClock) -> Study:
    """A study of a patient nobody has had to do with for a month."""
    clock.advance(days=31)
    return study


def page_of(study: Study) -> str:
    return reverse("desk_study", kwargs={"study": study.pk})


def pixels_of(study: Study) -> list[str]:
    series = study.series.order_by("position")[0].pk
    return [
        reverse("desk_study_manifest", args=[study.pk]),
        reverse("desk_series_frames", args=[study.pk, series, 0, "0-1"]),
        reverse("desk_series_preview", args=[study.pk, series, "axial.webp"]),
        reverse("desk_series_slice", args=[study.pk, series, 0]),
        reverse("desk_study_heartbeat", args=[study.pk]),
        reverse("desk_study_download", args=[study.pk]),
    ]


def say_why(client: Client, study: Study, reason: str = WHY) -> int:
    return client.post(reverse("break_glass", args=[study.patient_id]), {"reason": reason}).status_code


def test_f11_whoever_has_to_do_with_the_patient_just_opens(study: Study, dana: User) -> None:
    assert signed_in(dana).get(page_of(study)).status_code == 200


def test_f11_unrelated_patient_opens_only_with_a_reason(quiet: Study, clara: User) -> None:
    client = signed_in(clara)
    for address in pixels_of(quiet):
        refused = client.get(address)
        assert refused.status_code == 403, address
        assert json.loads(refused.content)["next"] == reverse("break_glass", args=[quiet.patient_id])
    page = client.get(reverse("patient", args=[quiet.patient_id])).content.decode()
    assert "says why first" in page
    assert "/previews/" not in page, "no picture that could not be shown"
    assert say_why(client, quiet) == 302
    assert [client.get(address).status_code for address in pixels_of(quiet)] == [200, 200, 200, 200, 204, 200]
    assert "/previews/" in client.get(reverse("patient", args=[quiet.patient_id])).content.decode()


def test_f11_browser_is_led_to_the_question_and_back(quiet: Study, clara: User) -> None:
    client = signed_in(clara)
    asked = client.get(page_of(quiet), headers={"accept": "text/html"})
    assert asked.status_code == 302
    question = client.get(asked["Location"]).content.decode()
    assert "nothing to do with this patient" in question
    assert f'value="{page_of(quiet)}"' in question
    for reason in ("", "no"):
        refused = client.post(asked["Location"], {"reason": reason})
        assert refused.status_code == 422
    answer = client.post(asked["Location"], {"reason": WHY, "next": page_of(quiet)})
    assert answer["Location"] == page_of(quiet)
    elsewhere = {"reason": WHY, "next": "https://evil.example/"}
    assert client.post(asked["Location"], elsewhere)["Location"].startswith("/desk/patients/")


def test_f11_reason_is_sealed_audited_and_lasts_four_hours(
    quiet: Study, clara: User, dana: User, clock: MovableClock
) -> None:
    client = signed_in(clara)
    say_why(client, quiet)
    entry = AuditEntry.objects.get(code="access.glass-broken")
    assert (entry.actor_id, entry.patient_id) == (clara.pk, quiet.patient_id)
    assert b"swollen" not in bytes(entry.event)
    assert signed_in(dana).get(pixels_of(quiet)[0]).status_code == 403, "the reason is Clara's"
    relation.forget()
    clock.advance(hours=3)
    client = signed_in(clara)
    assert client.get(pixels_of(quiet)[0]).status_code == 200
    relation.forget()
    clock.advance(hours=2)
    assert signed_in(clara).get(pixels_of(quiet)[0]).status_code == 403


def test_f11_if_the_entry_can_not_be_written_nothing_opens(
    quiet: Study, clara: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*args: object, **named: object) -> None:
        raise RuntimeError("the trail is locked")

    monkeypatch.setattr(relation.trail, "record", locked)
    client = signed_in(clara)
    client.raise_request_exception = False
    assert say_why(client, quiet) == 500
    assert not BrokenGlass.objects.exists()
    assert client.get(pixels_of(quiet)[0]).status_code == 403


def test_f11_restricted_patient_asks_everybody_even_those_at_work(
    study: Study, pat: Patient, dana: User, olga: User
) -> None:
    client = signed_in(dana)
    hold = place_hold(pat, kind="restricted", reason="The patient asked for it", actor=actor_of(olga))
    relation.forget()
    assert client.get(pixels_of(study)[0]).status_code == 403
    assert "restricted" in client.get(reverse("break_glass", args=[pat.pk])).content.decode()
    say_why(client, study)
    assert client.get(pixels_of(study)[0]).status_code == 200
    assert BrokenGlass.objects.get().why == "restricted"
    lift_hold(hold, reason="The patient agrees", actor=actor_of(olga))


def test_f11_do_not_release_to_one_person_is_no_matter_of_the_staffs(
    study: Study, pat: Patient, dana: User, olga: User
) -> None:
    place_hold(pat, kind="person", name="Carlos Diaz", reason="Court order", actor=actor_of(olga))
    assert signed_in(dana).get(pixels_of(study)[0]).status_code == 200


def test_f11_who_added_the_images_has_to_do_with_them_for_a_year(
    quiet: Study, clara: User, clock: MovableClock
) -> None:
    Study.objects.filter(pk=quiet.pk).update(created_by=clara)
    assert signed_in(clara).get(pixels_of(quiet)[0]).status_code == 200
    relation.forget()
    clock.advance(days=340)
    assert signed_in(clara).get(pixels_of(quiet)[0]).status_code == 403


def test_f11_what_is_remembered_ends_soon_and_is_nobody_elses(
    quiet: Study, clara: User, dana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_why(signed_in(clara), quiet)
    assert signed_in(clara).get(pixels_of(quiet)[0]).status_code == 200
    BrokenGlass.objects.all().delete()
    assert signed_in(clara).get(pixels_of(quiet)[0]).status_code == 200, "for a few seconds"
    assert signed_in(dana).get(pixels_of(quiet)[0]).status_code == 403
    ahead = relation.time.monotonic() + relation.ALLOWED_FOR_S + 1
    monkeypatch.setattr(relation.time, "monotonic", lambda: ahead)
    assert signed_in(clara).get(pixels_of(quiet)[0]).status_code == 403


def test_f11_the_weekly_review_lists_each_with_its_reason(
    quiet: Study, clara: User, olga: User, smile: Practice, clock: MovableClock
) -> None:
    say_why(signed_in(clara), quiet)
    clock.advance(days=7)
    week = activity_review.weeks_of(smile)[0]
    assert week.counts["opened with a reason"] == 1
    assert [(entry.who, entry.private["reason"]) for entry in week.reasons] == [("Clara Clinician", WHY)]
    assert WHY in signed_in(olga).get(reverse("activity")).content.decode()


def test_f11_mallory_breaks_no_glass_next_door(quiet: Study, pat: Patient, mallory: User) -> None:
    assert say_why(signed_in(mallory), quiet) == 404
    with pytest.raises(NotFound):
        relation.break_glass(pat, reason=WHY, actor=actor_of(mallory))
