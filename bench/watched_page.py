"""A page of the viewer with a watch on it: what is drawn, and when a person would see it."""

from __future__ import annotations

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

SHOWN = "#viewer[data-state=shown][data-engine=canvas]"

# Notes of each cut that WebGL draws where it lies; a slice of its own has an origin of its own.
WATCH_DRAWING = """
window.drawn = [];
{
  const gl = WebGL2RenderingContext.prototype;
  const { getUniformLocation: find, uniform3fv: set } = gl;
  gl.getUniformLocation = function (program, name) {
    const at = find.call(this, program, name);
    if (at) at.named = name;
    return at;
  };
  gl.uniform3fv = function (at, vector) {
    if (at?.named === "origin") window.drawn.push(vector.join());
    return set.call(this, at, vector);
  };
}
"""

# Looks at the page before each of its frames, as a person's eye would; seconds count from the tap on the link.
WATCH_SCREEN = """
window.seen = { blocked: 0 };
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.seen.blocked += task.duration - 50;
}).observe({ type: "longtask", buffered: true });
(function look() {
  const viewer = document.getElementById("viewer");
  const image = viewer && viewer.querySelector("[data-part=image]");
  if (image && image.complete && image.naturalWidth) window.seen.picture ??= performance.now();
  if (viewer && viewer.dataset.state === "shown" && viewer.dataset.engine === "canvas") {
    window.seen.live ??= performance.now();
  }
  requestAnimationFrame(look);
})();
"""


def start(playwright: Playwright) -> Browser:
    """A new Chromium; it draws without a graphics card."""
    from tests.chromium import launch

    return launch(playwright, has_webgl=True)


def with_cookie(context: BrowserContext, cookie: str, base: str) -> Page:
    """A page of someone who has walked the whole way in."""
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": base}])
    return context.new_page()
