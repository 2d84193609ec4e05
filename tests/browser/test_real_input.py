"""Real images, the whole way: uploaded as a folder and as a ZIP, shared, seen in a browser, downloaded byte for byte.

As a folder they go to one practice and as a ZIP to the other: one practice keeps an object on one chart only.
"""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pydicom.dataset import Dataset

from tests.browser import share_pages
from tests.browser.conftest import OpenScreen
from tests.browser.likeness import likeness
from tests.browser.real_pictures import Picture, pictures, read
from tests.browser.screen import Screen
from tests.flows.desk import Chart, Desk, File, zipped
from tests.flows.downloads import check_archive
from tests.flows.installation import Installation
from tests.flows.invented import new_person

INPUTS = [
    "cbct_synthetic",
    "dental/pano_real.dcm",
    "dental/ceph_lateral.dcm",
    "head_ct_cranium",
    "head_phantom_philips",
    "cbct_synthetic_enhanced",
]
CASES = [
    pytest.param(name, form, id=f"{Path(name).stem}-{form}") for name in INPUTS for form in ("folder", "zip")
]
# The card's filter and Pillow's differ a little, most where a narrow window makes noise black and white.
ALIKE = 0.95
# A head is nearly its own mirror image: the wrong side is told by how much further it is from 1.
FURTHER = 1.2


@pytest.fixture(scope="session")
def mallory(demo: Installation) -> Desk:
    """The desk of the other practice."""
    return Desk(demo, "mallory").sign_in()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "form"), CASES)
def test_real_images_go_the_whole_way(
    name: str, form: str, demo: Installation, screens: OpenScreen, clara: Desk, mallory: Desk, data_dir: Path
) -> None:
    datasets, files = read(data_dir / name), contents(data_dir / name)
    desk = clara if form == "folder" else mallory
    chart = chart_for(desk, datasets[0])
    told = desk.upload(chart, files if form == "folder" else [("disc.zip", zipped(files))])
    assert (told["state"], told["refused"], told["quarantined"]) == ("done", [], 0), told
    screen = screens("desk")
    share_pages.walk_in(screen, demo, desk.share(chart), born=chart.birthdate, address=chart.mobile)
    for picture in pictures(datasets):
        check_picture(
            screen, picture, f"real-{Path(name).stem}-{picture.title[:9].strip()}".replace(" ", "-")
        )
    check_download(screen, [content for _, content in files])


def contents(path: Path) -> list[File]:
    """The files with their names below the dropped folder."""
    paths = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    return [(str(one.relative_to(path.parent)), one.read_bytes()) for one in paths]


def chart_for(desk: Desk, ds: Dataset) -> Chart:
    """A chart of the name and birth date that the files tell; what they don't tell is made up."""
    born, name = ds.get("PatientBirthDate"), ds.PatientName
    birthdate = date(int(born[:4]), int(born[4:6]), int(born[6:])) if born else date(1970, 1, 1)
    phone = new_person("Any", "One", 1970).phone
    return desk.add_patient(name.family_name, name.given_name or "Unknown", birthdate, mobile=phone)


def check_picture(screen: Screen, picture: Picture, name: str) -> None:
    """The canvas shows this picture, the same side left and the same side up, bright where it is bright."""
    screen.wait_for_picture()
    chooser = screen.page.locator("[data-part=series] button", has_text=picture.name)
    if chooser.is_visible():
        chooser.click()
        expect(chooser).to_have_attribute("aria-pressed", "true")
    screen.wait_for_picture()
    if (above := screen.page.get_by_role("button", name="From above")).is_visible():
        screen.shot(f"{name}-first")
        above.click()
        screen.wait_for_picture()
    count = screen.page.locator("[data-part=slider]").get_attribute("max")
    assert count == str(picture.count - 1)
    expected = picture.grey
    found = screen.likeness(expected, above=ALIKE)
    shown = screen.pixels()
    screen.looked_at(name)
    others = {
        "mirrored": likeness(shown, expected[:, ::-1]),
        "upside down": likeness(shown, expected[::-1]),
        "inverted": likeness(shown, 255 - expected),
    }
    assert found > ALIKE, f"{name}: {found:.3f}, {others}"
    assert all(1 - other > FURTHER * (1 - found) for other in others.values()), (
        f"{name}: {found:.3f}, {others}"
    )


def check_download(screen: Screen, uploaded: list[bytes]) -> None:
    with screen.page.expect_download() as started:
        screen.page.get_by_role("link", name="Download", exact=True).click()
    check_archive(io.BytesIO(started.value.path().read_bytes()), uploaded)
