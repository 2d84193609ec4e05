"""Without WebGL2, DecompressionStream, workers or scripts there are still pictures, and a sentence that says why."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from .fake_server import FakeServer
from .fake_study import FakeSeries

Serve = Callable[..., FakeServer]
OpenPage = Callable[..., Page]
WHY = "This browser can't run the full viewer, so you see simpler pictures."
LACKS = {
    "webgl": "HTMLCanvasElement.prototype.getContext = () => null;",
    "decompression": "delete window.DecompressionStream;",
    "worker": "window.Worker = function () { throw new Error('no workers'); };",
}


def loaded(page: Page) -> int:
    width: int = page.evaluate("() => document.querySelector('[data-part=image]').naturalWidth")
    return width


@pytest.mark.parametrize(
    "lack", ["webgl", *(pytest.param(lack, marks=pytest.mark.slow) for lack in LACKS if lack != "webgl")]
)
def test_v20_server_pictures_stand_in(serve: Serve, open_page: OpenPage, cbct: FakeSeries, lack: str) -> None:
    server = serve(cbct)
    page = open_page(server, script=LACKS[lack])
    expect(page.get_by_role("status")).to_have_text(WHY)
    assert loaded(page) == 121
    with page.expect_response("**/slices/38.webp"):
        page.get_by_role("button", name="Next slice").click()
    expect(page.get_by_role("img", name="Cone-beam CT, From above, slice 39 of 75")).to_be_visible()
    with page.expect_response("**/previews/coronal.webp"):
        page.get_by_role("button", name="Front").click()
    expect(page.get_by_role("slider")).to_have_count(0)


def test_v20_worker_that_cannot_start_leads_to_server_pictures(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    server = serve(cbct)
    server.behaviour.worker_type = (
        "text/plain"  # the browser refuses to run it, later and without an exception
    )
    page = open_page(server)
    expect(page.get_by_role("status")).to_have_text(WHY)
    assert loaded(page) == 121


@pytest.mark.slow
def test_unknown_codec_leads_to_server_pictures(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    server = serve(cbct)
    manifest = server.manifest
    server.manifest = lambda: {  # type: ignore[method-assign]
        **manifest(), "series": [{**manifest()["series"][0], "codec": "something newer"}],
    }  # fmt: skip
    page = open_page(server)
    expect(page.get_by_role("status")).to_have_text(WHY)
    assert loaded(page) == 121


@pytest.mark.slow
def test_dragging_the_slider_fetches_the_newest_wish_not_each(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    server = serve(cbct)
    page = open_page(server, script=LACKS["webgl"])
    server.behaviour.delay_s = 0.3
    before = len(server.requests)
    with page.expect_response("**/slices/59.webp"):
        page.evaluate(DRAG)
    page.wait_for_timeout(400)  # nothing comes behind it
    slices = [path.rpartition("/")[2] for path in server.requests[before:] if "/slices/" in path]
    assert slices == ["40.webp", "59.webp"]


# In one go, quicker than any answer.
DRAG = """() => {
  const slider = document.querySelector("[data-part=slider]");
  for (let index = 40; index < 60; index += 1) {
    slider.value = index;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }
}"""

LOSE = """() => {
  window.lost = document.querySelector("canvas").getContext("webgl2").getExtension("WEBGL_lose_context");
  lost.loseContext();
}"""


def test_v21_lost_context_comes_back_at_the_same_place(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    page = open_page(serve(cbct))
    page.get_by_role("button", name="Front").click()
    page.locator("[data-part=slider]").fill("70")
    page.evaluate(LOSE)
    expect(page.get_by_role("status")).to_have_text("The picture is coming back.")
    page.evaluate("() => lost.restoreContext()")
    expect(page.locator("#viewer[data-state=shown][data-engine=canvas]")).to_be_visible()
    expect(page.get_by_role("img", name="Cone-beam CT, Front, slice 71 of 101")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("The pictures are ready.")


@pytest.mark.slow
def test_v21_context_lost_for_good_leads_to_server_pictures(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    page = open_page(serve(cbct))
    page.locator("[data-part=slider]").fill("50")
    page.evaluate(LOSE)
    expect(page.get_by_role("status")).to_have_text(WHY)
    expect(page.get_by_role("img", name="Cone-beam CT, From above, slice 51 of 75")).to_be_visible()
    assert loaded(page) == 121


def test_v20_without_scripts_there_is_a_form(
    serve: Serve, browser_for_viewer: Browser, cbct: FakeSeries
) -> None:
    context = browser_for_viewer.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(serve(cbct).url)
    expect(page.get_by_text("For information only.")).to_be_visible()
    expect(page.get_by_role("img", name="Cone-beam CT, picture 38 of 75")).to_be_visible()
    page.get_by_label("Picture, 1 to 75").fill("12")
    page.get_by_role("button", name="Show").click()
    assert page.url.endswith("?series=cbct&slice=12")
    expect(page.locator("[data-part=stage]")).to_be_hidden()
    context.close()
