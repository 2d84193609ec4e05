"""Odd input, the whole way: uploaded at the desk, shared, opened in Chromium; shown as it is, or told in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
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
