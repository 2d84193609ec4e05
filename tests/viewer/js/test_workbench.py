"""The dentist's workbench under a real mouse and real keys: crosshair, planes, measures, window, layouts."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from .fake_server import PROJECT, FakeServer
from .fake_study import FakeSeries

Run = Callable[..., Any]
DESK = {"width": 1000, "height": 760}
NARROW = {"width": 600, "height": 760}  # below the width where several panes fit: one view alone
TILTED = [[0.97, 0.17, 0.17], [-0.2, 0.95, 0.2], [-0.13, -0.23, 0.96]]


def beads(spacing_mm: list[float], directions: Any = None) -> FakeSeries:
    """A flat box, 200 mm wide and 100 mm high, with two beads 40.0 mm apart about its middle, and one above."""
    z_mm, _, x_mm = spacing_mm
    frames = np.full((round(100 / z_mm), 8, round(200 / x_mm)), 300, np.uint16)
    middle = [frames.shape[0] // 2, frames.shape[2] // 2]
    for across, up in ((-20, 0), (20, 0), (-20, 25)):
        z, x = middle[0] + round(up / z_mm), middle[1] + round(across / x_mm)
        frames[z - 1 : z + 1, :, x - 1 : x + 1] = 3000
    return FakeSeries(
        "beads", "Beads", "volume", frames, (1500, 3000), unit="HU", spacing_mm=spacing_mm,
        directions=directions or [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    )  # fmt: skip


class Bench:
    """The page of a dentist, as people meet it."""

    def __init__(self, page: Page, server: FakeServer) -> None:
        self.page = page
        self.server = server

    def do(self, name: str) -> None:
        self.page.locator(f"[data-do={name}]").click()

    @property
    def stage(self) -> dict[str, float]:
        box = self.page.locator("[data-part=stage]").bounding_box()
        assert box
        return dict(box)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place as pixels from the middle of the stage."""
        box = self.stage
        return box["x"] + box["width"] / 2 + x, box["y"] + box["height"] / 2 + y

    def pull(self, *way: tuple[float, float], button: Any = "left") -> None:
        """Press at the first place, go by the others, let go at the last."""
        self.page.mouse.move(*self.at(*way[0]))
        self.page.mouse.down(button=button)
        for place in way[1:]:
            self.page.mouse.move(*self.at(*place), steps=3)
        self.page.mouse.up(button=button)

    @property
    def measured(self) -> list[str]:
        return self.page.locator("[data-part=measures] li").all_text_contents()

    @property
    def place(self) -> str:
        return self.page.locator("[data-part=place]").inner_text()

    def picture(self) -> np.ndarray:
        """The stage in grey, once two looks at it agree."""
        before = b""
        while before != (before := self.page.locator("[data-part=stage]").screenshot()):
            pass
        return np.array(Image.open(io.BytesIO(before)).convert("L")).astype(int)


@pytest.fixture
def open_bench(browser_for_viewer: Browser) -> Iterator[Callable[..., Bench]]:
    opened: list[Any] = []
    broken: list[str] = []

    def start(series: FakeSeries, viewport: Any = DESK, *, ratio: float = 1, **options: Any) -> Bench:
        server = FakeServer([series], title=series.title)
        server.face = "dentist"
        server.behaviour.heartbeat_s = 0.5
        context = browser_for_viewer.new_context(viewport=viewport, device_scale_factor=ratio, **options)
        opened.extend((context, server))
        page = context.new_page()
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda line: broken.append(line.text) if "Content Security" in line.text else None)
        page.goto(server.url)
        page.wait_for_selector("#viewer[data-state=shown]")
        expect(page.locator("[data-part=progress]")).to_be_hidden()
        return Bench(page, server)

    yield start
    for one in opened:
        one.close()
    assert broken == []


def check_beads(bench: Bench, zoom: float) -> None:
    """200 mm over the stage's width are 3 px a mm in 600 px; the beads lie 20 mm either side of the middle."""
    half = 20 * zoom * bench.stage["width"] / 200
    picture = bench.picture()
    middle = picture.shape[0] // 2
    ratio = picture.shape[1] / bench.stage["width"]
    for side in (-half, half):
        x = round((bench.stage["width"] / 2 + side) * ratio)
        assert picture[middle - 1, x - 1 : x + 1].min() > 200  # the mouse goes where the bead is
    bench.do("distance")
    bench.pull((-half, 0), (0, 3), (half, 0))
    bench.do("cross")
    (said,) = bench.measured
    assert abs(float(re.fullmatch(r"Distance: ([\d.]+) mm", said)[1]) - 40) <= 0.1  # type: ignore[index]
    bench.do("remove")


def zoom_to_four(bench: Bench, ratio: float = 1) -> None:
    bench.page.mouse.move(*bench.at(0, 0))
    bench.page.keyboard.down("Control")
    bench.page.mouse.wheel(0, -277.2589 * ratio)  # 200 ln 4; Chromium takes these for pixels of the screen
    bench.page.keyboard.up("Control")


NOTE_DRAWINGS = """() => {
  window.boxes = new Set();
  const real = WebGL2RenderingContext.prototype.drawArrays;
  WebGL2RenderingContext.prototype.drawArrays = function (...how) {
    window.boxes.add(this.getParameter(this.VIEWPORT).join());
    return real.apply(this, how);
  };
}"""


@pytest.mark.slow
def test_v14_only_the_pane_that_moves_is_drawn_anew(
    open_bench: Callable[..., Bench], cbct: FakeSeries
) -> None:
    bench = open_bench(cbct)
    bench.do("hide")  # the crosshair's lines move in every pane
    before = bench.picture()
    bench.page.evaluate(NOTE_DRAWINGS)
    bench.page.get_by_role("slider").press("ArrowRight")
    expect(bench.page.locator("[data-part=place]")).to_have_text("39 / 75")
    after = bench.picture()
    assert len(bench.page.evaluate("[...window.boxes]")) == 1
    half = before.shape[1] // 2
    # The names of the panes stay too; the axial one is on the left.
    assert (after[:, half + 2 :] == before[:, half + 2 :]).all()
    assert after[:, half + 2 :].max() > 200
    assert (after[:, : half - 2] != before[:, : half - 2]).any()
    bench.do("invert")
    bench.picture()
    assert len(bench.page.evaluate("[...window.boxes]")) == 3


@pytest.mark.parametrize(
    ("spacing", "directions", "ratio"),
    [
        ([1.0, 2.0, 2.0], None, 1),
        pytest.param([0.5, 1.0, 1.0], TILTED, 2, marks=pytest.mark.slow),
        pytest.param([0.5, 0.25, 0.25], None, 3, marks=pytest.mark.slow),
    ],
)
def test_v3_distance_between_the_beads(
    open_bench: Callable[..., Bench], spacing: list[float], directions: Any, ratio: float
) -> None:
    bench = open_bench(beads(spacing, directions), NARROW, ratio=ratio)
    bench.page.get_by_role("button", name="Coronal").click()
    bench.do("hide")
    check_beads(bench, 1)
    zoom_to_four(bench, ratio)
    check_beads(bench, 4)
    bench.page.set_viewport_size({"width": 500, "height": 700})
    bench.picture()
    check_beads(bench, 4)


@pytest.mark.slow
def test_v4_and_the_tools_of_a_sitting(open_bench: Callable[..., Bench]) -> None:
    """One page, for the browser is the dear part: each paragraph is a tool."""
    bench = open_bench(beads([1.0, 2.0, 2.0]))
    page = bench.page
    box = bench.stage

    # Three planes: axial on the left half, coronal over sagittal on the right.
    assert page.locator("[data-set=layout]").input_value() == "mpr"
    quarter = box["width"] / 4

    # Angle, on the axial pane.
    bench.do("angle")
    bench.pull((-quarter - 60, 0), (-quarter, 0))
    bench.pull((-quarter, -60), (-quarter, -70))
    assert len(bench.measured) == 1
    assert abs(float(re.fullmatch(r"Angle: ([\d.]+)°", bench.measured[0])[1]) - 90) <= 0.5  # type: ignore[index]
    bench.do("remove")
    assert bench.measured == []

    # The crosshair: a pull on the axial pane moves the other planes.
    bench.do("cross")
    page.get_by_role("button", name="Coronal").click()
    assert bench.place == "5 / 8"
    page.get_by_role("button", name="Sagittal").click()
    assert bench.place == "51 / 100"
    page.get_by_role("button", name="Axial").click()
    bench.pull((-quarter + 20, 0), (-quarter + 60, 0))
    page.get_by_role("button", name="Sagittal").click()
    wanted = 51 + round(60 / (box["width"] / 2) * 100)
    assert abs(int(bench.place.split()[0]) - wanted) <= 1
    before = bench.picture()

    # Turning it turns the other planes, and Reset straightens them.
    page.get_by_role("button", name="Axial").click()
    page.locator("[data-part=stage]").focus()
    for _ in range(4):
        page.keyboard.press("e")
    turned = bench.picture()
    right = slice(before.shape[1] // 2 + 8, None)
    assert (np.abs(turned - before)[:, right] > 30).sum() > 500
    page.keyboard.press("r")
    page.get_by_role("button", name="Sagittal").click()
    straight = bench.picture()
    assert (np.abs(straight - before)[:, right] > 30).sum() == 0

    # Window: the right button, the presets, invert.
    bench.do("invert")
    inverted = bench.picture()
    assert inverted.mean() > before.mean() + 20
    bench.do("invert")
    page.get_by_label("Brightness").select_option("Soft tissue")
    assert np.abs(bench.picture() - before).max() > 30
    page.get_by_label("Brightness").select_option("As recorded")
    assert np.abs(bench.picture() - before).max() == 0
    bench.pull((quarter, 40), (quarter, 200), button="right")
    assert bench.picture().mean() > before.mean() + 5  # pulled down: brighter
    page.keyboard.press("w")  # the next preset, which sets centre and width

    # Slab: brighter through the beads than a thin cut beside them.
    page.get_by_label("Slab", exact=True).and_(page.locator("select")).select_option("Slab max")
    expect(page.get_by_label("Slab thickness in mm")).to_be_enabled()
    assert page.get_by_label("Slab thickness in mm").input_value() == "6"

    # Layout by key and by double click.
    page.locator("[data-part=stage]").focus()
    page.keyboard.press("l")
    assert page.locator("[data-set=layout]").input_value() == "single"
    page.mouse.dblclick(*bench.at(30, 30))
    assert page.locator("[data-set=layout]").input_value() == "mpr"


LOSE = """() => new Promise((resolve) => {
  const canvas = document.querySelector("[data-part=canvas]");
  const away = canvas.getContext("webgl2").getExtension("WEBGL_lose_context");
  canvas.addEventListener("webglcontextrestored", () => resolve(), { once: true });
  canvas.addEventListener("webglcontextlost", () => setTimeout(() => away.restoreContext()), { once: true });
  away.loseContext();
})"""


@pytest.mark.slow
def test_v21_v22_bench_comes_back_as_it_was_and_goes_without_a_trace(
    open_bench: Callable[..., Bench],
) -> None:
    bench = open_bench(beads([1.0, 2.0, 2.0]))
    page = bench.page
    quarter = bench.stage["width"] / 4
    page.evaluate("() => { window.print = () => {}; }")
    bench.do("distance")
    bench.pull((-quarter - 40, 10), (-quarter + 40, 10))
    bench.do("invert")
    page.locator("[data-part=stage]").focus()
    for _ in range(3):
        page.keyboard.press("e")
    before, said = bench.picture(), bench.measured
    page.evaluate(LOSE)
    expect(page.locator("[data-part=status]")).to_have_text("The pictures are ready.")
    expect(page.locator("[data-part=progress]")).to_be_hidden()
    assert bench.measured == said
    assert (np.abs(bench.picture() - before) > 8).mean() < 0.001

    bench.do("print")
    assert page.locator("canvas").count() == 3  # picture, lines, paper
    bench.server.behaviour.ended_status = 410
    expect(page.get_by_role("heading", name="Access to these images has ended.")).to_be_visible()
    assert page.locator("canvas, img, dialog").count() == 0
    assert "mm" not in page.locator("body").inner_text()


def test_v17_measure_and_leave_with_the_keyboard_alone(open_bench: Callable[..., Bench]) -> None:
    bench = open_bench(beads([1.0, 2.0, 2.0]), NARROW)
    page = bench.page
    page.locator("[data-part=stage]").focus()
    page.keyboard.press("d")
    page.keyboard.press("Enter")
    for _ in range(6):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    assert bench.measured == ["Distance: 20.0 mm"]  # 60 px at 3 px a mm
    expect(page.locator("[data-do=distance]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator("[data-do=cross]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowUp")  # the slices again
    assert bench.place == "52 / 100"
    page.keyboard.press("Backspace")
    assert bench.measured == []
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press(" ")
    expect(page.locator("[data-part=place]")).not_to_have_text("52 / 100")
    page.keyboard.press(" ")


def test_sheet_of_keys_lists_every_key_and_no_other(run: Run) -> None:
    known = set(run("keys", "return Object.keys(m.KEYS)"))
    sheet = (PROJECT / "templates/viewer/_keys.html").read_text()
    listed = {given or shown for given, shown in re.findall(r'<kbd data-key(?:="(.)")?>(.*?)</kbd>', sheet)}
    assert listed == known


def test_every_button_has_a_deed(run: Run) -> None:
    tools = (PROJECT / "templates/viewer/_tools.html").read_text()
    script = (PROJECT / "static/js/viewer/tools.js").read_text()
    named = set(re.findall(r"data-do=\"(\w+)\"", tools)) | set(run("keys", "return Object.values(m.KEYS)"))
    assert named == set(re.findall(r"^      (\w+): \(\) =>", script, re.MULTILINE))


PAINTED = """
const { basesOf, spaceOf } = await import("/static/js/viewer/space.js");
const space = spaceOf(arg.series);
const bases = basesOf(space.axes);
const bench = { space, unturned: bases, cross: { at: space.middle, bases }, slab: { mm: 0 }, words: (key) => key };
const pane = new m.PlanePane(bench, arg.view);
pane.box = { x: 0, y: 0, width: 200, height: 100 };
const said = {};
const side = (x, y) => (x < 50 ? "left" : x > 150 ? "right" : y < 50 ? "top" : "bottom");
pane.paint({ width: 200, height: 100, line() {}, ring() {}, text: (word, [x, y]) => { said[side(x, y)] = word; } });
return { said, implant: pane.toScreen(arg.implant.map((v, i) => (v + 0.5) * space.spacing[i])) };
"""


@pytest.mark.parametrize("flips", [(), (0, 1), (2,), (0, 2), (1,)], ids=str)
def test_v5_implant_of_the_left_is_seen_under_l(run: Run, flips: tuple[int, ...]) -> None:
    """Whichever way the series is stored: rows, columns and slices from either end."""
    directions = np.eye(3)
    implant = np.array([30, 5, 15])  # left, front, towards the head, of 40 x 30 x 20
    for axis in flips:
        directions[axis] *= -1
        implant[axis] = (39, 29, 19)[axis] - implant[axis]
    facts = {"kind": "volume", "Columns": 40, "Rows": 30, "NumberOfFrames": 20, "spacing_mm": [0.6, 0.4, 0.5]}
    for view in ("axial", "coronal", "sagittal"):
        found = run("plane_pane", PAINTED, {
            "series": {**facts, "directions": directions.tolist()}, "view": view, "implant": implant.tolist(),
        })  # fmt: skip
        x, y = found["implant"]
        letters = {"axial": ("right", "left", "front", "back"), "coronal": ("right", "left", "head", "feet"),
                   "sagittal": ("front", "back", "head", "feet")}[view]  # fmt: skip
        assert tuple(found["said"][side] for side in ("left", "right", "top", "bottom")) == letters
        assert (x > 100) == (view != "sagittal")
        assert y < 50


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({}, "5.0 mm"),
        ({"spacing_calibrated": False}, "5.0 mm (not to scale)"),
        ({"spacing_mm": None}, "not to scale"),
    ],
)
def test_v3_length_without_calibration_says_so(run: Run, changes: dict[str, Any], label: str) -> None:
    body = """
    const measures = new m.Measures({ series: arg, words: (key) => (key === "unscaled" ? "not to scale" : key) });
    return measures.label({ kind: "distance", points: [[1, 1, 0], [4, 5, 0]] });
    """
    assert run("measures", body, {"spacing_mm": [1, 1, 1], "spacing_calibrated": True, **changes}) == label


def test_turned_cut_names_both_sides_it_looks_to(run: Run) -> None:
    body = """
    const space = m.spaceOf(arg);
    const { coronal } = m.basesOf(space.axes);
    const about = space.axes[2];
    return [0.2, Math.PI / 4, 1.4].map((angle) => m.lettersOf(m.turned(coronal, about, angle).right, space));
    """
    series = {
        "Columns": 9,
        "Rows": 9,
        "NumberOfFrames": 9,
        "spacing_mm": None,
        "directions": np.eye(3).tolist(),
    }
    assert run("space", body, series) == [["left"], ["left", "back"], ["back"]]
    assert run("space", body, {**series, "directions": None}) == [[], [], []]


def test_many_small_turns_end_where_one_would(run: Run) -> None:
    body = """
    const { axial } = m.basesOf([[1, 0, 0], [0, 1, 0], [0, 0, 1]]);
    const about = [0.6, 0.8, 0];
    let basis = axial;
    for (let i = 0; i < 500; i += 1) basis = m.turned(basis, about, 0.005);
    const once = m.turned(axial, about, 2.5);
    return [basis.normal.map((v, i) => v - once.normal[i]), m.dot(basis.right, basis.down), m.length(basis.down)];
    """
    off, square, size = run("space", body)
    assert off == pytest.approx([0, 0, 0], abs=1e-9)
    assert (square, size) == (pytest.approx(0, abs=1e-12), pytest.approx(1))


@pytest.mark.parametrize("colour", ["axial", "coronal", "sagittal", "measure", "letter"])
def test_v18_lines_are_seen_on_every_grey(run: Run, colour: str) -> None:
    """Each line has a dark edge: on any grey one of the two stands out by 3:1 (WCAG 1.4.11)."""
    line, edge = run("pen", "return [m.COLOURS[arg], '#0b0f14']", colour)

    def luminance(*parts: float) -> float:
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def of(code: str) -> float:
        return luminance(*(int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)))

    for grey in range(256):
        ground = luminance(*[grey / 255] * 3)
        best = max((max(one, ground) + 0.05) / (min(one, ground) + 0.05) for one in (of(line), of(edge)))
        assert best >= 3, grey


def test_letters_are_there_with_the_first_drawing(open_bench: Callable[..., Bench]) -> None:
    """A small picture comes in one piece and is drawn once; what lies over it must not wait for a second time."""
    grey = np.full((1, 32, 40), 90, np.uint8)
    bench = open_bench(FakeSeries("io", "Tooth X-ray", "image", grey, (128, 256)))
    overlay = (
        "() => { const one = document.querySelector('.viewer-overlay'); return [one.width, one.height]; }"
    )
    assert bench.page.evaluate(overlay) == [round(bench.stage[side]) for side in ("width", "height")]
