"""One page in one browser: looked at, photographed, and watched for what must never happen."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import ConsoleMessage, Page, Request

from tests.browser.likeness import likeness
from tests.chromium import wait_for_drawing
from tests.flows.installation import wait_for

_axe = Axe()
_STATUS = re.compile(r"Failed to load resource: the server responded with a status of (\d{3})")
# htmx tells the console when a newer request takes an older one's place (hx-sync), as the desk's forms wish.
_REPLACED = ("htmx:afterRequest", "htmx:sendAbort")
# 2.2 AA is the goal; best practices of axe are looked at too, as they find real trouble (landmarks, headings).
_OPTIONS = {"resultTypes": ["violations"]}


class Screen:
    """A page with its watch. `expects` holds the HTTP statuses that the test provokes."""

    def __init__(self, page: Page, origin: str, pictures: Path | None) -> None:
        self.page = page
        self.expects: set[int] = set()
        self._origin = origin
        self._pictures = pictures
        self._seen: list[str] = []
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self._seen.append(f"script error: {error}"))
        page.on("request", self._note_request)
        page.on("crash", lambda _: self._seen.append("the page crashed"))

    # --- watching ------------------------------------------------------------------------------------------------

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_REPLACED):
            self._seen.append(f"console: {message.text}")

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((self._origin, "blob:", "data:")):
            self._seen.append(f"request to another site: {request.url}")

    def troubles(self) -> list[str]:
        """What happened that mustn't: script errors, breaches of the policy, foreign requests, unexpected refusals."""
        return [one for one in self._seen if not self._is_expected(one)]

    def _is_expected(self, trouble: str) -> bool:
        refused = _STATUS.search(trouble)
        return bool(refused) and int(refused[1]) in self.expects

    # --- looking -------------------------------------------------------------------------------------------------

    def looked_at(self, name: str, *, widths: tuple[int, ...] = (390, 1280)) -> None:
        """Axe finds nothing, nothing is cut off at any width, and a picture of each is kept if someone wants them."""
        before = self.page.viewport_size
        assert before
        for width in widths:
            height = {320: 568, 390: 844}.get(width, 800)
            self.page.set_viewport_size({"width": width, "height": height})
            self._fits(name, width)
            self.shot(f"{name}-{width}")
        self.page.set_viewport_size(before)
        self.axe(name)

    def _fits(self, name: str, width: int) -> None:
        # innerWidth grows on a phone with what is too wide, so it is no measure.
        def over() -> int:
            return int(self.page.evaluate("document.documentElement.scrollWidth")) - width

        # A page is laid out anew some frames after the screen has changed.
        why = f"{name} is wider than a screen of {width} px"
        wait_for(lambda: over() <= 0, within_s=3, why=lambda: f"{why}, by {over()} px")

    def shot(self, name: str) -> None:
        """Keep a picture of the whole page, if there is a folder for it."""
        if self._pictures:
            wait_for_drawing(self.page)
            self.page.screenshot(path=self._pictures / f"{name}.png", full_page=True, animations="disabled")

    def axe(self, name: str) -> None:
        """Nothing that axe minds."""
        found = _axe.run(self.page, options=_OPTIONS)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"

    # --- the viewer ----------------------------------------------------------------------------------------------

    def wait_for_picture(self, engine: str = "canvas") -> None:
        """Until the viewer says that it shows, and nothing is being fetched any more."""
        self.page.locator(f"#viewer[data-state=shown][data-engine={engine}]").wait_for(timeout=90_000)
        if engine == "canvas":
            self.page.locator("#viewer [data-part=progress]").wait_for(state="hidden", timeout=90_000)

    def pixels(self, part: str = "canvas") -> NDArray[np.uint8]:
        """What is to be seen of the viewer's picture, grey, in device pixels, without the words and buttons on it."""
        over = self.page.locator("#viewer :is(.viewer-say, .viewer-letter, .viewer-zoom, progress)")
        over.evaluate_all("all => all.forEach((one) => { one.style.visibility = 'hidden'; })")
        shown = self.page.locator(f"#viewer [data-part={part}]").screenshot(animations="disabled")
        over.evaluate_all("all => all.forEach((one) => { one.style.visibility = ''; })")
        return np.asarray(Image.open(io.BytesIO(shown)).convert("L"))

    def likeness(self, expected: NDArray[np.generic], *, above: float, part: str = "canvas") -> float:
        """How like the shown picture is to this one; looks again for a while until it is so like."""
        for _ in range(40):
            if (found := likeness(self.pixels(part), expected)) > above:
                break
            self.page.wait_for_timeout(250)
        return found

    @property
    def place(self) -> str:
        """Where the slider stands, as it is read out."""
        return self.page.locator("#viewer [data-part=slider]").get_attribute("aria-valuetext") or ""
