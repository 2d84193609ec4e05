"""budget.js loads coarse first and never more than the device can hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]
MIB = 1024 * 1024


def pyramid(frames: int, side: int, *, is_volume: bool = True) -> list[dict[str, int]]:
    levels = []
    for level in range(5):
        levels.append({"level": level, "Frames": frames, "Rows": side, "Columns": side})
        if max(side, frames if is_volume else 1) <= 64:
            break
        side, frames = -(-side // 2), -(-frames // 2) if is_volume else frames
    return levels


@pytest.mark.parametrize(
    ("device", "mib"),
    [
        ({"shortSide": 390, "hasTouch": True}, 128),
        ({"shortSide": 820, "hasTouch": True}, 256),
        ({"shortSide": 900, "hasTouch": False, "deviceMemory": 4}, 256),
        ({"shortSide": 900, "hasTouch": False, "deviceMemory": 8}, 1024),
    ],
)
def test_budget_follows_the_device(run: Run, device: dict[str, Any], mib: int) -> None:
    assert run("budget", "return m.textureBudget(arg)", device) == mib * MIB


def test_p16_who_saves_data_is_sent_the_coarse_levels(run: Run) -> None:
    saving = {"shortSide": 390, "hasTouch": True, "savesData": True}
    budget = run("budget", "return m.textureBudget(arg)", saving)
    asked = {
        "levels": pyramid(512, 512),
        "limits": {"budgetBytes": budget, "maxSide": 4096, "isVolume": True, "texelBytes": 2},
    }
    loaded = run("budget", "return m.levelsToLoad(arg.levels, arg.limits)", asked)
    assert min(loaded) == 2, "two megabytes instead of two hundred"


@pytest.mark.parametrize(
    ("levels", "limits", "order"),
    [
        (pyramid(400, 400), {"budgetBytes": 128 * MIB}, [3, 2, 0]),
        (pyramid(512, 512), {"budgetBytes": 128 * MIB}, [3, 2, 1]),
        (pyramid(640, 800), {"budgetBytes": 1024 * MIB}, [3, 2, 0]),
        (pyramid(640, 800), {"budgetBytes": 1024 * MIB, "maxSide": 512}, [3, 2, 1]),
        (pyramid(150, 200), {"budgetBytes": 128 * MIB}, [2, 0]),
        (pyramid(40, 60), {"budgetBytes": 128 * MIB}, [0]),
        (pyramid(400, 400), {"budgetBytes": 1}, [4 - 1]),
        (pyramid(1, 5000, is_volume=False), {"isVolume": False, "enough": 2}, [3, 2]),
        (pyramid(900, 64, is_volume=False), {"isVolume": False, "maxSide": 100}, [0]),
    ],
)
def test_levels_come_coarse_to_fine(run: Run, levels: Any, limits: dict[str, Any], order: list[int]) -> None:
    facts = {"budgetBytes": 1024 * MIB, "maxSide": 4096, "isVolume": True, "texelBytes": 2, **limits}
    assert (
        run("budget", "return m.levelsToLoad(arg.levels, arg.limits)", {"levels": levels, "limits": facts})
        == order
    )


@pytest.mark.parametrize(("texels", "level"), [(0.3, 0), (1, 0), (1.9, 1), (2.2, 1), (4, 2), (100, 3)])
def test_level_has_a_texel_for_each_pixel(run: Run, texels: float, level: int) -> None:
    assert run("budget", "return m.levelForScale(arg, 3)", texels) == level


@pytest.mark.parametrize(
    ("centre", "count", "order"),
    [(2, 5, [2, 3, 1, 4, 0]), (0, 3, [0, 1, 2]), (2, 3, [2, 1, 0]), (0, 1, [0])],
)
def test_frames_come_from_the_centre_out(run: Run, centre: int, count: int, order: list[int]) -> None:
    body = "return [...m.centreOut(arg.centre, arg.count)]"
    assert run("budget", body, {"centre": centre, "count": count}) == order
