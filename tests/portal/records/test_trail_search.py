"""Searching and exporting the trail as the privacy officer does."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from portal.audit.models import AuditEntry
from tests.cast import make_patient, signed_in

pytestmark = pytest.mark.django_db


def _page(client, **asked) -> str:
    return client.get("/desk/trail/", asked).content.decode()


def _table(page: str) -> str:
    return page.partition("<tbody>")[2]


def test_by_whom_by_what_and_by_whose_record(dana, clara, olga, smile, pat):
    other = make_patient(smile, "Ana", "Lopez")
    signed_in(dana).get(reverse("patient", args=[pat.pk]))
    signed_in(clara).get(reverse("patient", args=[other.pk]))
    client = signed_in(olga)
    by_dana = _table(_page(client, actor=str(dana.pk)))
    assert "Dana Desk" in by_dana
    assert "Clara" not in by_dana
    about_other = _table(_page(client, patient=str(other.pk)))
    assert "Clara Clinician" in about_other
    assert "Dana Desk" not in about_other
    assert "page opened" in _table(_page(client, subject="patients"))
    assert "page opened" not in _table(_page(client, subject="images"))


def test_what_was_refused_is_found_by_itself(dana, olga, pat):
    signed_in(dana).get("/desk/trail/")
    found = _table(_page(signed_in(olga), subject="refused"))
    assert "Access refused" in found
    assert "Signed in" not in found


def test_days_are_the_practices_own_and_the_last_counts_whole(dana, olga, smile, pat, clock):
    smile.time_zone = "Pacific/Kiritimati"  # fourteen hours ahead of UTC
    smile.save()
    signed_in(dana).get(reverse("patient", args=[pat.pk]))
    entry = AuditEntry.objects.filter(code="patient.opened").latest("n")
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    day = entry.at.astimezone(ZoneInfo(smile.time_zone)).date()
    client = signed_in(olga)
    assert "page opened" in _table(_page(client, since=day, until=day))
    yesterday = day - timedelta(days=1)
    assert "page opened" not in _table(_page(client, since=yesterday, until=yesterday))
    backwards = client.get("/desk/trail/", {"since": day, "until": yesterday})
    assert backwards.status_code == 422
    assert "before the first" in backwards.content.decode()


def test_older_entries_are_a_page_away(dana, olga, smile, monkeypatch):
    monkeypatch.setattr("portal.records.views.trail.SHOWN", 2)
    page = _page(signed_in(olga))
    assert "Older entries" in page
    n = int(page.partition('name="before" value="')[2].partition('"')[0])
    older = _page(signed_in(olga), before=n)
    assert f">{n}<" not in _table(older)
    assert f">{n - 1}<" in _table(older)


def test_somebody_elses_patient_or_staff_finds_nothing(dana, olga, pat, mallory, bright):
    from portal.accounts.models import Role
    from tests.cast import make_staff

    signed_in(dana).get(reverse("patient", args=[pat.pk]))
    spy = signed_in(make_staff(bright, Role.OWNER, "Mallory Owner"))
    assert "Nothing was found" in _page(spy, patient=str(pat.pk))
    assert spy.get("/desk/trail/", {"actor": str(dana.pk)}).status_code == 422, "not one of the choices"


def test_the_export_holds_what_was_asked_and_is_itself_an_entry(dana, olga, pat):
    signed_in(dana).get(reverse("patient", args=[pat.pk]))
    client = signed_in(olga)
    answer = client.post(reverse("export_trail"), {"format": "csv", "actor": str(dana.pk)})
    raw = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert "Dana Desk" in raw
    assert answer["Content-Disposition"] == 'attachment; filename="trail.csv"'
    entry = AuditEntry.objects.latest("n")
    facts = json.loads(bytes(AuditEntry.objects.get(code="audit.exported").event))["facts"]
    assert entry.practice_id
    assert facts == {"format": "csv", "entries": raw.count("\r\n") - 1}


def test_the_fhir_export_is_a_resource_a_line(dana, olga, pat):
    signed_in(dana).get(reverse("patient", args=[pat.pk]))
    answer = signed_in(olga).post(reverse("export_trail"), {"format": "fhir"})
    lines = b"".join(answer.streaming_content).splitlines()
    assert answer["Content-Type"] == "application/fhir+ndjson"
    assert {json.loads(line)["resourceType"] for line in lines} == {"AuditEvent"}


def test_if_the_entry_can_not_be_written_no_byte_leaves(olga, monkeypatch):
    from portal.errors import Unavailable

    def broken(code, **named):
        raise Unavailable

    client = signed_in(olga)
    monkeypatch.setattr("portal.records.views.trail.audit.record_alone", broken)
    answer = client.post(reverse("export_trail"), {"format": "csv"})
    assert answer.status_code == 503
    assert not answer.streaming
    assert "Content-Disposition" not in answer
