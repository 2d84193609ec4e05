"""The first live view of a scan over a slow line, against the time its raw volume takes over that line.

    python -m bench.first_view

A shared scan of 400 x 512 x 512 with 16 bits a voxel, noisy, is opened on an emulated phone from the server that
`manage.py serve` starts, with an empty cache, over a line of 20 Mbit/s and 50 ms there and back (link.py: shared by all
connections, with handshakes and slow start; neither way has TLS). The view counts as live once a slice drawn by WebGL
is on the screen and another one was drawn because the slider moved. The raw volume is one file of 210 MB, fetched whole
by one GET over a line of the same shape. One run, one machine: the ratio is what counts.
"""

from __future__ import annotations

import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright

from bench.state import free_port, make_state, running
from bench.watched_page import SHOWN, WATCH_DRAWING, WATCH_SCREEN, start, with_cookie

FRAMES, SIDE, ROUNDS = 400, 512, 5
MBIT_PER_S, ROUND_TRIP_MS = 20, 50
MOST_RATIO = 1 / 100
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 3,
    "has_touch": True,
    "is_mobile": True,
}

# Moves the slider as soon as a slice is there, and notes when a slice that wasn't seen before has been drawn.
_REACTS = """
(function touch() {
  const isLive = Boolean(window.seen.live);
  const slider = document.querySelector("[data-part=slider]");
  if (isLive && !window.before) {
    window.before = new Set(window.drawn);
    slider.stepUp();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  } else if (window.before && window.drawn.some((one) => !window.before.has(one))) {
    window.seen.reacts = performance.now();
    return;
  }
  requestAnimationFrame(touch);
})();
"""


def main() -> int:
    with make_state() as state:
        from portal.serving.assets import collect

        collect(state)
        return _measure(state)


def _measure(state: Path) -> int:
    from bench.shared_study import noisy_volume, share_study, web_command

    frames = noisy_volume(FRAMES, SIDE)
    (raw := state / "raw").mkdir()
    frames.tofile(raw / "volume")
    # The originals are of no use here; one is enough.
    shared = share_study(frames, [b"\0" * 128 + b"DICM"])
    command, port = web_command()
    with ExitStack() as servers:
        servers.enter_context(running(command, port=port))
        base = f"http://127.0.0.1:{servers.enter_context(_line_to(port))}"
        playwright = servers.enter_context(sync_playwright())
        browser = start(playwright)
        rounds = [_open(browser, base, shared.cookie) for _ in range(ROUNDS + 1)][1:]
        browser.close()
        file_port = free_port()
        files = [sys.executable, "-m", "http.server", str(file_port), "--bind", "127.0.0.1", "--directory"]
        servers.enter_context(running([*files, str(raw)], port=file_port))
        raw_s = _fetch(f"http://127.0.0.1:{servers.enter_context(_line_to(file_port))}/volume", frames.nbytes)
    return _report(rounds, raw_s, frames.nbytes)


@contextmanager
def _line_to(port: int) -> Iterator[int]:
    """The port at the near end of a line."""
    near = free_port()
    shape = [str(one) for one in (near, port, MBIT_PER_S, ROUND_TRIP_MS)]
    with running([sys.executable, "-m", "bench.first_view.link", *shape], port=near):
        yield near


def _open(browser: Browser, base: str, cookie: str) -> dict[str, float]:
    """Seconds from the tap on the link, in a browser that has never been there."""
    context = browser.new_context(**PHONE)
    page = with_cookie(context, cookie, base)
    page.add_init_script(WATCH_DRAWING + WATCH_SCREEN + _REACTS)
    page.goto(f"{base}/s/view", wait_until="commit")
    page.wait_for_selector(SHOWN, timeout=60_000)
    seen = _watched(page)
    context.close()
    return {name: seen[name] / 1000 for name in ("picture", "live", "reacts")}


def _watched(page: Page) -> dict[str, float]:
    """Once the slider has been answered. The page's policy forbids Playwright's own way of waiting for a condition."""
    for _ in range(600):
        seen: dict[str, float] = page.evaluate("window.seen")
        if "reacts" in seen:
            return seen
        page.wait_for_timeout(100)
    raise SystemExit("The slider moved and no other slice was drawn.")


def _fetch(url: str, length: int) -> float:
    """Seconds for the whole file."""
    began = time.perf_counter()
    with urllib.request.urlopen(url) as answer:
        left = length
        while part := answer.read(1 << 20):
            left -= len(part)
    if left:
        raise SystemExit("The raw volume did not come whole.")
    return time.perf_counter() - began


def _report(rounds: list[dict[str, float]], raw_s: float, length: int) -> int:
    print(
        f"{FRAMES} x {SIDE} x {SIDE}, 16 bits, over {MBIT_PER_S} Mbit/s and {ROUND_TRIP_MS} ms, {ROUNDS} rounds"
    )
    names = {
        "picture": "the server's small picture",
        "live": "a slice drawn by WebGL",
        "reacts": "the next slice, by the slider",
    }
    for name, title in names.items():
        values = [one[name] for one in rounds]
        print(f"{title:<40} {median(values):8.2f} s   (worst {max(values):.2f})")
    print(f"{f'the raw volume, {length / 1e6:.0f} MB, whole':<40} {raw_s:8.2f} s")
    ratio = median(one["reacts"] for one in rounds) / raw_s
    print(f"{'first live view, of the raw volume':<40} {ratio:8.4f}     asked: {MOST_RATIO} at most")
    return 0 if ratio <= MOST_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
