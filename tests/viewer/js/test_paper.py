"""V25: what leaves the dentist's page. A print in life size and a picture to keep, both with notice, bar and sides."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Download, expect

from .fake_study import FakeSeries
from .test_workbench import NARROW, Bench, Run, beads, open_bench

__all__ = ["open_bench"]
NO_PRINTER = "window.print = () => {}"
CAPTION = ["Beads · 2026-03-12 · Smile Dental", "Not for diagnostic use."]


def printed_picture(pdf: bytes) -> tuple[np.ndarray, float]:
    """The one picture on the page in grey, and its width there in mm."""
    head = re.search(rb"/Subtype /Image\s+/Width (\d+)\s+/Height (\d+).*?stream\r?\n", pdf, re.DOTALL)
    assert head
    width, height = int(head[1]), int(head[2])
    raw = zlib.decompressobj().decompress(pdf[head.end() :])
    picture = np.frombuffer(raw, np.uint8).reshape(height, width, -1).astype(int).mean(axis=2)
    for stream in re.finditer(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        if not stream[1].startswith(b"\x78"):
            continue
        drawn = zlib.decompressobj().decompress(stream[1])
        placed = re.search(rb"([\d.]+) 0 0 -[\d.]+ [\d.]+ [\d.]+ cm(?:\n[^\n]*){0,4}\n/X\d+ Do", drawn)
        page = re.match(rb"([\d.]+) 0 0 -[\d.]+ 0 [\d.]+ cm", drawn)
        if placed and page:
            return picture, float(placed[1]) * float(page[1]) * 25.4 / 72
    raise AssertionError("The page has no picture.")


def longest_white_line(picture: np.ndarray) -> int:
    """The scale bar: the longest unbroken bright run in the lowest part of the picture."""
    best = 0
    for row in picture[-40:] > 100:  # a line between two rows is half as bright in both
        edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
        best = max([best, *(edges[1::2] - edges[::2])])
    return best


@pytest.mark.slow
def test_v25_bar_of_the_print_is_as_long_as_it_says(open_bench: Callable[..., Bench]) -> None:
    bench = open_bench(beads([1.0, 2.0, 2.0]), NARROW)
    page = bench.page
    page.evaluate(f"() => {{ {NO_PRINTER}; }}")
    page.get_by_role("button", name="Coronal").click()
    page.mouse.move(*bench.at(0, 0))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400 * np.log(2))  # 200 mm are wider than the paper; 50 mm aren't
    page.keyboard.up("Control")
    bench.picture()
    bench.do("print")
    sheet = page.locator(".viewer-print")
    assert sheet.locator("p").all_text_contents() == [*CAPTION, "Life size."]
    picture, width_mm = printed_picture(page.pdf(format="A4"))
    assert width_mm == pytest.approx(50, rel=0.02)
    bar_mm = longest_white_line(picture) * width_mm / picture.shape[1]
    assert bar_mm == pytest.approx(10, rel=0.02)
    expect(sheet).to_have_count(0)  # gone after printing


def kept_picture(download: Download) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(download.path().read_bytes())).convert("L")).astype(int)


@pytest.mark.slow
def test_v25_picture_to_keep_says_what_it_is(open_bench: Callable[..., Bench]) -> None:
    bench = open_bench(beads([1.0, 2.0, 2.0]), NARROW)
    with bench.page.expect_download() as download:
        bench.do("keep")
    assert download.value.suggested_filename == "picture.png"  # no name goes with it
    picture = kept_picture(download.value)
    # As wide as the stage, for so is the series; of its black no more than the letters need.
    assert picture.shape == (240 + 48, round(bench.stage["width"]))
    for top in (240, 240 + 24):
        assert (picture[top : top + 24] > 200).sum() > 50  # two lines below the picture
    assert (picture[:240] > 200).sum() > 50


@pytest.mark.slow
def test_v25_solid_view_is_kept_without_sides_and_fills_the_sheet_on_white(
    open_bench: Callable[..., Bench], cbct: FakeSeries
) -> None:
    """The scan is 48 x 40 x 45 mm, the stage wide. Rays are parallel: the bar is true, on the sheet too."""
    bench = open_bench(cbct, {"width": 1280, "height": 700})
    page = bench.page
    page.evaluate(f"() => {{ {NO_PRINTER}; }}")
    page.get_by_role("button", name="3D").click()
    bench.picture()
    with page.expect_download() as download:
        bench.do("keep")
    side = round(bench.stage["height"])
    kept = kept_picture(download.value)
    assert kept.shape == (side + 48, side)
    px_per_mm = 1.5 * side / np.linalg.norm([121 * 0.4, 101 * 0.4, 75 * 0.6])
    assert longest_white_line(kept[:side]) == pytest.approx(10 * px_per_mm, abs=3)

    bench.do("print")
    percent = round(100 * 180 / (side / px_per_mm))
    lines = page.locator(".viewer-print p").all_text_contents()
    assert lines[1:] == [CAPTION[1], f"{percent} percent of life size."]
    picture, width_mm = printed_picture(page.pdf(format="A4"))
    assert width_mm == pytest.approx(180, rel=0.02)
    assert picture.shape[0] == picture.shape[1]
    corner = picture.shape[0] // 12
    assert picture[-corner:, -corner:].min() > 250  # white behind it
    assert picture[side // 2 - 5 : side // 2 + 5, side // 2 - 5 : side // 2 + 5].max() < 245


@pytest.mark.parametrize(
    ("box", "pixels_per_mm", "wanted"),
    [
        ((500, 300), 10, (50, 1)),
        ((500, 300), 2, (180, 180 / 250)),
        ((300, 900), 3, (100 * 220 / 300, 220 / 300)),
    ],
)
def test_what_is_larger_than_the_paper_is_shrunk_and_says_so(
    run: Run, box: tuple[int, int], pixels_per_mm: float, wanted: tuple[float, float]
) -> None:
    body = "return m.paperSize({ width: arg[0], height: arg[1] }, arg[2])"
    found = run("print", body, [*box, pixels_per_mm])
    assert (found["mm"], found["share"]) == (pytest.approx(wanted[0]), pytest.approx(wanted[1]))
