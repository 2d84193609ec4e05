"""manifest.js takes the agreed manifest and nothing else; above all no address of another origin."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from .fake_server import FakeServer

Run = Callable[..., Any]

CHECK = """
try { return m.checkManifest(arg, location.href + 'studies/x/manifest.json').series.map((s) => s.isDrawable) }
catch (error) { return error.name + ': ' + error.message }
"""


def changed(manifest: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    other = copy.deepcopy(manifest)
    target = other
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return other


def test_agreed_manifest_is_taken(run: Run, module_server: FakeServer) -> None:
    assert run("manifest", CHECK, module_server.manifest()) == [True]


def test_unknown_codec_is_taken_but_not_drawn(run: Run, module_server: FakeServer) -> None:
    manifest = changed(module_server.manifest(), ("series", 0, "codec"), "jpeg-ls")
    assert run("manifest", CHECK, manifest) == [False]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 2),
        (("batch_bytes",), 0),
        (("heartbeat", "url"), "https://elsewhere.example/heartbeat"),
        (("download",), "//elsewhere.example/d"),
        (("series", 0, "frames"), "https://elsewhere.example/{level}/{ranges}"),
        (("series", 0, "previews", 1, "url"), "data:image/webp;base64,AAAA"),
        (("series", 0, "slices", "url"), "javascript:alert(1)"),
        (("series", 0, "kind"), "film"),
        (("series", 0, "Rows"), 1.5),
        (("series", 0, "slope"), 0),
        (("series", 0, "window", "width"), 0),
        (("series", 0, "spacing_mm"), [0.5, 0, 0.5]),
        (("series", 0, "levels"), []),
        (("series", 0, "levels", 1, "level"), 2),
        (("series", 0, "levels", 0, "Strips"), 3),
    ],
)
def test_anything_else_is_refused(
    run: Run, module_server: FakeServer, path: tuple[Any, ...], value: Any
) -> None:
    answer = run("manifest", CHECK, changed(module_server.manifest(), path, value))
    assert isinstance(answer, str)
    assert answer.startswith("Error: The manifest's")
