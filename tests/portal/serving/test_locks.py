"""The locks: pinned by hash, without an address, and nothing in them that the project can't explain."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from .conftest import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / lock).read_text()))


def declared(*, extra: str | None = None) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return [re.match(r"[A-Za-z0-9._-]+", line).group().lower() for line in lines]  # type: ignore[union-attr]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_holds_no_address(lock: str) -> None:
    assert "://" not in (ROOT / lock).read_text()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_a_pin_or_its_hash(lock: str) -> None:
    for line in (ROOT / lock).read_text().splitlines():
        assert re.match(
            r"[a-z0-9][a-z0-9._-]*==\S+( ; .*)? \\$|    --hash=sha256:[0-9a-f]{64}( \\)?$", line
        ), line


def test_locks_agree_with_each_other_and_with_the_project() -> None:
    runtime, development = pins(LOCKS[0]), pins(LOCKS[1])
    assert runtime.items() <= development.items()
    assert {name.split("[")[0] for name in declared()} <= runtime.keys()
    assert set(declared(extra="dev")) <= development.keys()
    assert not set(declared(extra="dev")) & runtime.keys()


def test_every_dependency_has_its_line_of_why() -> None:
    reasons = Path(ROOT / "docs" / "dependencies.md").read_text().lower()
    missing = [name for name in [*declared(), *declared(extra="dev")] if f"| {name} |" not in reasons]
    assert missing == []


def test_no_lock_of_another_tool_names_an_index() -> None:
    assert not [
        name for name in ("uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock") if (ROOT / name).exists()
    ]
