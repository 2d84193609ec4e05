"""The dental layout under a real mouse: panorama, cross-sections, and the seven handles of the arch."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from .fake_server import FakeServer
from .fake_study import FakeSeries

MM = 1.0
SHAPE = (70, 90, 100)  # frames, rows, columns, in mm
ARCH = [(22, 70), (25, 50), (34, 32), (50, 24), (66, 32), (75, 50), (78, 70)]
LEVEL = 35
IMPLANT = (66, 32)  # on the patient's left


def mouth() -> FakeSeries:
    """Soft tissue with an arch of teeth around its curve, and one bright implant below the biting plane."""
    z, y, x = np.indices(SHAPE)
    frames = np.full(SHAPE, 1000, np.uint16)
    for at_x, at_y in ARCH:
        frames[((x - at_x) ** 2 + (y - at_y) ** 2 < 16) & (np.abs(z - LEVEL) < 12)] = 2200
    frames[((x - IMPLANT[0]) ** 2 + (y - IMPLANT[1]) ** 2 < 9) & (z < LEVEL - 14) & (z > 8)] = 4000
    return FakeSeries(
        "cbct", "Cone-beam CT", "volume", frames, (1500, 3000), intercept=-1000.0, unit="HU", spacing_mm=[MM] * 3,
        directions=[[1, 0, 0], [0, 1, 0], [0, 0, 1]], position_mm=[0.0, 0.0, 0.0],
        arch={"points": [[x, y, float(LEVEL)] for x, y in ARCH], "method": 1},
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(browser_for_viewer: Browser) -> Iterator[Page]:
    """A dentist at a desk, the mouth open in front of them."""
    server = FakeServer([mouth()])
    server.face = "dentist"
    context = browser_for_viewer.new_context(viewport={"width": 900, "height": 700})
    page = context.new_page()
    page.goto(server.url)
    page.wait_for_selector("#viewer[data-state=shown]")
    expect(page.locator("[data-part=progress]")).to_be_hidden()
    yield page
    context.close()
    server.close()


@pytest.fixture
def at(page: Page) -> Callable[[float, float], tuple[float, float]]:
    """A place of the stage by its shares."""
    box = page.locator("[data-part=stage]").bounding_box()
    assert box
    return lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])


def picture(page: Page) -> np.ndarray:
    """The stage as grey levels, as shares of which panes are cut out."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    shot = page.locator("[data-part=stage]").screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("L"), np.int16)


def panorama_of(page: Page) -> np.ndarray:
    stage = picture(page)
    height, width = stage.shape
    return stage[int(height * 0.46) :, int(width * 0.41) :]


def layout(page: Page, name: str) -> None:
    page.locator("[data-set=layout]").select_option(name)


def test_dental_layout_comes_first_where_an_arch_was_found(page: Page) -> None:
    assert page.locator("[data-set=layout]").input_value() == "dental"
    tabs = page.locator("[data-part=tabs] button").all_inner_texts()
    assert {"Panoramic", "Cross-sections"} <= set(tabs)


def test_v5_implant_is_on_the_right_of_the_panorama(page: Page) -> None:
    whole = panorama_of(page)
    below = whole[int(whole.shape[0] * 0.6) : -30, 30:-30]  # the teeth and the letters left out
    bright = np.argwhere(below > below.min() + 0.8 * np.ptp(below))
    assert np.ptp(below) > 60
    assert np.median(bright[:, 1]) > below.shape[1] / 2 + 20


def test_v4_nothing_is_measured_on_the_panorama(page: Page, at: Any) -> None:
    page.locator("[data-do=distance]").click()
    page.mouse.move(*at(0.6, 0.7))
    page.mouse.down()
    page.mouse.move(*at(0.8, 0.7))
    page.mouse.up()
    assert page.locator("[data-part=measures] li").count() == 0
    page.locator("[data-do=cross]").click()


def test_slider_goes_along_the_arch(page: Page) -> None:
    page.get_by_role("button", name="Cross-sections").click()
    slider = page.get_by_role("slider")
    count = int(slider.get_attribute("max") or 0)
    assert 50 < count < 90, "a cut each 2 mm"
    page.locator("[data-jaw=step]").fill("4")
    page.locator("[data-jaw=step]").blur()
    expect(slider).to_have_attribute("max", str(count // 2))
    before = picture(page)
    page.locator("[data-part=more]").click()
    assert np.abs(picture(page) - before).max() > 100, "the line on the panorama has moved"
    page.locator("[data-jaw=step]").fill("2")
    page.locator("[data-jaw=step]").blur()


def test_handle_bends_the_arch_and_the_panorama_follows(page: Page, at: Any) -> None:
    before = panorama_of(page)
    as_found = page.get_by_role("button", name="Arch as found")
    expect(as_found).to_be_hidden()
    # The axial pane shows 100 x 90 mm in 40 % of the width and half of the height; take the incisors' handle.
    box = page.locator("[data-part=stage]").bounding_box()
    assert box
    width, height = box["width"] * 0.4, box["height"] * 0.5
    scale = min(width / SHAPE[2], height / SHAPE[1])
    x = box["x"] + width / 2 + (50.5 - SHAPE[2] / 2) * scale
    y = box["y"] + height / 2 + (24.5 - SHAPE[1] / 2) * scale
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 14 * scale, steps=3)
    page.mouse.up()
    after = panorama_of(page)
    middle = slice(before.shape[1] // 2 - 25, before.shape[1] // 2 + 25)
    assert before[:, middle].max() > after[:, middle].max() + 20, "the incisors have left the sheet"
    as_found.click()
    assert np.abs(panorama_of(page) - before).max() < 2
    expect(as_found).to_be_hidden()


def test_layout_that_is_chosen_from_3d_is_shown(page: Page) -> None:
    """3D stands in none of them: the layout's first pane is at hand then, and 3D offers no ruler."""
    page.get_by_role("button", name="3D", exact=True).click()
    expect(page.locator("[data-do=distance]")).to_be_hidden()
    layout(page, "dental")
    expect(page.get_by_role("button", name="Axial")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-do=distance]")).to_be_visible()
    expect(page.locator("[data-jaw=step]")).to_be_visible()


def test_v3_cross_section_is_measured_in_millimetres(page: Page) -> None:
    layout(page, "single")
    page.get_by_role("button", name="Cross-sections").click()
    page.locator("[data-do=distance]").click()
    box = page.locator("[data-part=stage]").bounding_box()
    assert box
    scale = box["height"] / SHAPE[0]  # the volume's height fills the pane
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y - 10 * scale)
    page.mouse.down()
    page.mouse.move(x, y + 10 * scale, steps=3)
    page.mouse.up()
    expect(page.locator("[data-part=measures] li")).to_have_text("Distance: 20.0 mm")
    page.locator("[data-do=remove]").click()
    page.locator("[data-do=cross]").click()
    layout(page, "dental")
