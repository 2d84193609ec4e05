"""A phone on a slow line pays for every byte: limits on what the viewer weighs, as it is served."""

from __future__ import annotations

import re
from pathlib import Path

import brotli

from portal.lean_static import LeanStaticFilesStorage, without_comments

from .fake_server import PROJECT

MODULES = sorted((PROJECT / "static/js/viewer").glob("*.js"))


def test_scripts_weigh_at_most_25_kilobytes() -> None:
    assert len(MODULES) > 10
    served = [without_comments(path.read_text()).encode() for path in MODULES]
    assert sum(len(brotli.compress(script)) for script in served) <= 25_000


def test_styles_weigh_at_most_6_kilobytes() -> None:
    assert len(brotli.compress((PROJECT / "static/css/viewer.css").read_bytes())) <= 6_000


def test_page_names_every_module_so_that_they_load_together() -> None:
    named = set(re.findall(r"js/viewer/(\w+\.js)", (PROJECT / "templates/viewer/_modules.html").read_text()))
    assert named == {path.name for path in MODULES} - {"main.js", "decode_worker.js"}


def test_no_script_names_another_origin() -> None:
    for path in MODULES:
        assert "://" not in path.read_text(), path.name


def test_collected_scripts_lose_their_comments_and_nothing_else(tmp_path: Path) -> None:
    script = (PROJECT / "static/js/viewer/source.js").read_text()
    (tmp_path / "js").mkdir()
    for name in ("js/source.js", "other.js"):
        (tmp_path / name).write_text(script)
    storage = LeanStaticFilesStorage(location=tmp_path, base_url="/static/")
    list(storage.post_process({name: (storage, name) for name in ("js/source.js", "other.js")}))
    lean = (tmp_path / "js/source.js").read_text()
    assert brotli.decompress((tmp_path / "js/source.js.br").read_bytes()).decode() == lean
    assert (tmp_path / "other.js").read_text() == script  # not ours: as it came
    left = [line for line in lean.splitlines() if line]
    kept = [line for line in script.splitlines() if line in left]
    assert "/**" not in lean
    assert left == [line for line in kept if line]


def test_only_comments_that_stand_alone_are_taken() -> None:
    script = 'const a = "/** no */";\n/** gone\n * too */\n  // gone\nconst b = 1;  // stays\n'
    assert without_comments(script) == 'const a = "/** no */";\nconst b = 1;  // stays\n'
