"""What stands before Django loads: a private state folder that is the demo's or a practice's, never both."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from portal.serving import environment
from portal.serving.refusal import CannotStart

pytestmark = pytest.mark.usefixtures("kept_environment")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_state_is_private_and_the_secret_stays(tmp_path: Path) -> None:
    state = tmp_path / "new" / "state"
    environment.prepare(["manage.py", "serve", "--state", str(state)])
    secret = (state / "secret_key").read_text()
    environment.prepare(["manage.py", "serve", "--state", str(state)])
    assert (state / "secret_key").read_text() == secret
    assert len(secret) >= 64
    assert (mode(state), mode(state / "secret_key")) == (0o700, 0o600)


def test_open_state_folder_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    environment.prepare(["manage.py", "demo", "--state", str(tmp_path)])
    assert mode(tmp_path) == 0o700


def test_new_files_are_private(tmp_path: Path) -> None:
    os.umask(0o022)
    environment.prepare(["manage.py", "migrate"])
    (tmp_path / "file").touch()
    assert mode(tmp_path / "file") == 0o600


@pytest.mark.parametrize(("first", "second"), [("demo", "serve"), ("serve", "demo")])
def test_sample_data_and_real_patients_never_share_a_folder(tmp_path: Path, first: str, second: str) -> None:
    environment.prepare(["manage.py", first, "--state", str(tmp_path)])
    with pytest.raises(CannotStart, match=f"was made by `manage.py {first}`.*manage.py {second} --state DIR"):
        environment.prepare(["manage.py", second, "--state", str(tmp_path)])


def test_serve_is_never_a_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCANPASS_DEMO", "1")
    monkeypatch.delenv("SCANPASS_ACCEPT_COLOCATED_KEYS", raising=False)
    environment.prepare(["manage.py", "serve", "--state", str(tmp_path)])
    assert os.environ["SCANPASS_DEMO"] == "0"
    assert "SCANPASS_ACCEPT_COLOCATED_KEYS" not in os.environ


def test_options_win_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCANPASS_PORT", "9000")
    monkeypatch.setenv("SCANPASS_STATE", "/nowhere")
    environment.prepare(["manage.py", "demo", "--port=8123", "--state", str(tmp_path)])
    assert os.environ["SCANPASS_PORT"] == "8123"
    assert os.environ["SCANPASS_STATE"] == str(tmp_path)
    assert os.environ["SCANPASS_DEMO"] == os.environ["SCANPASS_ACCEPT_COLOCATED_KEYS"] == "1"


def test_help_makes_nothing(tmp_path: Path) -> None:
    environment.prepare(["manage.py", "serve", "--state", str(tmp_path / "state"), "--help"])
    assert not (tmp_path / "state").exists()


def test_state_that_is_a_file_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(CannotStart, match="Correct this and run the same command again"):
        environment.prepare(["manage.py", "serve", "--state", str(tmp_path / "state")])
