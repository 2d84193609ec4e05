"""V10: renderers differ, so what the viewer draws is compared with computed numbers, never with a kept picture."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PICTURES = {
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".gif",
    ".bmp",
    ".tif",
    ".tiff",
    ".npy",
    ".npz",
    ".raw",
    ".pgm",
    ".ppm",
}
KEPT = re.compile(r"to_have_screenshot|to_match_snapshot|hashlib|sha256\(|crc32\(|md5\(")


def test_v10_no_picture_is_kept_to_compare_with() -> None:
    kept = [path for path in TESTS.rglob("*") if path.suffix.lower() in PICTURES]
    assert kept == []


def test_v10_no_drawing_is_compared_by_its_hash() -> None:
    looking = [
        *(TESTS / "viewer" / "js").glob("*.py"),
        *(TESTS / "browser").glob("*.py"),
        TESTS / "engines.py",
    ]
    assert len(looking) > 30
    assert [path.name for path in looking if KEPT.search(path.read_text())] == []
