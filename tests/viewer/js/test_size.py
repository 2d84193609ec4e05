"""A phone on a slow line pays for every byte: limits on what the viewer weighs, as it is served."""

from __future__ import annotations

import json
import re
from pathlib import Path

import brotli
import pytest
from django.conf import LazySettings

from portal.lean_static import ENTRIES, LIST, STYLES, LeanStaticFilesStorage, without_comments

from .fake_server import PROJECT, served_script

MODULES = sorted((PROJECT / "static/js/viewer").glob("*.js"))
PATIENT, DENTIST = ENTRIES
WORKER = "js/viewer/decode_worker.js"
SOLID = "js/viewer/solid_plane.js"


@pytest.mark.parametrize(("entry", "most_bytes"), [(PATIENT, 25_000), (DENTIST, 60_000)])
def test_v11_scripts_of_a_page_weigh_little(entry: str, most_bytes: int) -> None:
    weights = [len(brotli.compress(served_script(name).encode())) for name in (entry, WORKER)]
    assert sum(weights) <= most_bytes
    assert min(weights) > 500  # something was weighed


def test_v11_styles_weigh_at_most_6_kilobytes() -> None:
    assert len(brotli.compress((PROJECT / "static/css/viewer.css").read_bytes())) <= 6_000


def test_v11_no_script_names_another_origin_or_brings_wasm() -> None:
    assert len(MODULES) > 10
    for path in MODULES:
        script = path.read_text()
        assert "://" not in script, path.name
        assert "WebAssembly" not in script, path.name


@pytest.fixture
def collected(tmp_path: Path, settings: LazySettings) -> LeanStaticFilesStorage:
    """Our modules as collectstatic leaves them."""
    settings.WHITENOISE_USE_FINDERS = False
    storage = LeanStaticFilesStorage(location=tmp_path, base_url="/static/")
    (tmp_path / "js/viewer").mkdir(parents=True)
    names = [f"js/viewer/{path.name}" for path in MODULES]
    for name, path in zip(names, MODULES, strict=True):
        (tmp_path / name).write_bytes(path.read_bytes())
    (tmp_path / "other.js").write_bytes(MODULES[0].read_bytes())
    list(storage.post_process({name: (storage, name) for name in [*names, "other.js"]}))
    return storage


def test_collected_scripts_lose_comments_and_indents_and_nothing_else(
    collected: LeanStaticFilesStorage,
) -> None:
    script = (PROJECT / "static/js/viewer/source.js").read_text()
    lean = Path(collected.path("js/viewer/source.js")).read_text()
    packed = Path(collected.path("js/viewer/source.js.br")).read_bytes()
    assert brotli.decompress(packed).decode() == lean
    left = lean.splitlines()
    assert "/**" not in lean
    written = [line.split("  // ")[0].strip() for line in script.splitlines()]
    assert left == [line for line in written if line in left]
    assert len(left) > 0.6 * len(script.splitlines())
    # Not ours: as it came.
    assert Path(collected.path("other.js")).read_bytes() == MODULES[0].read_bytes()


def test_v11_each_page_asks_for_one_script_that_may_be_kept(collected: LeanStaticFilesStorage) -> None:
    joined = json.loads(Path(collected.path(LIST)).read_text())
    assert set(joined) == {PATIENT, DENTIST, WORKER, SOLID}
    assert collected.url(PATIENT) == f"/static/{joined[PATIENT]}"
    assert collected.url("other.js") == "/static/other.js"
    script = Path(collected.path(joined[PATIENT])).read_text()
    assert f'new URL("./{Path(joined[WORKER]).name}", import.meta.url)' in script
    assert f'import("./{Path(joined[SOLID]).name}")' in script  # 3D comes when it is asked for
    assert "export const { solidPlane }" in Path(collected.path(joined[SOLID])).read_text()
    assert Path(collected.path(joined[PATIENT] + ".br")).is_file()


def test_styles_of_every_page_come_in_one_file(tmp_path: Path, settings: LazySettings) -> None:
    """A browser has six lines: with a file for each, a phone's first script waits for a second turn."""
    settings.WHITENOISE_USE_FINDERS = False
    storage = LeanStaticFilesStorage(location=tmp_path, base_url="/static/")
    (tmp_path / "css").mkdir()
    files = sorted((PROJECT / "static/css").glob("*.css"))
    for path in files:
        (tmp_path / "css" / path.name).write_bytes(path.read_bytes())
    list(storage.post_process({f"css/{path.name}": (storage, f"css/{path.name}") for path in files}))
    joined = Path(storage.path(STYLES)).read_text()
    names = re.findall('@import "(.*)";', (PROJECT / "static" / STYLES).read_text())
    assert len(names) == 5
    assert "@import" not in joined
    places = [joined.index((PROJECT / "static/css" / name).read_text()) for name in names]
    assert places == sorted(places)


def test_comments_are_taken_and_no_string() -> None:
    script = 'const a = "/** no */";\n/** gone\n * too */\n  // gone\n\n  const b = 1;  // gone\nf("x  // stays");\n'
    assert without_comments(script) == 'const a = "/** no */";\nconst b = 1;\nf("x  // stays");\n'
