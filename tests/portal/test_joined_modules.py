"""Modules joined into one: in the order of their imports, each with its names to itself, nothing guessed at."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.joined_modules import CannotJoin, apart_from, join
from portal.lean_static import ENTRIES, without_comments

STATIC = Path(__file__).resolve().parents[2] / "static"


def read(name: str) -> str:
    return without_comments((STATIC / name).read_text())


def joined(**modules: str) -> str:
    """The module `a` of those given, joined."""
    return join("js/a.js", lambda name: modules[name.removeprefix("js/").removesuffix(".js")])


def test_imports_come_first_and_once() -> None:
    script = joined(
        a='import { b } from "./b.js";\nimport { c as d } from "./c.js";\nb(d);\n',
        b='import { c } from "./c.js";\nexport function b() { return c; }\n',
        c="export const c = 1;\n",
    )
    assert script == (
        "const $c = (() => {\nconst c = 1;\nreturn { c };\n})();\n"
        "const $b = (() => {\nconst { c } = $c;\nfunction b() { return c; }\nreturn { b };\n})();\n"
        "const $a = (() => {\nconst { b } = $b;\nconst { c: d } = $c;\nb(d);\n})();\n"
    )


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ("export const one = 1;\n", "{ one }"),
        ("export class One {}\n", "{ One }"),
        ("export async function one() {}\n", "{ one }"),
        ("export function* one() {}\n", "{ one }"),
        ("const one = 1, two = 2;\nexport { one, two as three };\n", "{ one, three: two }"),
        ('export { one } from "./b.js";\n', "{ one: $b.one }"),
    ],
)
def test_every_way_to_export_is_understood(written: str, given: str) -> None:
    assert f"return {given};" in joined(a=written, b="export const one = 1;\n")


def test_a_module_imported_whole_is_the_variable_it_is_kept_in() -> None:
    assert "const b = $b;" in joined(a='import * as b from "./b.js";\n', b="")


def test_a_module_wanted_later_is_a_file_of_its_own_that_exports() -> None:
    modules = {"js/a.js": 'const b = await import("./b.js");\n', "js/b.js": "export class One {}\n"}
    assert apart_from("js/a.js", modules.__getitem__) == ["js/b.js"]
    script = join("js/a.js", modules.__getitem__, lambda _: "js/b.5f.js")
    assert 'await import("./b.5f.js")' in script
    assert "class One" not in script
    assert join("js/b.js", modules.__getitem__).endswith("\nexport const { One } = $b;\n")


@pytest.mark.parametrize(
    ("modules", "sentence"),
    [
        (
            {"a": 'import { b } from "./b.js";\n', "b": 'import { a } from "./a.js";\n'},
            "circle: js/a.js → js/b.js",
        ),
        ({"a": 'import b from "./b.js";\n', "b": ""}, "imports a default"),
        ({"a": 'import { b } from "three";\n'}, "imports three"),
        ({"a": "export default 1;\n"}, "export default"),
        ({"a": "export let a = 1;\n"}, "export let"),
        ({"a": 'export * from "./b.js";\n', "b": ""}, "export \\*"),
        ({"a": "import { b } from './b.js';\n", "b": ""}, "import { b }"),
    ],
)
def test_a_form_that_is_not_joined_is_refused_in_words(modules: dict[str, str], sentence: str) -> None:
    with pytest.raises(CannotJoin, match=sentence):
        joined(**modules)


def test_a_worker_is_found_and_named_as_it_is_served() -> None:
    script = 'new Worker(new URL("./w.js", import.meta.url));\n'
    assert apart_from("js/a.js", lambda _: script) == ["js/w.js"]
    assert 'new URL("./w.5f.js", import.meta.url)' in join(
        "js/a.js", lambda _: script, lambda _: "js/w.5f.js"
    )


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_page_is_joined_the_same_each_time(entry: str) -> None:
    first = join(entry, read)
    assert first == join(entry, read)
    assert sorted(apart_from(entry, read)) == ["js/viewer/decode_worker.js", "js/viewer/solid_plane.js"]
    assert "\nimport" not in first
    assert "\nexport" not in first
