"""Fingers on the stage of the viewer."""

from __future__ import annotations

from playwright.sync_api import Page

Way = tuple[tuple[float, float], tuple[float, float]]
STEPS = 12


def swipe(page: Page, *ways: Way) -> None:
    """Move one or more fingers, each from a place to another, in CSS pixels from the middle of the stage."""
    box = page.locator("[data-part=stage]").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    for step in range(STEPS + 1):
        share = step / STEPS
        points = [
            {"x": x + a[0] + (b[0] - a[0]) * share, "y": y + a[1] + (b[1] - a[1]) * share, "id": finger}
            for finger, (a, b) in enumerate(ways)
        ]
        kind = "touchMove" if step else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


def pinch(page: Page, by: float = 60) -> None:
    """Two fingers apart."""
    swipe(page, ((-20, 0), (-20 - by, 0)), ((20, 0), (20 + by, 0)))
