"""Fingers, mouse, keys and screen readers: the picture moves, the page never does."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import CDPSession, Page, expect

from tests.chromium import wait_for_drawing
from tests.flows.installation import wait_for

from .fake_server import FakeServer
from .fake_study import FakeSeries, phantom, phantom_series

Serve = Callable[..., FakeServer]
OpenPage = Callable[..., Page]
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 1,  # the rendering is the machine's, and slow; test_v3 and the whole walk see finer screens
}
SMALL = {**PHONE, "viewport": {"width": 320, "height": 568}}


def place(page: Page) -> str:
    return page.locator("[data-part=place]").inner_text()


def touch(cdp: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    touches = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
    cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def swipe(page: Page, *ways: tuple[tuple[float, float], tuple[float, float]], steps: int = 12) -> None:
    """Move one or more fingers, each from a place to another, from the middle of the stage."""
    box = page.locator("[data-part=stage]").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    cdp = page.context.new_cdp_session(page)
    for step in range(steps + 1):
        share = step / steps if steps else 0
        points = [(x + a[0] + (b[0] - a[0]) * share, y + a[1] + (b[1] - a[1]) * share) for a, b in ways]
        touch(cdp, "touchMove" if step else "touchStart", *points)
    touch(cdp, "touchEnd")


def tap_twice(page: Page) -> None:
    """A tenth of a second apart, as the fingers' clock tells it, whatever else the machine has to do between."""
    box = page.locator("[data-part=stage]").bounding_box()
    assert box
    at = [{"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2 + 40, "id": 0}]
    cdp = page.context.new_cdp_session(page)
    began = page.evaluate("Date.now()") / 1000
    for turn in range(4):
        kind, points = ("touchEnd", []) if turn % 2 else ("touchStart", at)
        deed = {"type": kind, "touchPoints": points, "timestamp": began + turn * 0.05}
        cdp.send("Input.dispatchTouchEvent", deed)


def picture_width(page: Page) -> float:
    """How wide the phantom's body is on the screen, in screenshot pixels: it is brighter than its surroundings."""
    import io

    import numpy as np
    from PIL import Image

    box = page.locator("[data-part=stage]").bounding_box()
    assert box
    wait_for_drawing(page)
    row = {"x": 0, "y": box["y"] + box["height"] / 2 + 20, "width": box["width"], "height": 1}
    line = np.array(Image.open(io.BytesIO(page.screenshot(clip=row))).convert("L"))[0]
    return float((line > 60).sum())


def test_v16_swipe_goes_through_the_slices(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    page = open_page(serve(cbct), **PHONE)
    assert place(page) == "38 / 75"
    swipe(page, ((0, 60), (0, -60)))
    assert 42 <= int(place(page).split()[0]) <= 56
    swipe(page, ((0, -60), (0, 60)))
    assert 37 <= int(place(page).split()[0]) <= 39


def test_v16_pinch_zooms_the_picture_and_never_the_page(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    page = open_page(serve(cbct), **PHONE)
    before = picture_width(page)
    swipe(page, ((-20, 0), (-44, 0)), ((20, 0), (44, 0)))
    after = picture_width(page)
    assert after > before * 1.1 or after >= 390 * 0.95
    assert page.evaluate("() => visualViewport.scale") == 1
    assert place(page) == "38 / 75"
    tap_twice(page)
    assert abs(picture_width(page) - before) <= 4


@pytest.mark.slow
def test_v16_double_tap_zooms_in_and_out(serve: Serve, open_page: OpenPage) -> None:
    narrow = phantom_series(id="narrow", spacing_mm=[0.6, 0.4, 0.1])
    page = open_page(serve(narrow), **PHONE)
    before = picture_width(page)
    tap_twice(page)
    assert picture_width(page) > before * 1.5
    tap_twice(page)
    assert abs(picture_width(page) - before) <= 4


@pytest.mark.slow
def test_v16_two_fingers_push_the_zoomed_picture(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    page = open_page(serve(cbct), **PHONE)
    swipe(page, ((-20, 0), (-60, 0)), ((20, 0), (60, 0)))
    before = page.locator("[data-part=stage]").screenshot()
    swipe(page, ((-20, 0), (60, 0)), ((20, 0), (100, 0)))
    wait_for(lambda: page.locator("[data-part=stage]").screenshot() != before)
    assert place(page) == "38 / 75"


@pytest.mark.slow
def test_wheel_scrolls_and_zooms_with_control(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    page = open_page(serve(cbct), viewport={"width": 1280, "height": 800})
    page.locator("[data-part=stage]").hover()
    page.mouse.wheel(0, -120)
    expect(page.locator("[data-part=place]")).to_have_text("40 / 75")
    before = picture_width(page)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -120)
    page.keyboard.up("Control")
    assert picture_width(page) > before * 1.2
    assert place(page) == "40 / 75"


def test_v17_keys_go_through_the_slices(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    page = open_page(serve(cbct))
    page.locator("[data-part=stage]").focus()
    for key, shown in (
        ("ArrowUp", 39), ("ArrowRight", 40), ("ArrowDown", 39), ("PageUp", 49), ("PageDown", 39), ("Home", 1),
        ("End", 75),
    ):  # fmt: skip
        page.keyboard.press(key)
        expect(page.locator("[data-part=place]"), key).to_have_text(f"{shown} / 75")


@pytest.mark.slow
def test_plus_minus_and_zero_change_the_size(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    page = open_page(serve(cbct), viewport={"width": 1280, "height": 800})
    page.locator("[data-part=stage]").focus()
    whole = picture_width(page)
    page.keyboard.press("+")
    page.keyboard.press("+")
    near = picture_width(page)
    page.keyboard.press("-")
    less = picture_width(page)
    page.keyboard.press("0")
    assert whole < less < near
    assert picture_width(page) == whole


def test_v19_slider_and_buttons_say_where_one_is(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    page = open_page(serve(cbct))
    slider = page.get_by_role("slider", name="Slice")
    expect(slider).to_have_attribute("aria-valuetext", "slice 38 of 75")
    page.get_by_role("button", name="Next slice").click()
    expect(slider).to_have_attribute("aria-valuetext", "slice 39 of 75")
    expect(page.get_by_role("img", name="Cone-beam CT, From above, slice 39 of 75")).to_be_visible()
    page.get_by_role("button", name="Side").click()
    expect(slider).to_have_attribute("aria-valuetext", "slice 61 of 121")
    expect(page.get_by_role("button", name="Side")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("status")).to_have_text("The pictures are ready.")
    page.get_by_role("button", name="From above").click()
    expect(slider).to_have_attribute("aria-valuetext", "slice 39 of 75")


def mixed(serve: Serve, cbct: FakeSeries) -> FakeServer:
    image = (phantom((2, 90, 160))[:1] >> 4).astype("uint8")
    pano = FakeSeries(
        "pano", "Panoramic X-ray", "image", image, (128, 256), notices=["The ruler is not to scale."]
    )
    server = serve(cbct, pano, title="Your pictures of 12 March")
    server.behaviour.others = [
        {"title": "Report", "reason": "This file has no picture. It is in the download."}
    ]
    return server


def test_mixed_study_offers_each_series(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    page = open_page(mixed(serve, cbct), **PHONE)
    group = page.get_by_role("group", name="Pictures in this study")
    expect(group.get_by_role("button", name="Cone-beam CT")).to_have_attribute("aria-pressed", "true")
    group.get_by_role("button", name="Panoramic X-ray").click()
    expect(page.get_by_role("img", name="Panoramic X-ray, Picture, picture 1 of 1")).to_be_visible()
    expect(page.get_by_text("The ruler is not to scale.")).to_be_visible()
    expect(page.get_by_role("slider", name="Slice")).to_have_count(0)
    expect(page.get_by_role("group", name="Seen from")).to_have_count(0)
    expect(page.get_by_text("This file has no picture.")).to_be_visible()


@pytest.mark.parametrize("face", ["patient", "dentist"])
@pytest.mark.parametrize(
    "size",
    [
        SMALL,
        pytest.param(PHONE, marks=pytest.mark.slow),
        pytest.param({"viewport": {"width": 1280, "height": 800}}, marks=pytest.mark.slow),
    ],
)
def test_v18_everyone_can_use_it(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries, face: str, size: dict[str, Any]
) -> None:
    server = mixed(serve, cbct)
    server.face = face
    page = open_page(server, **size)
    notice = (
        "Not for diagnostic use."
        if face == "dentist"
        else "For information only. Ask your dentist what it means."
    )
    expect(page.get_by_text(notice)).to_be_in_viewport()
    expect(page.locator("[data-part=stage]")).to_be_in_viewport(ratio=0.9)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= size["viewport"]["width"]
    small = page.evaluate("""() => [...document.querySelectorAll("button, a, select, input")]
      .filter((one) => one.offsetParent && Math.min(one.offsetHeight, one.offsetWidth) < 44)
      .map((one) => one.outerHTML)""")
    assert small == []
    assert Axe().run(page).response["violations"] == []


def test_v5_right_stays_left_of_the_picture_in_every_writing_direction(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    page = open_page(serve(cbct))
    for direction in ("ltr", "rtl"):
        page.evaluate("(dir) => { document.documentElement.dir = dir; }", direction)
        right = page.locator("[data-part=letter-left]")
        expect(right).to_have_text("Right")
        box = right.bounding_box()
        assert box
        assert box["x"] < 100
    assert brighter_side(page) == "left of the patient"


def brighter_side(page: Page) -> str:
    """The phantom's rod is on the patient's left, which is on the right of the screen."""
    import io

    import numpy as np
    from PIL import Image

    picture = np.array(Image.open(io.BytesIO(page.locator("[data-part=stage]").screenshot())).convert("L"))
    middle = picture.shape[1] // 2
    rows = slice(picture.shape[0] // 4, picture.shape[0] // 2 - 30)
    left, right = ((picture[rows, side] > 250).sum() for side in (slice(60, middle), slice(middle, -60)))
    return "left of the patient" if right > left else "right of the patient"


@pytest.mark.slow
def test_dentist_picks_a_window(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    server = serve(cbct)
    server.face = "dentist"
    page = open_page(server)
    before = page.locator("[data-part=stage]").screenshot()
    page.get_by_label("Brightness").select_option("Soft tissue")
    wait_for(lambda: page.locator("[data-part=stage]").screenshot() != before)
    page.get_by_label("Brightness").select_option("As recorded")
    wait_for(lambda: page.locator("[data-part=stage]").screenshot() == before)


@pytest.mark.slow
@pytest.mark.parametrize("face", ["patient", "dentist"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_v18_in_every_light_direction_and_size_of_text(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries, face: str, scheme: str
) -> None:
    server = mixed(serve, cbct)
    server.face = face
    page = open_page(server, **SMALL, color_scheme=scheme)
    for direction, text in itertools.product(("ltr", "rtl"), ("100%", "200%")):
        page.evaluate(
            "([dir, size]) => { document.documentElement.dir = dir; document.documentElement.style.fontSize = size; }",
            [direction, text],
        )
        how = f"{direction}, text at {text}"
        # innerWidth grows on a phone with what is too wide, so the screen's own width is asked for.
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 320, how
        outside = page.evaluate("""() => [...document.querySelectorAll(".viewer :is(button, a, p, h1, label)")]
          .filter((one) => one.offsetParent)
          .filter((one) => !one.closest("[data-part=series], [data-part=tools], [data-part=tabs], .viewer-unseen"))
          .map((one) => [one, one.getBoundingClientRect()])
          .filter(([, { left, right }]) => left < -1 || right > 321)
          .map(([one]) => one.outerHTML)""")
        assert outside == [], how
        assert Axe().run(page).response["violations"] == [], how


def test_v19_tree_names_view_layer_loading_and_measures(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    server = serve(cbct)
    server.face = "dentist"
    server.behaviour.manifest_waits_for.clear()
    page = open_page(server, wait="loading", viewport={"width": 600, "height": 500})
    assert "status: Loading the pictures." in page.locator("#viewer").aria_snapshot()
    server.behaviour.manifest_waits_for.set()
    page.wait_for_selector("#viewer[data-state=shown]")
    expect(page.get_by_role("status")).to_have_text("The pictures are ready.")
    page.locator("[data-part=stage]").focus()
    for key in ("d", "Enter", "Shift+ArrowRight", "Enter"):
        page.keyboard.press(key)
    tree = page.locator("#viewer").aria_snapshot()
    assert re.search(r'img "Cone-beam CT, Axial, slice \d+ of 75"', tree)
    assert re.search(r'slider "Slice": ', tree)
    assert re.search(r'list "Measures":\s+- listitem: "?Distance: [\d.]+ mm', tree)
