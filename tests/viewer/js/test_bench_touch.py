"""The workbench under fingers: what a dentist's tablet does. No mouse, no wheel, no right button."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import expect

from .fake_study import FakeSeries
from .test_hands import swipe, tap_twice
from .test_jaw import mouth
from .test_workbench import NARROW, Bench, beads, open_bench

__all__ = ["open_bench"]
OpenBench = Callable[..., Bench]
FINGERS = {"has_touch": True, "is_mobile": True}
PINCH = (((-20, 30), (-60, 30)), ((20, 30), (60, 30)))


@pytest.mark.slow
def test_v16_pinch_and_two_taps_point_at_nothing(open_bench: OpenBench) -> None:
    """The first finger of two moves no crosshair and begins no measure; two taps show all of it again."""
    bench = open_bench(beads([1.0, 2.0, 2.0]), NARROW, **FINGERS)
    page = bench.page
    page.get_by_role("button", name="Coronal").click()
    bench.do("hide")
    before = bench.picture()
    swipe(page, *PINCH)
    assert (np.abs(bench.picture() - before) > 30).any()
    tap_twice(page)
    page.get_by_role("button", name="Axial").click()
    assert bench.place == "51 / 100"
    page.get_by_role("button", name="Coronal").click()
    assert (np.abs(bench.picture() - before) > 8).sum() == 0
    tap_twice(page)
    assert (np.abs(bench.picture() - before) > 30).any()
    tap_twice(page)

    page.locator("[data-do=distance]").click()
    swipe(page, *PINCH)
    tap_twice(page)  # with a tool at hand a tap is a place, and two on one spot are no distance
    assert bench.measured == []


@pytest.mark.slow
def test_v16_contrast_is_pulled_by_finger_and_pressed_by_key(open_bench: OpenBench) -> None:
    """On a picture without presets too: nothing else sets the window on a tablet."""
    ramp = np.tile(np.arange(240, dtype=np.uint16) * 16, (160, 1))[None]
    bench = open_bench(FakeSeries("pano", "Panoramic X-ray", "image", ramp, (1900, 3800)), NARROW, **FINGERS)
    page = bench.page
    before = bench.picture().mean()
    page.locator("[data-do=light]").click()
    swipe(page, ((0, -60), (0, 60)))
    brighter = bench.picture().mean()
    assert brighter > before + 10
    page.locator("[data-part=stage]").focus()
    page.keyboard.press("ArrowUp")
    assert bench.picture().mean() < brighter - 1
    page.keyboard.press("b")
    expect(page.locator("[data-do=light]")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("[data-do=cross]")).to_have_attribute("aria-pressed", "true")


@pytest.mark.slow
def test_v16_a_finger_takes_an_arch_handle_in_the_view_alone(open_bench: OpenBench) -> None:
    """A phone has no room for four panes: the handles stand on the axial view too, 20 px beside is near enough."""
    bench = open_bench(mouth(), {"width": 390, "height": 844}, **FINGERS)
    page = bench.page
    page.get_by_role("button", name="Panoramic").click()
    before = bench.picture()
    page.get_by_role("button", name="Axial").click()
    assert page.locator("[data-set=layout]").input_value() == "single"
    stage = bench.stage
    scale = min(stage["width"] / 100, stage["height"] / 90)
    x, y = (50.5 - 50) * scale, (24.5 - 45) * scale
    swipe(page, ((x + 20, y), (x + 20, y + 14 * scale)))
    page.get_by_role("button", name="Panoramic").click()
    after = bench.picture()
    middle = slice(before.shape[1] // 2 + 4, before.shape[1] // 2 + 10)  # beside the line
    assert before[:, middle].max() > after[:, middle].max() + 20, "the incisors have left the sheet"
