"""A scan, a panoramic and eighteen tooth X-rays in one share: a first page to choose from; and X-rays lit by eye."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .fake_server import FakeServer
from .fake_study import FakeSeries
from .test_hands import PHONE, SMALL

Serve = Callable[..., FakeServer]
OpenPage = Callable[..., Page]
MOUTH = [
    [18, 17, 16], [15, 14], [13, 12], [11, 21], [22, 23], [24, 25], [26, 27, 28],
    [17, 16, 46, 47], [15, 14, 44, 45], [24, 25, 34, 35], [26, 27, 36, 37],
    [48, 47, 46], [45, 44], [43, 42], [41, 31], [32, 33], [34, 35], [36, 37, 38],
]  # fmt: skip


def x_ray(number: int, teeth: list[int], *, size: tuple[int, int] = (96, 72), **more: Any) -> FakeSeries:
    y, x = np.mgrid[: size[0], : size[1]]
    frame = (60 + x + y * 0.5 + 40 * (np.hypot(x - size[1] / 2, y - size[0] / 2) < 20 + number)).astype(
        np.uint8
    )
    facts: dict[str, Any] = {"title": f"IO {number}", "kind": "image", "window": (127.5, 255.0)}
    return FakeSeries(id=f"io{number}", frames=frame[None], teeth=teeth, **{**facts, **more})


def mixed(cbct: FakeSeries) -> list[FakeSeries]:
    panoramic = x_ray(99, [], size=(80, 160), title="PAN 66kV", name="Panoramic X-ray")
    return [cbct, panoramic, *(x_ray(number, teeth) for number, teeth in enumerate(MOUTH))]


@pytest.fixture
def first_page(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> tuple[FakeServer, Page]:
    server = serve(*mixed(cbct))
    return server, open_page(server, wait="choosing", **PHONE)


def test_a_mixed_study_opens_on_cards(first_page: tuple[FakeServer, Page]) -> None:
    server, page = first_page
    assert page.locator("[data-part=series] button:visible").count() == 20
    expect(page.get_by_role("button", name="Panoramic X-ray")).to_be_visible()
    rows = page.locator(".viewer-mount-row")
    assert [rows.nth(row).locator("button").count() for row in range(3)] == [7, 4, 7]
    right, left = (rows.nth(0).locator("button").nth(place).bounding_box() for place in (0, 6))
    assert right
    assert left
    assert right["x"] < left["x"]
    assert not any("/frames/" in path for path in server.requests), (
        "nothing is fetched before someone chooses"
    )
    assert Axe().run(page).violations_count == 0


@pytest.mark.parametrize("size", [PHONE, SMALL], ids=["390", "320"])
def test_cards_are_large_enough_for_a_thumb(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries, size: dict[str, Any]
) -> None:
    page = open_page(serve(*mixed(cbct)), wait="choosing", **size)
    boxes = [one.bounding_box() for one in page.locator("[data-part=series] button:visible").all()]
    assert len(boxes) == 20
    assert min(min(box["width"], box["height"]) for box in boxes if box) >= 44
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_a_chosen_picture_opens_and_the_way_back_is_there(first_page: tuple[FakeServer, Page]) -> None:
    server, page = first_page
    page.get_by_role("button", name="Panoramic X-ray").click()
    page.wait_for_selector("#viewer[data-state=shown]")
    expect(page.locator("[data-part=stage]")).to_be_visible()
    expect(page.get_by_role("button", name="Panoramic X-ray")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="All pictures").click()
    page.wait_for_selector("#viewer[data-state=choosing]")
    expect(page.locator("[data-part=canvas]")).to_be_hidden()
    page.locator("[data-part=series] button", has_text="Cone-beam CT").click()
    page.wait_for_selector("#viewer[data-state=shown]")
    assert any("/series/cbct/levels/" in path for path in server.requests)


def test_what_goes_wrong_is_said_on_the_first_page_too(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    server = serve(*mixed(cbct))
    server.behaviour.heartbeat_s = 0.2
    page = open_page(server, wait="choosing", **PHONE)
    server.behaviour.ended_status = 410
    page.wait_for_selector("#viewer[data-state=ended]")
    assert "Cone-beam" not in page.locator("#viewer").inner_text()


def test_three_series_need_no_first_page(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    page = open_page(serve(cbct, x_ray(1, []), x_ray(2, [])))
    assert page.locator("[data-part=series] button").count() == 3
    assert page.locator("#viewer").get_attribute("data-page") is None


def test_patients_read_plain_names_and_of_no_ruler(serve: Serve, open_page: OpenPage) -> None:
    picture = x_ray(
        1, [], name="Tooth X-ray", ruler_notice="The ruler is not to scale.", notices=["So it is."]
    )
    server = serve(picture, x_ray(2, []))
    patient = open_page(server).locator("#viewer").inner_text()
    assert "Tooth X-ray" in patient
    assert "IO 1" not in patient
    assert "So it is." in patient
    assert "ruler" not in patient
    server.face = "dentist"
    dentist = open_page(server).locator("#viewer").inner_text()
    assert "IO 1" in dentist
    assert "The ruler is not to scale." in dentist


def mean_of(page: Page) -> float:
    import io

    from PIL import Image

    shown = page.locator("[data-part=canvas]").screenshot()
    return float(np.asarray(Image.open(io.BytesIO(shown)).convert("L")).mean())


def slide(page: Page, label: str, value: int) -> None:
    slider = page.get_by_label(label)
    slider.evaluate("(one, value) => { one.value = value; one.dispatchEvent(new Event('input')); }", value)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.slow
def test_an_x_ray_is_made_brighter_and_put_back(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    page = open_page(serve(x_ray(1, []), cbct), **PHONE)
    before = mean_of(page)
    slide(page, "Brightness", 60)
    assert mean_of(page) > before + 20
    page.get_by_role("button", name="Back to normal").click()
    slide(page, "Contrast", 0)
    assert abs(mean_of(page) - before) < 0.5
    page.locator("[data-part=series] button", has_text="Cone-beam CT").click()
    expect(page.get_by_label("Brightness")).to_be_hidden()


def test_brightness_and_contrast_in_numbers(run: Callable[..., Any]) -> None:
    window = {"center": 500, "width": 1000}
    shone = "return m.shone(arg, ...JSON.parse('%s'))"
    assert run("light", shone % "[0, 0]", window) == window
    assert run("light", shone % "[1, 0]", window) == {"center": 50, "width": 1000}
    assert run("light", shone % "[0, 1]", window)["width"] == pytest.approx(1000 / 3)


def test_help_is_in_plain_words_and_closes_by_key(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    page = open_page(serve(cbct), **SMALL)
    page.get_by_text("Help", exact=True).click()
    expect(page.get_by_text("Spread two fingers")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.keyboard.press("Enter")
    expect(page.get_by_text("Spread two fingers")).to_be_hidden()


@pytest.mark.parametrize("face", ["patient", "dentist"])
def test_a_study_without_pictures_says_so_and_shows_no_empty_box(
    serve: Serve, open_page: OpenPage, face: str
) -> None:
    server = serve()
    server.face = face
    server.behaviour.others = [
        {"title": "Report", "reason": "This file has no picture. It is in the download."}
    ]
    page = open_page(server, wait="nothing", **SMALL)
    expect(page.get_by_role("status")).to_have_text("There is no picture to show here.")
    expect(page.get_by_text("This file has no picture. It is in the download.")).to_be_in_viewport()
    expect(page.get_by_role("link", name="Download")).to_be_visible()
    for box in page.locator("[data-part=canvas], [data-part=image], .viewer-tools, .viewer-controls").all():
        expect(box).to_be_hidden()
    assert Axe().run(page).violations_count == 0
