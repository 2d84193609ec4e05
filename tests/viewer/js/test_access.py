"""When access ends, everything goes: pictures, textures, words, requests. Whatever the way it ends."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from .fake_server import STUDY, FakeServer
from .fake_study import FakeSeries

Serve = Callable[..., FakeServer]
OpenPage = Callable[..., Page]


def expect_nothing_left(page: Page, server: FakeServer) -> None:
    expect(page.locator("#viewer[data-state=ended]")).to_be_visible()
    expect(page.get_by_role("heading")).to_have_text("Access to these images has ended.")
    expect(page.locator("#viewer p")).to_have_text("Call Smile Dental: (555) 010-0199.")
    expect(page.locator("#viewer canvas, #viewer img")).to_have_count(0)
    assert "Cone-beam" not in page.locator("body").inner_text()
    asked: list[str] = []  # as the page asks: what it asked before may reach the server only now
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(500)
    assert asked == []


@pytest.mark.parametrize(
    "status", [410, *(pytest.param(one, marks=pytest.mark.slow) for one in (401, 403, 404))]
)
def test_v22_heartbeat_ends_it(serve: Serve, open_page: OpenPage, cbct: FakeSeries, status: int) -> None:
    server = serve(cbct)
    server.behaviour.heartbeat_s = 0.2
    page = open_page(server)
    server.behaviour.ended_status = status
    expect_nothing_left(page, server)


@pytest.mark.slow
def test_v22_refused_batch_ends_it(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    server = serve(cbct)
    server.behaviour.heartbeat_s = 600
    server.behaviour.bytes_per_s = 200_000
    server.behaviour.batch_bytes = 50_000
    page = open_page(server)
    server.behaviour.ended_status = 410
    expect_nothing_left(page, server)


def test_manifest_of_someone_else_shows_nothing(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    server = serve(cbct)
    server.behaviour.ended_status = 404
    expect_nothing_left(open_page(server, wait="ended"), server)


@pytest.mark.slow
def test_busy_server_does_not_end_it(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    server = serve(cbct)
    server.behaviour.heartbeat_s = 0.2
    page = open_page(server)
    server.behaviour.ended_status = 503
    for _ in range(3):
        with page.expect_response(lambda answer: answer.status == 503):
            pass
    expect(page.locator("#viewer[data-state=shown]")).to_be_visible()


@pytest.mark.parametrize(
    "clock_ahead_s",
    [90_000, pytest.param(0, marks=pytest.mark.slow), pytest.param(-90_000, marks=pytest.mark.slow)],
)
def test_v22_expiry_follows_the_servers_clock(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries, clock_ahead_s: float
) -> None:
    server = serve(cbct)
    server.behaviour.clock_ahead_s = clock_ahead_s
    server.behaviour.expires_in_s = 3600
    page = open_page(server, has_movable_clock=True)
    page.clock.fast_forward("50:00")
    expect(page.locator("#viewer[data-state=shown]")).to_be_visible()
    page.clock.fast_forward("10:00")
    expect_nothing_left(page, server)


@pytest.mark.slow
def test_share_that_lives_for_months_is_not_ended_by_a_timer_that_overflows(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    server = serve(cbct)
    server.behaviour.expires_in_s = 90 * 86400
    page = open_page(server)
    page.wait_for_timeout(400)
    expect(page.locator("#viewer[data-state=shown]")).to_be_visible()


def test_v22_leaving_the_page_wipes_it(serve: Serve, open_page: OpenPage, cbct: FakeSeries) -> None:
    server = serve(cbct)
    page = open_page(server)
    page.evaluate("() => { window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })); }")
    lost = page.evaluate("() => document.querySelector('canvas').getContext('webgl2').isContextLost()")
    assert lost
    assert page.locator("#viewer img[src]").count() == 0
    with page.expect_navigation():  # back from the cache: ask the server again
        page.evaluate(
            "() => { window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })); }"
        )
    page.wait_for_selector("#viewer[data-state=shown]")


def test_v24_nothing_is_stored_and_nothing_leaves_the_origin(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    server = serve(cbct)
    page = open_page(server, wait=None)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.wait_for_selector("#viewer[data-state=shown]")
    assert asked
    assert all(url.startswith(server.url + "/") for url in asked)
    stored = page.evaluate("""async () => [localStorage.length, sessionStorage.length, document.cookie,
      (await caches.keys()).length, (await indexedDB.databases()).length,
      (await navigator.serviceWorker.getRegistrations()).length]""")
    assert stored == [0, 0, "", 0, 0, 0]


def test_download_is_offered_only_where_it_is_allowed(
    serve: Serve, open_page: OpenPage, cbct: FakeSeries
) -> None:
    server = serve(cbct)
    page = open_page(server)
    expect(page.get_by_role("link", name="Download")).to_have_attribute("href", f"{STUDY}/download")
    server.behaviour.allows_download = False
    page.reload()
    page.wait_for_selector("#viewer[data-state=shown]")
    expect(page.get_by_role("link", name=re.compile("Download"))).to_have_count(0)


WATCH_POLICY = """
window.broken = [];
addEventListener("securitypolicyviolation", (event) => window.broken.push(event.violatedDirective));
"""


@pytest.mark.slow
@pytest.mark.parametrize("face", ["patient", "dentist"])
def test_v24_no_view_breaks_the_policy(
    serve: Serve, browser_for_viewer: Browser, cbct: FakeSeries, face: str
) -> None:
    server = serve(cbct)
    server.face = face
    context = browser_for_viewer.new_context(viewport={"width": 700, "height": 500})
    context.add_init_script(WATCH_POLICY)
    page = context.new_page()
    page.goto(server.url)
    page.wait_for_selector("#viewer[data-state=shown]")
    for tab in page.locator("[data-part=tabs] button").all():
        tab.click()
        expect(tab).to_have_attribute("aria-pressed", "true")
    if face == "dentist":
        page.get_by_role("button", name="Axial").click()  # 3D, the last, has no ruler
        for deed in ("distance", "invert", "help"):
            page.locator(f"[data-do={deed}]").click()
    assert page.evaluate("window.broken") == []
    page.evaluate("document.body.append(Object.assign(new Image(), { src: 'data:image/gif;base64,' }))")
    page.wait_for_function("window.broken.length")
    assert page.evaluate("window.broken") == ["img-src"], "the watch was awake"
    context.close()
