"""A phone on a slow line pays for every byte: limits on what the viewer weighs, as it is served."""

from __future__ import annotations

import re

import brotli

from portal.lean_static import without_comments

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
