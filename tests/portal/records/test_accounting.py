"""F12 and R17: the accounting of disclosures, on screen and as files, complete, labelled, safe."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest

from portal.audit.models import AuditEntry
from portal.audit.verify import verify
from portal.records.accounting import YEARS, _years_before, accounting_of, released_in_words
from portal.records.accounting_files import inert
from portal.records.disclosures import disclose, note
from portal.records.models import DisclosureEvent
from tests.cast import actor_of, signed_in

KINDS = DisclosureEvent.Kind


@pytest.fixture
def disclosed(pat, dana, clock):
    """Three disclosures of Pat's: to her, to a dentist who looked, and one that went to a wrong number."""
    base = {
        "purpose": "referral",
        "description": "Cone-beam CT: Series 1",
        "consent": True,
        "allows_download": True,
        "actor": actor_of(dana),
    }
    own = disclose(
        pat, recipient_kind="patient", recipient_name="Maria Garcia", recipient_address="+12015550123", **base
    )
    clock.advance(seconds=1)
    dentist = disclose(
        pat,
        recipient_kind="dentist",
        recipient_name="=HYPERLINK(1)",
        recipient_address="riley@endo.example",
        **base,
    )
    clock.advance(seconds=1)
    wrong = disclose(
        pat, recipient_kind="patient", recipient_name="Maria Garcia", recipient_address="+12015550999", **base
    )
    note(own.pk, KINDS.DOWNLOADED, length_bytes=3_400_000)
    note(dentist.pk, KINDS.VIEWED, series="a")
    note(dentist.pk, KINDS.VIEWED, series="a")
    note(dentist.pk, KINDS.VIEWED, series="b")
    note(wrong.pk, KINDS.WRONG_NUMBER)
    return own, dentist, wrong


def test_f12_every_disclosure_of_six_years_with_its_label(pat, disclosed, clock):
    wrong, dentist, own = accounting_of(pat)
    assert (own.recipient, own.address, own.what) == (
        "Maria Garcia",
        "+12015550123",
        "Cone-beam CT: Series 1",
    )
    assert (own.label, own.is_accountable) == ("Exempt: to the patient, or who acts for them", False)
    assert own.released == "Downloaded, 3.4 MB"
    assert own.by == "Dana Desk"
    assert (dentist.label, dentist.is_accountable) == ("Exempt: for care", False)
    assert dentist.released == "2 sets of pictures opened"
    assert (wrong.is_accountable, wrong.released) == (True, "Nothing was opened")
    clock.advance(days=6 * 365 - 2)
    assert len(accounting_of(pat)) == 3
    clock.advance(days=10)
    assert accounting_of(pat) == []


def test_f12_nothing_is_counted_as_released_that_was_not():
    assert released_in_words([DisclosureEvent(kind=KINDS.OPENED), DisclosureEvent(kind=KINDS.VERIFIED)]) == (
        "Nothing was opened"
    )
    assert released_in_words([DisclosureEvent(kind=KINDS.UNDONE)]) == "Taken back before it was sent"


@pytest.mark.parametrize("text", ["=1+1", "+12015550123", "-2", "@SUM(A1)", "\t=1", "\r=1"])
def test_f12_no_cell_is_a_formula(text):
    assert inert(text) == f"'{text}"
    assert inert(f"Dr. {text}") == f"Dr. {text}"


def test_f12_as_csv(pat, disclosed, olga):
    answer = signed_in(olga).get(f"/desk/patients/{pat.pk}/accounting?as=csv")
    assert answer["Content-Disposition"] == 'attachment; filename="accounting.csv"'
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:3] == ["Date", "Who got it", "Address"]
    assert len(rows) == 4
    assert all(date.fromisoformat(row[0]) for row in rows[1:])
    assert rows[2][1].startswith("'=HYPERLINK(1)")
    assert rows[3][2] == "'+12015550123"
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@" and cell]


def test_f12_as_pdf_and_as_accessible_html_in_the_patients_language(pat, disclosed, olga, smile):
    pat.language = "es"
    pat.save()
    officer = signed_in(olga)
    pdf = officer.get(f"/desk/patients/{pat.pk}/accounting?as=pdf")
    assert pdf.content.startswith(b"%PDF-")
    assert pdf["Content-Disposition"] == 'attachment; filename="accounting.pdf"'
    html = officer.get(f"/desk/patients/{pat.pk}/accounting?as=html").content.decode()
    assert '<html lang="es">' in html
    assert "<caption>" in html
    assert html.count('scope="row"') == 3
    assert not re.search(r"\d+/\d+/\d+", html)  # which one is the month?
    assert "Quién recibió sus imágenes dentales" in html
    assert AuditEntry.objects.filter(code="accounting.made", patient_id=pat.pk).count() == 2
    assert verify(smile.pk).finding is None


def test_f12_on_screen_for_the_privacy_officer_alone(pat, disclosed, olga, dana, mallory):
    page = signed_in(olga).get(f"/desk/patients/{pat.pk}/accounting").content.decode()
    assert "Accountable: it went to a wrong number" in page
    assert "=HYPERLINK(1)" in page
    assert signed_in(dana).get(f"/desk/patients/{pat.pk}/accounting").status_code == 403
    assert signed_in(olga).get(f"/desk/patients/{pat.pk}/accounting?as=exe").status_code == 400
    assert signed_in(mallory).get(f"/desk/patients/{pat.pk}/accounting").status_code in (403, 404)


def test_no_pdf_is_offered_that_would_lose_the_name(pat, disclosed, olga):
    page = f"/desk/patients/{pat.pk}/accounting"
    assert "?as=pdf" in signed_in(olga).get(page).content.decode()
    pat.given_name = "小龙"
    pat.save()
    told = signed_in(olga).get(page).content.decode()
    assert "?as=pdf" not in told
    assert "?as=html" in told


def test_long_accountings_fill_many_pages(pat, dana, olga):
    for number in range(120):
        disclose(
            pat,
            recipient_kind="dentist",
            recipient_name=f"Dr. {number} Łukasz",
            recipient_address="x@y.example",
            purpose="treatment",
            description="A very long title of a study, " * 8,
            consent=True,
            allows_download=False,
            actor=actor_of(dana),
        )
    pdf = signed_in(olga).get(f"/desk/patients/{pat.pk}/accounting?as=pdf")
    assert pdf.content.count(b"/Type /Page\n") > 10


def test_the_timeline_tells_it_in_plain_words(pat, disclosed, dana, mallory):
    page = signed_in(dana).get(f"/desk/patients/{pat.pk}/timeline").content.decode()
    assert (
        "Dana Desk shared Cone-beam CT: Series 1 with Maria Garcia (patient), to view and download." in page
    )
    assert "Maria Garcia downloaded the files." in page
    assert "The patient was added." in page
    assert signed_in(mallory).get(f"/desk/patients/{pat.pk}/timeline").status_code == 404


def test_the_moment_of_six_years_before_a_leap_day():
    leap_day = datetime(2028, 2, 29, tzinfo=UTC)
    assert _years_before(leap_day, YEARS) == datetime(2022, 2, 28, tzinfo=UTC)
    assert leap_day - _years_before(leap_day, YEARS) > timedelta(days=2190)
