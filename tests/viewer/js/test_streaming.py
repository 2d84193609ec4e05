"""How the picture comes: coarse first, the visible slice first, in few requests; and what a fault looks like."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from portal.phantom.people import INVENTED
from portal.phantom.volume import Grid, scan
from tests.flows.installation import wait_for

from .fake_server import FakeServer
from .fake_study import FakeSeries, phantom_series
from .test_hands import PHONE

Serve = Callable[..., FakeServer]
OpenPage = Callable[..., Page]
HEADERS = 1000  # bytes of an answer, at most
MISSING = "Part of this picture could not be loaded. It is shown striped."


def batches(server: FakeServer) -> list[tuple[int, str]]:
    """Level and ranges of each batch asked for."""
    found = [re.search(r"/levels/(\d+)/frames/([\d,-]+)$", path) for path in server.requests]
    return [(int(match[1]), match[2]) for match in found if match]


def items_of(ranges: str) -> list[int]:
    """How many items each range has."""
    ends = [one.split("-") for one in ranges.split(",")]
    return [int(end[-1]) - int(end[0]) + 1 for end in ends]


def wait_for_detail(page: Page) -> None:
    expect(page.locator("[data-part=progress]")).to_be_hidden()


def test_whole_coarse_level_comes_in_one_request_then_full_detail(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    server = serve(cbct)
    page = open_page(server)
    wait_for_detail(page)
    asked = batches(server)
    # The slice in view and its neighbours first; frame 37 of 75 is in frame 18 of 38.
    assert asked[0] == (1, "18-19,17,0-16,20-37")
    assert asked[1][0] == 0
    assert asked[1][1].startswith("37-38,36,")
    assert {level for level, _ in asked[1:]} == {0}
    assert len(server.requests) - sum(path.startswith("/static") for path in server.requests) <= 25


# Shaders that ask which parts are here: several times the work of those that needn't.
COUNT_MASKED = """
window.masked = 0;
const source = WebGL2RenderingContext.prototype.shaderSource;
WebGL2RenderingContext.prototype.shaderSource = function (shader, text) {
  if (text.includes("fineMask") && !text.includes("#define WHOLE")) window.masked += 1;
  return source.call(this, shader, text);
};
"""


def test_v12_three_items_make_the_first_picture_and_no_masked_shader_is_made(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    """What a phone waits for longest on its first picture is the making of shaders."""
    server = serve(cbct)
    server.behaviour.items_at_once = 3
    page = open_page(server, script=COUNT_MASKED)
    assert brightness(page) > 20
    assert len(batches(server)) == 1
    server.behaviour.goes_on.set()
    wait_for_detail(page)
    for view in ("Front", "From above"):
        page.get_by_role("button", name=view).click()
        wait_for(lambda: brightness(page) > 20)
    assert page.evaluate("window.masked") == 0


def test_v12_small_picture_stays_until_the_slice_in_view_is_here(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    """However long its neighbour takes; across the slices what has come is shown before long."""
    server = serve(cbct)
    server.behaviour.items_at_once = 1
    page = open_page(server, wait=None, script=COUNT_UPLOADS, has_movable_clock=True)
    wait_for(lambda: page.evaluate("window.uploads") == 2)  # the voxel that warms the shader, and the slice
    page.clock.fast_forward(10_000)
    page.clock.run_for(100)
    viewer = page.locator("#viewer")
    expect(viewer).to_have_attribute("data-state", "loading")
    expect(page.locator("[data-part=image]")).to_be_visible()
    page.get_by_role("button", name="Front").click()
    page.clock.run_for(100)
    expect(viewer).to_have_attribute("data-state", "shown")
    server.behaviour.goes_on.set()
    page.clock.resume()
    wait_for(lambda: brightness(page) > 20)


COUNT_UPLOADS = """
window.uploads = 0;
const upload = WebGL2RenderingContext.prototype.texSubImage3D;
WebGL2RenderingContext.prototype.texSubImage3D = function (...how) {
  window.uploads += 1;
  return upload.apply(this, how);
};
"""


@pytest.mark.slow
def test_batches_stay_small_on_a_slow_line(serve: Serve, open_page: OpenPage) -> None:
    """At 1 MB a second none takes longer than 0.7 s, though the server would give 4 MiB; 128 kB a frame."""
    noise = np.random.default_rng(5).integers(0, 2**16, (40, 256, 256), np.uint16)
    server = serve(phantom_series(frames=noise))
    server.behaviour.bytes_per_s = 1_000_000
    wait_for_detail(open_page(server))
    lengths = [sum(items_of(ranges)) for level, ranges in batches(server) if level == 0]
    assert sum(lengths) == 40
    assert max(lengths) <= 6


@pytest.mark.slow
def test_batches_halve_when_the_server_finds_them_too_big(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    server = serve(cbct)
    page = open_page(server, wait=None)
    biggest = max(map(len, cbct.items[0])) + 8
    server.behaviour.batch_bytes = biggest * 2
    page.reload()
    page.wait_for_selector("#viewer[data-state=shown]")
    wait_for_detail(page)
    expect(page.locator("[data-part=status]")).to_have_text("The pictures are ready.")


@pytest.mark.parametrize(
    "damage",
    ["flip", *(pytest.param(one, marks=pytest.mark.slow) for one in ("short", "long", "swap", "missing"))],
)
def test_v23_damaged_items_are_striped_and_said(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries, damage: str
) -> None:
    server = serve(cbct)
    server.behaviour.damaged = {(0, 37): damage}
    page = open_page(server)
    wait_for_detail(page)
    expect(page.locator("[data-part=status]")).to_have_text(MISSING)
    wait_for(lambda: is_striped(page))
    server.behaviour.damaged = {}
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-part=status]")).to_have_text("The pictures are ready.")
    wait_for(lambda: not is_striped(page))


@pytest.mark.slow
def test_v23_item_the_server_cannot_give_is_striped_alone(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    server = serve(cbct)
    server.behaviour.busy_items = {(0, 12)}
    page = open_page(server)
    page.locator("[data-part=slider]").fill("12")
    expect(page.locator("[data-part=status]")).to_have_text(MISSING, timeout=30_000)
    wait_for_detail(page)
    wait_for(lambda: is_striped(page))
    page.locator("[data-part=slider]").fill("20")
    wait_for(lambda: not is_striped(page))


@pytest.mark.slow
def test_p16_picture_stays_while_the_network_is_gone_and_goes_on_after(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    server = serve(cbct)
    server.behaviour.bytes_per_s = 300_000
    server.behaviour.heartbeat_s = 0.3
    page = open_page(server)
    page.context.set_offline(True)
    status = page.locator("[data-part=status]")
    expect(status).to_have_text("No connection. Trying again.")
    wait_for(lambda: brightness(page) > 20)
    server.behaviour.bytes_per_s = 0
    page.context.set_offline(False)
    expect(status).to_have_text("The pictures are ready.")
    wait_for_detail(page)


def test_v9_refused_texture_gives_a_smaller_picture_and_says_so(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    script = """
    const real = WebGL2RenderingContext.prototype.texStorage3D;
    const error = WebGL2RenderingContext.prototype.getError;
    let refused = false;
    WebGL2RenderingContext.prototype.texStorage3D = function (...args) {
      refused = args[3] > 100;
      if (!refused) real.apply(this, args);
    };
    WebGL2RenderingContext.prototype.getError = function () {
      const answer = refused ? this.OUT_OF_MEMORY : error.call(this);
      refused = false;
      return answer;
    };
    """
    page = open_page(serve(cbct), script=script)
    expect(page.locator("[data-part=status]")).to_contain_text("A smaller version is shown.")
    wait_for_detail(page)
    wait_for(lambda: brightness(page) > 20)


def test_stack_shows_each_frame_as_it_comes(serve: Serve, open_page: OpenPage) -> None:
    frames = np.stack([np.full((90, 120), 40 * i, np.uint8) for i in range(1, 6)])
    server = serve(FakeSeries("cine", "Cine", "stack", frames, (128, 256)))
    page = open_page(server)
    wait_for_detail(page)
    for index in (0, 4):
        page.locator("[data-part=slider]").fill(str(index))
        wait_for_brightness(page, 40 * (index + 1))


@pytest.mark.slow
def test_big_image_gets_more_detail_when_zoomed(serve: Serve, open_page: OpenPage) -> None:
    image = (np.indices((900, 1300)).sum(0) % 256).astype(np.uint8)[None]
    server = serve(FakeSeries("pano", "Panoramic X-ray", "image", image, (128, 256), strip_rows=256))
    page = open_page(server)
    wait_for_detail(page)
    page.wait_for_timeout(400)
    assert 0 not in {level for level, _ in batches(server)}
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").click()
    wait_for(lambda: (0, "0-3") in batches(server))


@pytest.mark.slow
def test_thin_stack_of_a_volume_is_detailed_at_rest_when_memory_is_short(
    serve: Serve, open_page: OpenPage
) -> None:
    server = serve(phantom_series(id="big"))
    page = open_page(server, script="""
      const real = WebGL2RenderingContext.prototype.getParameter;
      WebGL2RenderingContext.prototype.getParameter = function (name) {
        return name === this.MAX_ARRAY_TEXTURE_LAYERS ? 64 : real.call(this, name);
      };""")  # fmt: skip
    wait_for_detail(page)
    wait_for(lambda: batches(server)[-1] == (0, "37"))
    page.locator("[data-part=slider]").fill("50")
    wait_for(lambda: batches(server)[-1] == (0, "50"))
    page.get_by_role("button", name="Front").click()
    page.wait_for_timeout(500)
    assert batches(server)[-1] == (0, "50")  # across the frames there is no single frame to fetch


def middle_of(page: Page) -> np.ndarray:
    """The picture's middle as people see it, rows x columns x 3."""
    import io

    from PIL import Image

    box = page.locator("[data-part=stage]").bounding_box()
    assert box
    clip = {
        "x": box["x"] + box["width"] / 2 - 30,
        "y": box["y"] + box["height"] / 2 - 30,
        "width": 60,
        "height": 60,
    }
    return np.array(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")).astype(float)


def brightness(page: Page) -> float:
    return float(middle_of(page).mean())


def wait_for_brightness(page: Page, grey: int) -> None:
    wait_for(lambda: abs(brightness(page) - grey) <= 2, why=lambda: f"{brightness(page)}, not {grey}")


def is_striped(page: Page) -> bool:
    middle = middle_of(page)
    return bool(((middle[..., 0] - middle[..., 2]) > 3).mean() > 0.9)


@pytest.mark.slow
def test_v12_a_phone_pays_at_most_7_megabytes_in_25_requests(serve: Serve, open_page: OpenPage) -> None:
    """Of a scan of 800 x 800 x 640 until its level of 200 x 200 x 160 is there; noise as an invented scanner's."""
    hu = scan(INVENTED[0], Grid.centred((160, 200, 200), 0.4), 7).hu
    series = phantom_series(frames=np.clip(hu.astype(np.int32) + 1000, 0, 4095).astype(np.uint16))
    server = serve(series)
    server.behaviour.bytes_per_s = 9_000_000 / 8
    wait_for_detail(open_page(server, **PHONE))
    # This scan ends where that one's third level does; the level before it is one request more.
    assert len(server.sent) + 1 <= 25
    all_bytes = sum(server.sent) + sum(map(len, series.items[1])) + HEADERS * len(server.sent)
    assert sum(map(len, series.items[0])) < all_bytes <= 7_000_000


@pytest.mark.slow
def test_v14_every_slice_is_drawn(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    page = open_page(serve(cbct), script=COUNT_DRAWINGS)
    wait_for_detail(page)
    drawn = page.evaluate("""async () => {
      const slider = document.querySelector("[data-part=slider]");
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      const seen = [];
      for (slider.value = 0; seen.length < 20; slider.stepUp()) {
        const before = window.drawings;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        await frame();
        await frame();
        seen.push(window.drawings - before);
      }
      return seen;
    }""")
    assert min(drawn) >= 1


COUNT_DRAWINGS = """
window.drawings = 0;
const real = WebGL2RenderingContext.prototype.drawArrays;
WebGL2RenderingContext.prototype.drawArrays = function (...how) {
  window.drawings += 1;
  return real.apply(this, how);
};
"""


def test_v15_few_requests_bring_many_frames(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    """What makes it quick where each request takes 60 ms; the time itself is the bench's."""
    server = serve(cbct)
    wait_for_detail(open_page(server))
    asked = batches(server)
    assert sum(sum(items_of(ranges)) for _, ranges in asked) == 38 + 75
    assert len(asked) <= 0.1 * (38 + 75)


def test_v27_what_is_no_longer_wanted_is_not_asked_for(serve: Serve, open_page: OpenPage) -> None:
    """Another series is chosen while one streams: its batches under way are broken off, and no more are asked for."""
    noise = np.random.default_rng(5).integers(0, 2**16, (40, 256, 256), np.uint16)
    other = FakeSeries("other", "Other", "image", np.full((1, 90, 120), 99, np.uint8), (128, 256))
    server = serve(phantom_series(frames=noise), other)
    server.behaviour.bytes_per_s = 800_000
    asked: list[str] = []
    page = open_page(server)
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_event("requestfailed", lambda request: "/series/cbct/levels/0/" in request.url):
        page.locator("[data-part=series] button", has_text="Other").click()
    expect(page.get_by_role("img", name="Other, Picture, picture 1 of 1")).to_be_visible()
    page.wait_for_selector("#viewer[data-state=shown]")
    before = [url for url in asked if "/series/cbct/levels/" in url]
    wait_for_detail(page)
    assert [url for url in asked if "/series/cbct/levels/" in url] == before
