"""What the terminal shows: enough to walk the demo, one owner link for a real installation."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import segno

from portal.serving import greeting

DEMO = {
    "base_url": "http://127.0.0.1:8123",
    "staff": [
        {
            "email": "dana@smile.example",
            "password": "correct horse battery",
            "totp_secret": "JBSWY3DPEHPK3PXP",
            "role": "front_desk",
            "practice": "Smile Dental",
        }
    ],
    "shares": [
        {
            "link": "http://127.0.0.1:8123/s/#TOKEN",
            "recipient": "patient",
            "recipient_name": "Maria Garcia",
            "patient": "Maria Garcia",
            "practice": "Smile Dental",
            "birthdate": "1986-04-12",
            "address": "+15550100199",
            "allows_download": True,
        },
        {
            "link": "http://127.0.0.1:8123/s/#OTHER",
            "recipient": "dentist",
            "recipient_name": "Dr. Riley Chen",
            "patient": "Harold Whitfield",
            "practice": "Smile Dental",
            "birthdate": "1951-11-03",
            "address": "riley@endo.example",
            "allows_download": True,
        },
    ],
}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "demo.json").write_text(json.dumps(DEMO))
    return tmp_path


def test_demo_shows_all_that_the_walk_needs(state: Path) -> None:
    words = greeting.of_demo(state, with_qr=False)
    person, (patient, dentist) = DEMO["staff"][0], DEMO["shares"]
    pages = ["http://127.0.0.1:8123/demo/", "http://127.0.0.1:8123/demo/outbox"]
    shown = [*pages, person["email"], person["password"], person["totp_secret"]]
    asked = [patient["link"], patient["birthdate"], dentist["link"], dentist["address"]]
    for fact in [*shown, *asked]:
        assert fact in words


def test_each_link_says_whose_it_is(state: Path) -> None:
    words = greeting.of_demo(state, with_qr=False)
    assert "The link of Maria Garcia, the patient, from Smile Dental" in words
    assert "The link of Dr. Riley Chen, the referring dentist of Harold Whitfield, from Smile Dental" in words


def test_qr_holds_the_first_account_for_a_code_app(state: Path) -> None:
    uri = "otpauth://totp/Scanpass%3Adana%40smile.example?secret=JBSWY3DPEHPK3PXP&issuer=Scanpass"
    drawing = io.StringIO()
    segno.make(uri, error="l").terminal(out=drawing, compact=True)
    assert drawing.getvalue() in greeting.of_demo(state, with_qr=True)
    assert drawing.getvalue() not in greeting.of_demo(state, with_qr=False)


def test_first_serve_shows_the_owner_link_once() -> None:
    assert (
        greeting.of_first_serve("http://127.0.0.1:8000/setup/x").count("http://127.0.0.1:8000/setup/x") == 1
    )


def test_ready_line_is_what_scripts_wait_for() -> None:
    assert greeting.ready_line(8000) == "Scanpass is running at http://127.0.0.1:8000 — press Ctrl-C to stop."
