"""A real browser on a fake server. Modules are tested where they live: in Chromium, under the product's policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright

from tests.chromium import launch

from .fake_server import FakeServer
from .fake_study import FakeSeries, phantom_series


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and "browser_for_viewer" in getattr(
            item, "fixturenames", ()
        ):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_for_viewer(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright, has_webgl=True)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def cbct() -> FakeSeries:
    """The phantom, encoded once for all tests; nobody changes it."""
    return phantom_series()


@pytest.fixture
def serve() -> Iterator[Callable[..., FakeServer]]:
    """Start a fake server with some series; it stops with the test."""
    servers: list[FakeServer] = []

    def start(*series: FakeSeries, **options: Any) -> FakeServer:
        servers.append(FakeServer(list(series), **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def open_page(browser_for_viewer: Browser) -> Iterator[Callable[..., Page]]:
    """Open the viewer's page of a server; the test fails if the page broke its policy or threw."""
    contexts = []
    broken: list[str] = []

    def open_it(server: FakeServer, *, wait: str | None = "shown", script: str = "", **options: Any) -> Page:
        facts: dict[str, Any] = {"viewport": {"width": 390, "height": 700}, **options}
        context = browser_for_viewer.new_context(**facts)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda line: broken.append(line.text) if "Content Security" in line.text else None)
        if script:
            page.add_init_script(script)
        page.goto(server.url)
        if wait:
            page.wait_for_selector(f"#viewer[data-state={wait}]")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert broken == []


@pytest.fixture(scope="session")
def module_server(cbct: FakeSeries) -> Iterator[FakeServer]:
    server = FakeServer([cbct])
    yield server
    server.close()


@pytest.fixture(scope="session")
def run(browser_for_viewer: Browser, module_server: FakeServer) -> Iterator[Callable[..., Any]]:
    """Run a function body with one of the viewer's modules: `run("codec", "return m.halfBits(arg)", 1)`."""
    context = browser_for_viewer.new_context()
    page = context.new_page()
    page.goto(f"{module_server.url}/blank")

    def evaluate(module: str, body: str, argument: Any = None) -> Any:
        script = f"async (arg) => {{ const m = await import('/static/js/viewer/{module}.js'); {body} }}"
        return page.evaluate(script, argument)

    yield evaluate
    context.close()
