"""Static files are collected when one changes, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.serving import assets


@pytest.fixture
def collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.css").write_text("a{}")
    (tmp_path / "requirements.lock").touch()
    calls: list[str] = []
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    monkeypatch.setattr(assets, "call_command", lambda name, **_: calls.append(name))
    return calls


def test_unchanged_files_are_collected_once(tmp_path: Path, collected: list[str]) -> None:
    assets.collect(tmp_path)
    assets.collect(tmp_path)
    assert collected == ["collectstatic"]


@pytest.mark.parametrize("changed", ["static/a.css", "static/new.js", "requirements.lock"])
def test_any_change_collects_again(tmp_path: Path, collected: list[str], changed: str) -> None:
    assets.collect(tmp_path)
    (tmp_path / changed).write_text("changed")
    assets.collect(tmp_path)
    assert collected == ["collectstatic"] * 2


def test_interrupted_collection_is_done_again(
    tmp_path: Path, collected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(name: str, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(assets, "call_command", interrupted)
        with pytest.raises(KeyboardInterrupt):
            assets.collect(tmp_path)
    assets.collect(tmp_path)
    assert collected == ["collectstatic"]
