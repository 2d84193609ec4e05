"""The machine's own Chromium, started for a test; one Playwright serves a whole test process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

# Pictures are drawn by the processor, beside two other test processes: waiting longer costs only where it's in vain.
expect.set_options(timeout=20_000)

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# Without these it looks for its maker's hosts at every start, and can't run as root.
_QUIET = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# The software renderer of WebGL, so that a machine without a graphics card draws too.
_WITH_WEBGL = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
_WITHOUT_WEBGL = ["--disable-gpu", "--disable-3d-apis"]

# From source the styles come by @import, which axe would read again through <style> elements; our policy forbids those.
AXE_OPTIONS = {"preload": False}


def launch(playwright: Playwright, *, has_webgl: bool = False) -> Browser:
    """A new browser. Where there is no Chromium the test is skipped with this reason, and fails in CI."""
    if not Path(CHROMIUM).exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"Chromium is missing: {CHROMIUM}")
    flags = [*_QUIET, *(_WITH_WEBGL if has_webgl else _WITHOUT_WEBGL)]
    return playwright.chromium.launch(executable_path=CHROMIUM, args=flags)


def wait_for_drawing(page: Page) -> None:
    """Until what the page has been told is on the screen: a canvas follows with the next frame."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
