"""Odd input, the whole way: uploaded at the desk, shared, opened in Chromium; shown as it is, or told in words."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Locator, expect
from pydicom.uid import generate_uid

from tests.browser import share_pages
from tests.browser.conftest import OpenScreen
from tests.browser.likeness import likeness
from tests.browser.odd_series import WAYS, OddHead, OddSeries, as_if_of
from tests.browser.screen import Screen
from tests.flows.desk import Chart, Desk, zipped
from tests.flows.installation import Installation
from tests.flows.invented import new_person
from tests.made_head import CEILINGS, DIALECTS, hounsfield, make_head
from tests.portal.dicom.test_v7_looks import by_pydicom

FAULTS = ["tilted", "uneven", "missing", "duplicate"]
FLAT = [
    "zoo/mono1_10bit_no_preamble", "zoo/palette_8bit.dcm", "zoo/palette_rle_2frames.dcm", "zoo/rgb_testpattern.dcm",
    "zoo/rgb16_2frames.dcm", "zoo/ybr_full_422.dcm", "zoo/ybr_full_jpeg.dcm", "syntaxes/ct_rle.dcm",
    "syntaxes/ct_jls80_lossless.dcm", "syntaxes/ct_j2k90_lossless.dcm",
]  # fmt: skip
WORDS = {
    "zoo/seg_binary.dcm": "marks regions of another picture",
    "zoo/sr_no_pixels.dcm": "no picture",
    "zoo/encapsulated_pdf.dcm": "no picture",
}
# Of every file of the generator.
HEADS_WINDOW = (800, 4000)
CANVAS_SIZE = """() => {
  const { height, width } = document.querySelector("[data-part=canvas]");
  return [height, width];
}"""
# Made smaller by the card's filter and by Pillow's, a test pattern of fine lines differs most.
ALIKE = 0.9


@pytest.mark.slow
def test_v5_every_way_to_write_a_volume_ends_on_the_screen(
    demo: Installation, screens: OpenScreen, clara: Desk, tmp_path: Path
) -> None:
    """Each gives the same head from above, the same side left; what isn't sound goes slice by slice, and says so."""
    person = new_person("Odd", "Head", 1971)
    head = OddHead(person, tmp_path / "head")
    every = [*map(head.written, WAYS), head.oblique(), *map(head.faulty, FAULTS)]
    chart = clara.add_patient(person.family_name, person.given_name, person.birthdate, mobile=person.phone)
    files = [(f"{one.title}/{index}", data) for one in every for index, data in enumerate(one.files)]
    told = clara.upload(chart, [("disc.zip", zipped(files))])
    assert (told["state"], told["refused"], told["quarantined"]) == ("done", [], 0), told
    screen = opened(screens, demo, clara, chart)
    for one in every:
        check_series(screen, one)


def check_series(screen: Screen, odd: OddSeries) -> None:
    page = screen.page
    choose(screen, odd.title)
    notes = page.locator("[data-part=notes]")
    expect(notes).to_have_text(odd.notice)
    above = page.get_by_role("button", name="From above")
    assert above.is_visible() == (not odd.notice), odd.title
    if above.is_visible():
        above.click()
        screen.wait_for_picture()
        sides = [page.locator(f"[data-part=letter-{side}]").inner_text() for side in ("left", "right")]
        assert sides == ["Right", "Left"], odd.title
    assert page.locator("[data-part=slider]").get_attribute("max") == str(odd.count - 1), odd.title
    check_picture(screen, odd.grey, odd.title)


@pytest.mark.slow
def test_v7_every_kind_of_flat_picture_ends_on_the_screen(
    demo: Installation, screens: OpenScreen, clara: Desk, data_dir: Path
) -> None:
    """MONOCHROME1, palette, YBR, 16-bit colour, compressed: as pydicom renders them. Without a picture: a sentence."""
    person = new_person("Odd", "Picture", 1972)
    chart = clara.add_patient(person.family_name, person.given_name, person.birthdate, mobile=person.phone)
    study_uid = generate_uid()
    files = {
        name: as_if_of(person, (data_dir / name).read_bytes(), study_uid=study_uid, title=name)
        for name in [*FLAT, *WORDS]
    }
    told = clara.upload(chart, files.items())
    assert (told["state"], told["refused"], told["quarantined"]) == ("done", [], 0), told
    screen = opened(screens, demo, clara, chart)
    for name in FLAT:
        choose(screen, name)
        check_picture(screen, grey_of(by_pydicom(files[name])), name)
    others = screen.page.locator("[data-part=others] li")
    for name, reason in WORDS.items():
        expect(others.filter(has_text=name)).to_contain_text(reason)
    expect(others).to_have_count(len(WORDS))


@pytest.fixture(scope="module")
def truth(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.float64]:
    """The generator's head in HU."""
    return hounsfield(make_head(data_dir, tmp_path_factory.mktemp("plain"), "plain"))


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS[1:])
def test_v5_v6_every_dialect_ends_on_the_screen_in_the_same_grey(
    demo: Installation,
    screens: OpenScreen,
    clara: Desk,
    data_dir: Path,
    truth: NDArray[np.float64],
    tmp_path: Path,
    dialect: str,
) -> None:
    """Each pixel is what numpy interpolates from the HU, to one grey step of 255."""
    person = new_person(f"Dialect-{dialect}", "Head", 1973)
    files = make_head(data_dir, tmp_path, dialect, name=f"{person.family_name}^{person.given_name}")
    born = date.fromisoformat(pydicom.dcmread(io.BytesIO(files[0])).PatientBirthDate)
    chart = clara.add_patient(person.family_name, person.given_name, born, mobile=person.phone)
    told = clara.upload(chart, [("disc.zip", zipped((f"{n}", data) for n, data in enumerate(files)))])
    assert (told["state"], told["refused"], told["quarantined"]) == ("done", [], 0), told
    screen = screens("desk")
    share_pages.walk_in(screen, demo, clara.share(chart), born=born, address=person.phone)
    screen.wait_for_picture()
    screen.page.get_by_role("button", name="From above").click()
    screen.wait_for_picture()
    middle = np.minimum(truth[len(truth) // 2], CEILINGS.get(dialect, np.inf))
    shown = screen.pixels().astype(float)
    screen.shot(f"dialect-{dialect}")
    expected = fitted(middle, *screen.page.evaluate(CANVAS_SIZE))
    assert (expected > 10).mean() > 0.1
    assert furthest(shown, expected) <= 1


def furthest(shown: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """The largest difference, but for the edges: the box around the canvas may begin within a pixel."""
    height = min(len(shown), len(expected)) - 4
    apart = [np.abs(shown[2 : 2 + height] - expected[top : top + height]).max() for top in (1, 2, 3)]
    return float(min(apart))


def fitted(hu: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """Grey of a slice of square voxels that is fitted into the view, linear between their middles, black around."""
    scale = min(height / hu.shape[0], width / hu.shape[1])
    ways = [weights(count, pixels, scale) for count, pixels in zip(hu.shape, (height, width), strict=True)]
    inside = np.outer(*(way.any(axis=1) for way in ways))
    center, span = HEADS_WINDOW
    share = (ways[0] @ hu @ ways[1].T - center) / span + 0.5
    return np.where(inside, np.clip(share, 0, 1) * 255, 0)


def weights(count: int, pixels: int, scale: float) -> NDArray[np.float64]:
    """What each voxel of a row gives to each pixel."""
    at = (np.arange(pixels) + 0.5 - pixels / 2) / scale + count / 2
    between = np.clip(at - 0.5, 0, count - 1)[:, None]
    given = np.clip(1 - np.abs(between - np.arange(count)), 0, 1)
    return np.where(((at >= 0) & (at <= count))[:, None], given, 0)


def grey_of(frames: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The first frame as a screen in grey would show it (ITU-R BT.601, as Pillow does it)."""
    first = frames[len(frames) // 2]
    grey = first @ [0.299, 0.587, 0.114] if first.ndim == 3 else first
    return np.rint(np.clip(grey, 0, 255)).astype(np.uint8)


def opened(screens: OpenScreen, demo: Installation, desk: Desk, chart: Chart) -> Screen:
    screen = screens("desk")
    share_pages.walk_in(screen, demo, desk.share(chart), born=chart.birthdate, address=chart.mobile)
    screen.page.wait_for_selector("#viewer[data-state=choosing]")
    return screen


def choose(screen: Screen, title: str) -> None:
    """Open the series that its machine named so; patients read a name in plain words."""
    name = screen.page.evaluate(
        """async (title) => {
          const answer = await fetch(document.getElementById("viewer").dataset.manifest);
          return (await answer.json()).series.find((one) => one.title === title)?.name;
        }""",
        title,
    )
    assert name, title
    button: Locator = screen.page.locator("[data-part=series]").get_by_role("button", name=name, exact=True)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    screen.wait_for_picture()


def check_picture(screen: Screen, expected: NDArray[np.uint8], name: str) -> None:
    shown = screen.pixels()
    screen.shot(f"odd-{name}".replace("/", "-").replace(" ", "-"))
    found = likeness(shown, expected)
    turned = [likeness(shown, other) for other in (expected[:, ::-1], expected[::-1], 255 - expected)]
    assert found > ALIKE, f"{name}: {found:.3f}"
    assert found >= max(turned), f"{name}: {found:.3f}, {turned}"
