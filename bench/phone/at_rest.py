"""What a scan of 800 x 800 x 640 holds once it is there, how its slices follow each other, and what batches save.

Memory is what renderer and graphics process have for themselves (PSS); without a graphics card the textures are in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from bench.shared_study import Shared
from bench.watched_page import SHOWN, WATCH_DRAWING

MB = 1e6
CYCLES = 10
SCROLLS, SLICES, REST_MS = 5, 100, 1500
LATENCY_MS = 60
FRAMES = 40
WHOLE_LEVEL_WITHIN_MS = 600_000
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
DESK = {"viewport": {"width": 1280, "height": 800}}
# What a desk with memory to spare says of itself.
_MUCH_MEMORY = "Object.defineProperty(Navigator.prototype, 'deviceMemory', { get: () => 8 });"
# Both loops draw on the viewer's own canvas, in its own context and in the same box of it, once a frame, and end when
# the last picture is there. The second one writes one colour and does nothing else.
_LOOPS = """
const frame = () => new Promise((done) => requestAnimationFrame(done));
const canvas = document.querySelector("[data-part=canvas]");
const gl = canvas.getContext("webgl2");
const ended = () => gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
const slider = document.querySelector("[data-part=slider]");
const step = async () => {
  slider.stepUp();
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  await frame();
};
const timed = async (deed) => {
  await frame();
  const began = performance.now();
  for (let i = 0; i < 100; i += 1) await deed();
  ended();
  return 100000 / (performance.now() - began);
};
"""
_SCROLL = f"""async () => {{ {_LOOPS}
  slider.value = Math.floor(slider.max / 2) - 50;
  await step();
  window.drawn = [];
  const rate = await timed(step);
  return {{ rate, slices: new Set(window.drawn).size }};
}}"""
_EMPTY = f"""async () => {{ {_LOOPS}
  const program = gl.createProgram();
  const shaders = [[gl.VERTEX_SHADER, `#version 300 es
    void main() {{ gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0); }}`],
    [gl.FRAGMENT_SHADER, `#version 300 es
    precision highp float; out vec4 colour; void main() {{ colour = vec4(1.0); }}`]];
  for (const [type, source] of shaders) {{
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }}
  gl.linkProgram(program);
  const box = gl.getParameter(gl.SCISSOR_BOX);
  const rate = await timed(async () => {{
    gl.disable(gl.SCISSOR_TEST);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.SCISSOR_TEST);
    gl.viewport(...box);
    gl.useProgram(program);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    await frame();
  }});
  gl.deleteProgram(program);
  return {{ rate, canvas: [canvas.width, canvas.height], box: [box[2], box[3]] }};
}}"""
_RENDERER = """() => {
  const gl = document.querySelector("[data-part=canvas]").getContext("webgl2");
  return gl.getParameter(gl.getExtension("WEBGL_debug_renderer_info").UNMASKED_RENDERER_WEBGL);
}"""
_FETCH = """async ([url, asked]) => {
  const began = performance.now();
  const get = (ranges) => fetch(url.replace("{ranges}", ranges)).then((answer) => answer.arrayBuffer());
  await Promise.all(asked.map(get));
  return performance.now() - began;
}"""


@dataclass(frozen=True)
class Visits:
    """Someone with a share's cookie, who comes with a new browser each time."""

    launch: Callable[[], Browser]
    base: str
    cookie: str

    @contextmanager
    def context(self, **how: Any) -> Iterator[BrowserContext]:
        browser = self.launch()
        context = browser.new_context(**how)
        name, _, value = self.cookie.partition("=")
        context.add_cookies([{"name": name, "value": value, "url": self.base}])
        yield context
        browser.close()

    def open(self, page: Page) -> None:
        """The viewer, until the last level is there."""
        page.goto(f"{self.base}/s/view")
        page.wait_for_selector(SHOWN, timeout=WHOLE_LEVEL_WITHIN_MS)
        page.locator("[data-part=progress]").wait_for(state="hidden", timeout=WHOLE_LEVEL_WITHIN_MS)


def held(visits: Visits) -> Iterator[str]:
    """V13."""
    with visits.context(**PHONE) as context:
        page = context.new_page()
        sizes = []
        for _ in range(CYCLES):
            visits.open(page)
            sizes.append(_held_mb(context))
            page.goto("about:blank")
    yield _row("held by a phone, MB", median(sizes), 500)
    yield _row("growth in ten visits", sizes[-1] / sizes[1], 1.1)
    with visits.context(**DESK) as context:
        context.add_init_script(_MUCH_MEMORY)
        visits.open(page := context.new_page())
        yield _row("held by a desk, MB", _held_mb(context), 1600)
        page.close()


def scrolled(visits: Visits, name: str) -> Iterator[str]:
    """V14. Slices and empty pictures by turns."""
    with visits.context(**PHONE) as context:
        context.add_init_script(WATCH_DRAWING)
        visits.open(page := context.new_page())
        turns = [(_at_rest(page, _SCROLL), _at_rest(page, _EMPTY)) for _ in range(SCROLLS)]
        renderer = page.evaluate(_RENDERER)
    least = min(slices["slices"] for slices, _ in turns)
    if least < SLICES:
        raise SystemExit(f"Of {SLICES} slices of {name} {least} were drawn.")
    rates = [(slices["rate"], empty["rate"]) for slices, empty in turns]
    sides = ["{} x {}".format(*turns[0][1][part]) for part in ("box", "canvas")]
    yield f"{name}: each of {SLICES} slices drawn in {sides[0]} of {sides[1]} pixels by {renderer}"
    for title, at in (("slices", 0), ("empty pictures", 1)):
        busy = median(turn[at]["processor_ms"] for turn in turns)
        rate = f"  {title} a second"
        yield f"{rate:<32} {median(one[at] for one in rates):8.1f}   processor, ms each: {busy:.1f}"
    yield _row("  slices, of empty ones", median(slices / empty for slices, empty in rates), 0.8, least=True)


def _at_rest(page: Page, script: str) -> Any:
    """Once nothing is fetched for the slice at hand any more. On a busy machine the processor's time tells more."""
    page.wait_for_timeout(REST_MS)
    before = _processor_s(page.context)
    told = page.evaluate(script)
    return {**told, "processor_ms": 1000 * (_processor_s(page.context) - before) / SLICES}


def _processor_s(context: BrowserContext) -> float:
    """What all processes of the browser have taken."""
    return sum(one["cpuTime"] for one in _processes(context))


def batched(visits: Visits, shared: Shared) -> Iterator[str]:
    """V15: the frames of one level in one request and in one each, six at once, as browsers do."""
    url = f"{visits.base}{shared.root}/series/{shared.series_id}/levels/2/frames/{{ranges}}"
    with visits.context(**PHONE) as context:
        page = context.new_page()
        page.goto(f"{visits.base}/s/view", wait_until="commit")
        page.goto(f"{visits.base}/healthz")
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        shaped = {"offline": False, "latency": LATENCY_MS, "downloadThroughput": -1, "uploadThroughput": -1}
        session.send("Network.emulateNetworkConditions", shaped)
        ways = [[f"0-{FRAMES - 1}"], [str(index) for index in range(FRAMES)]]
        times = [[page.evaluate(_FETCH, [url, asked]) for asked in ways] for _ in range(4)][1:]
    yield _row("a batch, of single frames", median(batch / single for batch, single in times), 0.6)


def _held_mb(context: BrowserContext) -> float:
    """Of the renderer that has most, and of the graphics process."""
    told = _processes(context)
    sizes = {
        kind: max(_pss_mb(one["id"]) for one in told if one["type"] == kind) for kind in ("renderer", "GPU")
    }
    return sizes["renderer"] + sizes["GPU"]


def _processes(context: BrowserContext) -> list[dict[str, Any]]:
    browser = context.browser
    assert browser
    session = browser.new_browser_cdp_session()
    told: list[dict[str, Any]] = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return told


def _pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")) / MB


def _row(name: str, value: float, limit: float, *, least: bool = False) -> str:
    return f"{name:<32} {value:8.2f} {'at least' if least else 'at most'} {limit:.2f}"
