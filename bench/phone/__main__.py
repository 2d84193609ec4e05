"""A scan on a phone with a middling line: what it waits for, and what it pays.

    python -m bench.phone

Chromium as a phone (390 x 844, 9 Mbit/s, 60 ms, a processor four times slower than this machine's) opens a shared
scan of 800 x 800 x 640 from the server that `manage.py serve` starts, with an empty cache. Seconds count from the tap
on the link: to the server's small picture, to the first slice drawn by WebGL. Requests and bytes count, page and all,
until the level of 200 x 200 x 160 is there; that is what a phone needs before every slice is sharp on its screen.

Then, without the slow line: what renderer and graphics process hold with a phone's and a desk's budget and after ten
times opening and closing; what batches save where each request takes 60 ms; and how fast slices follow each other, of
this scan and of one of 400 x 400 x 300 (which a phone holds in full), against empty pictures of one colour on the same
canvas. The name of the renderer stands beside it: without a graphics card the processor draws, a slow one's picture of
a slow card.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import chain
from statistics import median
from typing import Any

import numpy as np
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from bench.phone.at_rest import Visits, batched, held, scrolled
from bench.state import make_state, running
from bench.watched_page import WATCH_SCREEN, start, with_cookie

ROUNDS = 5
MBIT = 125_000
DOWN, UP, LATENCY_MS, SLOWER = 9 * MBIT, 3 * MBIT, 60, 4
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 3,
    "has_touch": True,
    "is_mobile": True,
}
LIMITS = {"first picture, s": 1.5, "first live view, s": 3.0, "blocked, s": 0.8, "requests": 25, "MB": 7.0}
LEVEL, NEXT_LEVEL = "/levels/2/frames/", "/levels/1/frames/"


@dataclass
class Line:
    """What went over the line, in the order it ended: (address, bytes)."""

    ended: list[tuple[str, int]] = field(default_factory=list)
    _urls: dict[str, str] = field(default_factory=dict)

    def watch(self, session: CDPSession) -> None:
        session.on(
            "Network.requestWillBeSent",
            lambda told: self._urls.update({told["requestId"]: told["request"]["url"]}),
        )
        session.on("Network.loadingFinished", self._note)

    def _note(self, told: dict[str, Any]) -> None:
        self.ended.append((self._urls.get(told["requestId"], ""), int(told["encodedDataLength"])))

    def has(self, part: str) -> bool:
        """Whether an answer from such an address has come whole."""
        return any(part in url for url, _ in self.ended)

    def until_level(self) -> tuple[int, int]:
        """Requests and bytes up to the last batch of the level."""
        last = max(place for place, (url, _) in enumerate(self.ended) if LEVEL in url)
        free = ("/heartbeat", NEXT_LEVEL)
        paid = [size for url, size in self.ended[: last + 1] if not any(part in url for part in free)]
        return len(paid), sum(paid)


def main() -> None:
    with make_state() as state:
        from portal.serving.assets import collect

        collect(state)
        _measure()


def _measure() -> None:
    from bench.shared_study import share_study, web_command

    originals = [b"\0" * 128 + b"DICM"]
    shared = share_study(_Head((640, 800, 800)), originals)  # type: ignore[arg-type]
    usual = share_study(_Head((300, 400, 400)), originals)  # type: ignore[arg-type]
    command, port = web_command()
    with running(command, port=port), sync_playwright() as playwright:
        base = f"http://127.0.0.1:{port}"
        browser = start(playwright)
        rounds = [_open(browser, base, shared.cookie) for _ in range(ROUNDS + 1)][1:]
        browser.close()
        _report(rounds)
        visits = Visits(lambda: start(playwright), base, shared.cookie)
        rows = chain(
            scrolled(Visits(visits.launch, base, usual.cookie), "400 x 400 x 300"),
            scrolled(visits, "800 x 800 x 640"),
            batched(visits, shared),
            held(visits),
        )
        for row in rows:
            print(row, flush=True)


def _report(rounds: list[dict[str, float]]) -> None:
    print(f"{'':<20} {'median':>8} {'worst':>8} {'limit':>8}")
    for name, limit in LIMITS.items():
        values = [one[name] for one in rounds]
        print(f"{name:<20} {median(values):8.2f} {max(values):8.2f} {limit:8.2f}")
    print(json.dumps(rounds), flush=True)


class _Head:
    """An invented head of a coarse scan's voxels, noise and all, each repeated to fill the shape.

    Of an array of 800 MB one frame exists at a time; its third level is what the invented scanner gives at 0.4 mm.
    """

    ndim, dtype = 3, np.dtype(np.uint16)

    def __init__(self, shape: tuple[int, int, int]) -> None:
        from portal.phantom.people import INVENTED
        from portal.phantom.volume import Grid, scan

        hu = scan(INVENTED[0], Grid.centred((160, 200, 200), 0.4), 7).hu
        self.shape, self._times = shape, shape[1] // 200
        self._coarse = np.clip(hu.astype(np.int32) + 1000, 0, 4095).astype(np.uint16)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int) -> np.ndarray:
        if index >= len(self):
            raise IndexError(index)
        coarse = self._coarse[index // self._times]
        return coarse.repeat(self._times, axis=0).repeat(self._times, axis=1)


def _open(browser: Browser, base: str, cookie: str) -> dict[str, float]:
    """Open the viewer once, in a browser that has never been there."""
    context = browser.new_context(**PHONE)
    page, line = with_cookie(context, cookie, base), Line()
    session = context.new_cdp_session(page)
    line.watch(session)
    _slow_down(session)
    page.add_init_script(WATCH_SCREEN)
    page.goto(f"{base}/s/view", wait_until="commit")
    seen = _watched(page, line)
    requests, length = line.until_level()
    context.close()
    return {
        "first picture, s": seen["picture"] / 1000,
        "first live view, s": seen["live"] / 1000,
        "blocked, s": seen["blocked"] / 1000,
        "requests": requests,
        "MB": length / 1e6,
    }


def _slow_down(session: CDPSession) -> None:
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": LATENCY_MS, "downloadThroughput": DOWN, "uploadThroughput": UP})  # fmt: skip
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


def _watched(page: Page, line: Line) -> dict[str, float]:
    """What the watch saw, once a slice is drawn, the level is there and part of the next one."""
    page.wait_for_selector("#viewer[data-state=shown][data-engine=canvas]", timeout=60_000)
    for _ in range(600):
        if line.has(NEXT_LEVEL):
            break
        page.wait_for_timeout(100)
    seen: dict[str, float] = page.evaluate("window.seen")
    return seen


if __name__ == "__main__":
    main()
