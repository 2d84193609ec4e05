"""A real browser on a fake server. Modules are tested where they live: in Chromium, under the product's policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright

from tests.chromium import launch
from tests.engines import ENGINES, Engine

from .fake_server import FakeServer
from .fake_study import FakeSeries, phantom_series


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        needs = getattr(item, "fixturenames", ())
        if Path(__file__).parent in item.path.parents and {"browser_for_viewer", "run"}.intersection(needs):
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

    def open_it(
        server: FakeServer,
        *,
        wait: str | None = "shown",
        script: str = "",
        has_movable_clock: bool = False,
        **options: Any,
    ) -> Page:
        facts: dict[str, Any] = {"viewport": {"width": 390, "height": 700}, **options}
        context = browser_for_viewer.new_context(**facts)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda line: broken.append(line.text) if "Content Security" in line.text else None)
        if script:
            page.add_init_script(script)
        if has_movable_clock:
            page.clock.install()
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
def other_engine(
    module_server: FakeServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Engine]]:
    """Firefox or WebKitGTK, started at the first wish, on a page of the product's origin under its policy."""
    with ExitStack() as running:
        started: dict[str, Engine] = {}

        def start(name: str) -> Engine:
            if name not in started:
                started[name] = running.enter_context(ENGINES[name](tmp_path_factory.mktemp(name)))
                started[name].go(f"{module_server.url}/blank")
            return started[name]

        yield start


@pytest.fixture(scope="session")
def in_chromium(browser_for_viewer: Browser, module_server: FakeServer) -> Iterator[Callable[..., Any]]:
    context = browser_for_viewer.new_context()
    page = context.new_page()
    page.goto(f"{module_server.url}/blank")
    yield lambda body, argument: page.evaluate(f"async (arg) => {{ {body} }}", argument)
    context.close()


@pytest.fixture(scope="session")
def run(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Run a function body with one of the viewer's modules: `run("codec", "return m.halfBits(arg)", 1)`.

    In Chromium, and in the others too for tests marked `@every_engine`.
    """
    name = getattr(request, "param", "chromium")

    def evaluate(module: str, body: str, argument: Any = None) -> Any:
        script = f"const m = await import('/static/js/viewer/{module}.js'); {body}"
        if name == "chromium":
            return request.getfixturevalue("in_chromium")(script, argument)
        engine = request.getfixturevalue("other_engine")(name)
        return engine.run(f"const arg = arguments[0]; {script}", argument)

    return evaluate
