"""Chromium on a real installation: phones, desks and a browser without scripts, each watched for trouble."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright

from tests.browser.screen import Screen
from tests.chromium import launch
from tests.flows.desk import Desk
from tests.flows.installation import Installation

KINDS: dict[str, dict[str, Any]] = {
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    },
    "small": {
        "viewport": {"width": 320, "height": 568},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    },
    "desk": {"viewport": {"width": 1280, "height": 800}},
}

OpenScreen = Callable[..., Screen]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright, has_webgl=True)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def chromium_without_webgl(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where the screenshots go: the folder that SCANPASS_SCREENSHOTS names, if any. Taking them doubles the time."""
    if not (chosen := os.environ.get("SCANPASS_SCREENSHOTS")):
        return None
    Path(chosen).mkdir(parents=True, exist_ok=True)
    return Path(chosen)


@pytest.fixture
def screens(chromium: Browser, demo: Installation, pictures: Path | None) -> Iterator[OpenScreen]:
    """`screens("phone", locale="es-MX")`: a browser of its own; the test fails if any page of it had trouble.

    `at` is another installation than the demo; `of` is someone who signed in over HTTP and now sits at the screen.
    """
    opened: list[Screen] = []

    def open_screen(
        kind: str,
        *,
        browser: Browser = chromium,
        at: Installation = demo,
        of: Desk | None = None,
        **options: Any,
    ) -> Screen:
        facts = {"base_url": at.base_url, "locale": "en-US", "timezone_id": "America/Los_Angeles"}
        context = browser.new_context(**facts, **KINDS[kind], **options)
        if of:
            kept = [{"name": one.name, "value": one.value, "url": at.base_url} for one in of.browser.jar]
            context.add_cookies(kept)
        opened.append(Screen(context.new_page(), at.base_url, pictures))
        return opened[-1]

    yield open_screen
    troubles = [trouble for screen in opened for trouble in screen.troubles()]
    for screen in opened:
        screen.page.context.close()
    assert troubles == []


@pytest.fixture(scope="session")
def omar(demo: Installation) -> Desk:
    """The owner of the practice."""
    return Desk(demo, "omar").sign_in()


@pytest.fixture(scope="session")
def clara(demo: Installation) -> Desk:
    """A clinician who prepares things over HTTP while others are on the screen."""
    return Desk(demo, "clara").sign_in()
