"""The whole walk on the screen: the desk takes in and shares, the patient opens, the dentist downloads."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from playwright.sync_api import Page, expect

from portal.phantom.dicom_writer import Projection, Visit, write_panoramic
from portal.phantom.people import InventedPatient
from portal.phantom.studies import TAKEN_ON, write_cbct
from tests.browser import desk_pages, share_pages
from tests.browser.conftest import OpenScreen
from tests.browser.likeness import likeness, windowed
from tests.browser.screen import Screen
from tests.browser.touch import pinch, swipe
from tests.chromium import wait_for_drawing
from tests.flows.desk import Desk, File, folder
from tests.flows.downloads import check_archive
from tests.flows.installation import Installation
from tests.flows.invented import SIZE, VOXEL_MM, Case, new_person, small_cbct, stored

PHONE = (320, 390)
BONE = 700, 3600  # the phantom's own window


# --- the desk and the patient ----------------------------------------------------------------------------------------


def test_p0_r28_dana_shares_a_scan_and_sees_the_patient_open_it(
    demo: Installation, screens: OpenScreen, tmp_path: Path
) -> None:
    person = new_person("Castellanos", "Beatriz", 1992)
    dana = screens("desk")
    dana.expects = {422}
    desk_pages.sign_in(dana, demo, "dana")
    find_by_keyboard(dana)
    desk_pages.add_patient(dana, person)
    dana.looked_at("desk-patient-empty")
    take_in_folder(dana, scan_folder(person, tmp_path))
    take_in_zip(dana, mixed_zip(person, tmp_path))
    link = share_by_enter(dana, demo, person)
    phone = screens("phone")
    phone.expects = {422}
    open_as_patient(phone, demo, link, person, dana)
    look_around(phone, tmp_path)
    desk_pages.expect_badge(dana.page, "Viewed")
    assert [one.split(":")[0] for one in desk_pages.statuses(dana.page)] == [
        "Queued", "Sent", "Link visited", "Opened", "Verified", "Viewed",
    ]  # fmt: skip
    dana.looked_at("desk-patient-viewed")
    read_activity_and_leave(phone)


def find_by_keyboard(dana: Screen) -> None:
    """The cursor is in the search box; a few letters, one arrow and Enter open the chart."""
    page = dana.page
    expect(page.locator("#search")).to_be_focused()
    dana.looked_at("desk")
    page.keyboard.type("whit")
    page.locator("#patients").get_by_text("1 patient").wait_for()
    dana.looked_at("desk-found")
    page.locator("#search").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Whitfield, Harold").wait_for()
    page.wait_for_load_state("load")  # by then the page's modules listen to its keys
    page.keyboard.press("/")
    page.wait_for_url("**/desk/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("xyzzy")
    page.locator("#patients").get_by_text("Nobody found").wait_for()
    page.locator("#search").fill("")


def scan_folder(person: InventedPatient, at: Path) -> Path:
    write_cbct(at / "SCAN" / "CT", person, size=SIZE, voxel_mm=VOXEL_MM)
    return at / "SCAN"


def mixed_zip(person: InventedPatient, at: Path) -> Path:
    """A panoramic of the patient, a note that is no image, and a slice of somebody else."""
    visit = Visit(person, TAKEN_ON, f"{person.chart_number}:1:{TAKEN_ON.isoformat()}")
    grey = np.clip(np.add.outer(np.arange(200) * 8, np.arange(400) * 6), 0, 4095).astype(np.uint16)
    picture = Projection(grey, 0.2, "Panoramic", ("L", "F"), "B")
    (at / "PX").mkdir()
    panoramic = write_panoramic(at / "PX", visit, picture)
    other = write_cbct(at / "other", new_person("Foreign", "Fiona", 1960), size=(1, 64, 64))
    with zipfile.ZipFile(at / "from-the-disc.zip", "w") as archive:
        archive.write(panoramic, "DISC/PX0001.dcm")
        archive.writestr("DISC/READ ME.txt", "Thank you for choosing our imaging centre.")
        archive.write(other[0], "DISC/CT0001.dcm")
    return at / "from-the-disc.zip"


def take_in_folder(dana: Screen, path: Path) -> None:
    page = dana.page
    desk_pages.drop(page, path)
    expect(page.locator("#drop [data-part=sending]")).to_be_visible()
    desk_pages.wait_until_stored(page)
    expect(page.locator("#record article h3")).to_have_text("Dental examination (synthetic)")
    expect(page.locator("#record .thumbnails img").first).to_be_visible()
    dana.looked_at("desk-patient-stored")


def take_in_zip(dana: Screen, path: Path) -> None:
    """What was refused and what is held is said on the chart, and the rest is there."""
    page = dana.page
    desk_pages.drop(page, path)
    desk_pages.wait_until_stored(page)
    upload = page.locator("#record .upload").first
    expect(upload).to_contain_text("One file was not taken.")
    expect(upload).to_contain_text("Some files are not this patient's.")
    upload.locator("summary").click()
    expect(upload.locator("li")).to_contain_text("READ ME.txt")
    dana.looked_at("desk-patient-refused")


def share_by_enter(dana: Screen, demo: Installation, person: InventedPatient) -> str:
    """Everything is filled in but the consent; Enter sends exactly the text that was shown. Returns the link."""
    page, before = dana.page, len(demo.outbox())
    page.reload()
    page.keyboard.press("s")
    page.wait_for_url("**/share")
    dana.looked_at("desk-share")
    page.get_by_label("Works for, in days").fill("14")
    page.keyboard.press("Enter")
    page.locator("main [role=alert]").wait_for()
    dana.looked_at("desk-share-errors")
    page.get_by_label("The patient agrees to this").check()
    # The words were rebuilt for 14 days; the page is the preview's own, so nothing is on its way any more.
    previewed = page.locator("#preview .preview-text").inner_text()
    page.get_by_label("Works for, in days").focus()
    page.keyboard.press("Enter")
    page.get_by_text("The message is on its way.").wait_for()
    sent = demo.next_message(person.phone, after=before, kind="link")
    assert sent.body == previewed.replace("•" * 22, sent.link.partition("#")[2])
    desk_pages.expect_badge(page, "Sent")
    return sent.link


def open_as_patient(
    phone: Screen, demo: Installation, link: str, person: InventedPatient, dana: Screen
) -> None:
    """Every step with its mistakes; the desk's page follows by itself."""
    page = phone.page
    page.goto(link)
    assert "#" not in page.url, "the key has left the address"
    phone.looked_at("patient-landing", widths=(*PHONE, 1280))
    assert desk_pages.badge(dana.page) == "Sent", "a page that was only loaded is not opened"
    share_pages.open_link(phone, link)
    phone.looked_at("patient-birthdate", widths=(*PHONE, 1280))
    share_pages.give_birthdate(phone, person.birthdate.replace(year=1991))
    expect(page.locator("[role=alert]")).to_contain_text("4 tries left")
    phone.looked_at("patient-birthdate-wrong", widths=PHONE)
    assert desk_pages.badge(dana.page) == "Sent", "nobody has answered yet"
    share_pages.give_birthdate(phone, person.birthdate)
    desk_pages.expect_badge(dana.page, "Opened")
    phone.looked_at("patient-code", widths=(*PHONE, 1280))
    code = share_pages.ask_code(phone, demo, person.phone)
    phone.looked_at("patient-verify", widths=(*PHONE, 1280))
    share_pages.give_code(phone, f"{(int(code) + 1) % 10**6:06}")
    expect(page.locator("[role=alert]")).to_contain_text("4 tries left")
    phone.looked_at("patient-verify-wrong", widths=PHONE)
    share_pages.give_code(phone, code)
    page.wait_for_url("**/s/view")
    phone.looked_at("patient-scans", widths=(*PHONE, 1280))
    page.get_by_role("link", name="CBCT").click()


def look_around(phone: Screen, at: Path) -> None:
    """The canvas shows the very slice; slider, swipe, pinch and views change it."""
    page = phone.page
    phone.wait_for_picture()
    stack = slices_in(folder(at / "SCAN"))
    expect(page.get_by_role("button", name="All teeth")).to_have_attribute("aria-pressed", "true")
    phone.looked_at("patient-viewer-all-teeth", widths=(*PHONE, 1280))
    page.get_by_role("button", name="From above").click()
    assert phone.likeness(windowed(stack[20], *BONE), above=0.97) > 0.97
    assert phone.place == "slice 21 of 40"
    phone.looked_at("patient-viewer", widths=(*PHONE, 1280))
    slider = page.locator("[data-part=slider]")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert phone.place == "slice 26 of 40"
    assert phone.likeness(windowed(stack[25], *BONE), above=0.97) > 0.97
    swipe(page, ((0, 60), (0, -60)))
    assert phone.place not in ("slice 26 of 40", "")
    wait_for_drawing(page)
    before = phone.pixels()
    pinch(page)
    wait_for_drawing(page)
    assert likeness(phone.pixels(), before) < 0.9, "the picture is nearer now"
    assert page.evaluate("visualViewport.scale") == 1, "and the page is not"
    page.get_by_role("button", name="Front").click()
    assert phone.likeness(windowed(stack[::-1, 48], *BONE), above=0.9) > 0.9
    phone.looked_at("patient-viewer-front", widths=PHONE)


def slices_in(files: list[File]) -> np.ndarray:
    """The slices in HU, head end last, as pydicom reads them."""
    read = [pydicom.dcmread(io.BytesIO(content)) for _, content in files]
    read.sort(key=lambda ds: float(ds.ImagePositionPatient[2]))
    return np.stack([ds.pixel_array + float(ds.RescaleIntercept) for ds in read])


def read_activity_and_leave(phone: Screen) -> None:
    page = phone.page
    page.get_by_role("link", name="Who opened my scan").click()
    expect(page.get_by_role("listitem")).not_to_have_count(0)
    phone.looked_at("patient-activity", widths=(*PHONE, 1280))
    page.get_by_role("button", name="Close").click()
    page.wait_for_url("**/s/done")
    phone.looked_at("patient-closed", widths=PHONE)
    phone.expects = {401, 422}
    page.goto("/s/view")
    phone.looked_at("patient-closed-again", widths=PHONE)
    expect(page.get_by_text("open the link in your message again")).to_be_visible()


# --- others with a link ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def case(clara: Desk, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A chart with a small scan; the preamble of its first file isn't empty."""
    person = new_person("Lindqvist", "Astrid", 1984)
    files = small_cbct(person, tmp_path_factory.mktemp("case"))
    name, first = files[0]
    files[0] = (name, b"MZ this was a program's head".ljust(128, b"\0") + first[128:])
    return stored(clara, person, files)


def test_d0_r28_a_dentist_follows_the_email_and_downloads_what_was_uploaded(
    demo: Installation, screens: OpenScreen, clara: Desk, case: Case, tmp_path: Path
) -> None:
    address = "riley.chen@endo-partners.example"
    facts = {"recipient_kind": "dentist", "recipient_name": "Dr. Riley Chen", "purpose": "referral"}
    link = clara.share(case.chart, channel="email", address=address, **facts)
    dentist = screens("desk")
    share_pages.open_link(dentist, link)
    dentist.looked_at("dentist-address")
    dentist.page.locator("#address").fill(address.upper())
    share_pages.submit(dentist)
    dentist.looked_at("dentist-code")
    code = share_pages.ask_code(dentist, demo, address)
    dentist.looked_at("dentist-verify")
    share_pages.give_code(dentist, code)
    dentist.wait_for_picture()
    dentist.looked_at("dentist-viewer")
    expect(dentist.page.get_by_role("link", name="Who opened the scan")).to_be_visible()
    with dentist.page.expect_download() as started:
        dentist.page.get_by_role("link", name="Download", exact=True).click()
    started.value.save_as(tmp_path / "scan.zip")
    assert started.value.suggested_filename == "scan.zip"
    check_archive(tmp_path / "scan.zip", [content for _, content in case.files])


def test_p12_revoking_takes_an_open_picture_away(
    demo: Installation, screens: OpenScreen, clara: Desk, case: Case
) -> None:
    phone = screens("phone")
    phone.expects = {410}
    share_pages.walk_in(
        phone, demo, clara.share(case.chart), born=case.person.birthdate, address=case.chart.mobile
    )
    phone.wait_for_picture()
    clara.revoke(case.chart)
    phone.page.locator("#viewer[data-state=ended]").wait_for()
    expect(phone.page.locator("canvas, #viewer img")).to_have_count(0)
    expect(phone.page.locator("#viewer")).to_contain_text("Access to these images has ended.")
    expect(phone.page.locator("#viewer")).to_contain_text("Smile Dental")
    phone.looked_at("patient-viewer-ended", widths=PHONE)


def test_p16_without_webgl_the_server_draws_the_slices(
    demo: Installation, screens: OpenScreen, clara: Desk, case: Case, chromium_without_webgl: object
) -> None:
    phone = screens("phone", browser=chromium_without_webgl)
    share_pages.walk_in(
        phone, demo, clara.share(case.chart), born=case.person.birthdate, address=case.chart.mobile
    )
    phone.wait_for_picture("floor")
    stack = slices_in(case.files)
    assert phone.likeness(windowed(stack[20], *BONE), above=0.97, part="image") > 0.97
    phone.page.locator("[data-part=slider]").focus()
    with phone.page.expect_response(re.compile(r"/slices/21\.webp$")):
        phone.page.keyboard.press("ArrowRight")
    assert phone.likeness(windowed(stack[21], *BONE), above=0.97, part="image") > 0.97
    phone.looked_at("patient-viewer-without-webgl", widths=PHONE)


def test_without_scripts_the_link_is_pasted_and_the_picture_is_there(
    demo: Installation, screens: OpenScreen, clara: Desk, case: Case
) -> None:
    link = clara.share(case.chart)
    phone = screens("phone", java_script_enabled=False)
    page = phone.page
    page.goto(link)
    page.get_by_role("link", name="Continue without scripts").click()
    phone.shot("patient-paste-390")
    page.get_by_label("The link from your message").fill(link)
    share_pages.submit(phone)
    share_pages.give_birthdate(phone, case.person.birthdate)
    share_pages.give_code(phone, share_pages.ask_code(phone, demo, case.chart.mobile))
    picture = page.locator("noscript img, .viewer-floor img").first
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", SIZE[2])
    phone.shot("patient-viewer-without-scripts-390")
    page.get_by_label("Picture, 1 to 40").fill("7")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".viewer-floor img").first).to_have_attribute("src", re.compile(r"/slices/6\.webp$"))


def test_p17_the_whole_way_in_spanish_on_a_small_phone(
    demo: Installation, screens: OpenScreen, clara: Desk, case: Case
) -> None:
    link = clara.share(case.chart, language="es")
    assert "tiene un escaneo dental" in demo.sent_to(case.chart.mobile)[-1].body
    phone = screens("small")
    page = phone.page
    page.goto(link)
    with page.expect_navigation():
        page.get_by_role("button", name="Español").click()
    in_spanish(phone, "spanish-landing")
    page.locator("[data-open-form] button").click()
    page.wait_for_url("**/s/birthdate")
    in_spanish(phone, "spanish-birthdate")
    share_pages.give_birthdate(phone, case.person.birthdate)
    in_spanish(phone, "spanish-code")
    code = share_pages.ask_code(phone, demo, case.chart.mobile)
    in_spanish(phone, "spanish-verify")
    share_pages.give_code(phone, code)
    phone.wait_for_picture()
    in_spanish(phone, "spanish-viewer")
    page.get_by_role("link", name="Quién").click()
    in_spanish(phone, "spanish-activity")


def in_spanish(screen: Screen, name: str) -> None:
    """No English word stands on the page, and the page says that it is Spanish."""
    screen.looked_at(name, widths=(320, 390))
    assert screen.page.locator("html").get_attribute("lang") == "es"
    left = english_words(screen.page)
    assert not left, f"{name}: {left}"


def english_words(page: Page) -> set[str]:
    # The demo's banner and the titles of the desk's files stay as they are.
    text = page.locator("main").inner_text()
    return set(
        re.findall(r"\b(?:the|your|you|code|slice|continue|picture|loading|who|open(?:ed)?)\b", text, re.I)
    )
