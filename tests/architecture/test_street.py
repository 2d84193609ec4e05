"""The street: imports go one way, and nobody imports the glue (docs/architecture.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Houses of the street, left to right. Houses of one group stand side by side and don't know each other.
STREET: list[set[str]] = [
    {"portal.env", "portal.clock", "portal.errors", "portal.positions"},
    {"portal.vault", "portal.dicom", "portal.phantom"},
    {"portal.sealed"},
    {"portal.audit"},
    {"portal.jobs"},
    {"portal.accounts"},
    {"portal.practice"},
    {"portal.records"},
    {"portal.backups"},
    {"portal.compliance"},
    {"sharing"},
    {"viewer"},
]
# What ties the houses together; it may import any of them, and none of them may import it.
GLUE = {
    "portal.apps",
    "portal.celery",
    "portal.checks",
    "portal.content_policy",
    "portal.demo",
    "portal.health",
    "portal.health_urls",
    "portal.joined_modules",
    "portal.lean_static",
    "portal.management",
    "portal.middleware",
    "portal.problems",
    "portal.redaction",
    "portal.serving",
    "portal.settings",
    "portal.urls",
    "portal.wsgi",
}
WITHOUT_DJANGO = ("portal.vault", "portal.dicom", "portal.phantom", "portal.errors", "portal.positions")


def _modules() -> Iterator[tuple[str, Path]]:
    for top in ("portal", "sharing", "viewer"):
        for path in sorted((ROOT / top).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def _imports(name: str, path: Path) -> Iterator[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            # `from portal import clock` names a module by its last part.
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _house(module: str) -> str | None:
    known = sorted([*GLUE, *(house for group in STREET for house in group)], key=len, reverse=True)
    return next((house for house in known if module == house or module.startswith(house + ".")), None)


def _place(house: str) -> int:
    return next(place for place, group in enumerate(STREET) if house in group)


MODULES = list(_modules())


@pytest.mark.parametrize(("name", "path"), MODULES, ids=[name for name, _ in MODULES])
def test_imports_go_one_way(name, path):
    here = _house(name)
    assert here is not None or name == "portal", f"{name} has no house on the street"
    if here is None or here in GLUE:
        return
    for imported in _imports(name, path):
        there = _house(imported)
        if there is None or there == here:
            continue
        assert there not in GLUE, f"{name} imports the glue: {imported}"
        assert _place(there) < _place(here), f"{name} imports {imported}, which does not stand to its left"


@pytest.mark.parametrize(
    ("name", "path"),
    [module for module in MODULES if module[0].startswith(WITHOUT_DJANGO)],
    ids=lambda value: str(value),
)
def test_the_pure_houses_know_no_django(name, path):
    for imported in _imports(name, path):
        assert imported.split(".")[0] not in {"django", "celery"}, f"{name} imports {imported}"


def test_a_wrong_way_import_would_be_found(tmp_path):
    planted = tmp_path / "planted.py"
    planted.write_text("from sharing.models import Share\nfrom . import middleware\n")
    found = set(_imports("portal.planted", planted))
    assert found == {"sharing.models.Share", "portal.middleware"}
    assert _house("sharing.models.Share") == "sharing"
    assert _house("portal.middleware") in GLUE


def test_no_view_admin_or_signal_writes_past_the_trail():
    for name, path in MODULES:
        for imported in _imports(name, path):
            assert not imported.startswith(("django.contrib.admin", "django.dispatch")), name
            assert "db.models.signals" not in imported, name
