"""Dropping images on a patient's page, in a real browser: sent, stored, refused, resumed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright, Route, expect

from portal.accounts.models import User
from portal.jobs.models import Job
from portal.jobs.run import run
from portal.records.models import Patient, Study, Upload, UploadedFile
from tests.cast import make_patient, signed_in
from tests.chromium import launch

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(live_server: Any, dana: User, playwright: Playwright) -> Iterator[Page]:
    """Dana's browser."""
    browser = launch(playwright)
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=live_server.url)
    cookie = signed_in(dana).cookies["staff"].value
    context.add_cookies([{"name": "staff", "value": cookie, "url": live_server.url}])
    yield context.new_page()
    browser.close()


@pytest.fixture
def folder(tmp_path: Path, data_dir: Path) -> Path:
    """What a patient brings on a stick: a picture, a letter, and what Windows leaves everywhere."""
    made = tmp_path / "stick"
    made.mkdir()
    shutil.copy(data_dir / "dental" / "pano_real.dcm", made / "IM000001")
    (made / "letter.txt").write_text("Dear colleague")
    (made / "Thumbs.db").write_bytes(b"nothing")
    return made


@pytest.fixture
def nobody(smile: Any) -> Patient:
    """The patient as the picture's own header has them: someone took the name out."""
    return make_patient(smile, "XX", "XX", date(1900, 1, 1))


def work() -> None:
    """Do what the worker would."""
    for job in Job.objects.filter(state=Job.State.QUEUED):
        run(job.pk)


def choose(page: Page, patient: Patient, part: str, files: Any) -> None:
    page.goto(f"/desk/patients/{patient.pk}/")
    page.set_input_files(f"[data-part={part}]", files)


def test_folder_is_sent_stored_and_shown(page: Page, nobody: Patient, folder: Path) -> None:
    choose(page, nobody, "folder", folder)
    expect(page.locator("#drop [data-part=sentence]")).to_have_text("The images are being read and sealed.")
    assert sorted(file.name for file in UploadedFile.objects.all()) == ["stick/IM000001", "stick/letter.txt"]
    work()
    expect(page.locator("#record .study")).to_have_count(1)
    expect(page.locator("#record .upload")).to_contain_text("The images are stored.")
    expect(page.locator("#drop [data-part=sending]")).to_be_hidden()
    page.get_by_text("Which, and why").click()
    expect(page.locator("#record .refused")).to_contain_text("letter.txt")
    picture = page.locator("#record .thumbnails img").first
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 0
    assert Study.objects.get().patient == nobody


def test_somebody_elses_images_are_held(page: Page, pat: Patient, folder: Path) -> None:
    choose(page, pat, "folder", folder)
    expect(page.locator("#drop [data-part=sentence]")).to_have_text("The images are being read and sealed.")
    work()
    expect(page.locator("#record .upload")).to_contain_text("Some files are not this patient's.")
    expect(page.locator("#record .study")).to_have_count(0)


@pytest.mark.slow
def test_large_file_is_sent_in_pieces_and_goes_on_after_lost_answers(
    page: Page, nobody: Patient, tmp_path: Path
) -> None:
    large = tmp_path / "volume.bin"
    large.write_bytes(bytes(range(256)) * (9 * 1024 * 1024 // 256))
    lost: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        if route.request.method == "PATCH" and not lost:
            lost.append(route.request.url)
            # The server takes the piece, but the browser never hears of it.
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/desk/uploads/*/files/*", lose_the_first_answer)
    choose(page, nobody, "files", large)
    expect(page.locator("#drop [data-part=sentence]")).to_have_text(
        "The images are being read and sealed.", timeout=90_000
    )
    file = UploadedFile.objects.get()
    assert lost
    assert file.offset == file.length == 9 * 1024 * 1024


def test_upload_goes_on_after_the_page_was_reloaded(page: Page, nobody: Patient, tmp_path: Path) -> None:
    first, second = tmp_path / "a.dcm", tmp_path / "b.dcm"
    first.write_bytes(b"a" * 1000)
    second.write_bytes(b"b" * 1000)
    finish = "**/desk/uploads/*/finish"
    page.route(finish, lambda route: route.abort())
    choose(page, nobody, "files", [first, second])
    expect(page.locator("#drop [data-part=sentence]")).to_contain_text("did not start")
    page.unroute(finish)
    choose(page, nobody, "files", [first, second])
    expect(page.locator("#drop [data-part=sentence]")).to_have_text("The images are being read and sealed.")
    assert Upload.objects.count() == 1
    assert UploadedFile.objects.count() == 2


def test_what_a_tab_remembers_names_nobody(page: Page, nobody: Patient, tmp_path: Path) -> None:
    named = tmp_path / "GARCIA_MARIA.dcm"
    named.write_bytes(b"a" * 1000)
    page.route("**/desk/uploads/*/finish", lambda route: route.abort())
    choose(page, nobody, "files", named)
    expect(page.locator("#drop [data-part=sentence]")).to_contain_text("did not start")
    kept = page.evaluate("JSON.stringify([Object.entries(sessionStorage), Object.entries(localStorage)])")
    assert "/desk/uploads/" in kept
    assert "garcia" not in kept.lower()


def test_refused_upload_says_why(page: Page, nobody: Patient, tmp_path: Path) -> None:
    file = tmp_path / "a.dcm"
    file.write_bytes(b"a" * 1000)
    answer = (
        '{"title": "The disk is full", "status": 507, "detail": "The disk is full, so nothing was stored."}'
    )
    page.route(
        f"**/desk/patients/{nobody.pk}/uploads",
        lambda route: route.fulfill(status=507, content_type="application/problem+json", body=answer),
    )
    choose(page, nobody, "files", file)
    expect(page.locator("#drop [data-part=sentence]")).to_have_text(
        "The disk is full, so nothing was stored."
    )
