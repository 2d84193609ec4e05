"""`manage.py` makes its own environment, once, and says in one line why it can't."""

from __future__ import annotations

import ast
import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

import manage
from portal.serving import bootstrap
from portal.serving.refusal import CannotStart

from .conftest import BARE_PYTHON, ROOT, WITHIN_S, Clone, make_clone


@pytest.mark.slow
def test_first_start_sets_up_and_hands_over(clone: Clone) -> None:
    done = clone.manage("test", "-k", "vault")
    assert (done.returncode, done.stdout) == (0, "pytest -k vault\n"), done.stderr
    assert done.stderr.count("Setting up, once: 1 packages of") == 2


def test_second_start_says_and_does_nothing(clone: Clone) -> None:
    clone.manage("test")
    done = clone.manage("test")
    assert (done.stdout, done.stderr) == ("pytest\n", "")


@pytest.mark.slow
def test_changed_lock_is_installed_again_and_the_other_is_not(clone: Clone) -> None:
    clone.manage("test")
    clone.write_lock("requirements-dev.lock", "pytest", "2.0", "print('second')")
    done = clone.manage("test")
    assert done.stdout == "second\n"
    assert "requirements.lock" not in done.stderr


def test_wrong_hash_is_refused_and_leaves_no_stamp(clone: Clone) -> None:
    clone.manage("test")
    good = (clone.folder / "requirements-dev.lock").read_text()
    (clone.folder / "requirements-dev.lock").write_text(good.replace("2.0", "3.0").replace("1.0", "3.0"))
    done = clone.manage("test")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Setting up did not finish; the lines above say why.")
    (clone.folder / "requirements-dev.lock").write_text(good)
    assert clone.manage("test").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("left", ["python without its settings", "settings without pip"])
def test_interrupted_environment_is_made_anew(tmp_path: Path, left: str) -> None:
    clone = make_clone(tmp_path / "scanpass")
    venv = clone.folder / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(BARE_PYTHON)
    if left == "settings without pip":
        (venv / "pyvenv.cfg").write_text(
            f"home = {BARE_PYTHON.parent}\ninclude-system-site-packages = false\n"
        )
    assert clone.manage("test").stdout == "pytest\n"
    assert (venv / "lib").exists()


@pytest.mark.slow
def test_two_starts_at_once_install_once(tmp_path: Path) -> None:
    clone = make_clone(tmp_path / "scanpass")
    both = [
        subprocess.Popen(
            [BARE_PYTHON, "manage.py", "test"],
            cwd=clone.folder,
            env=clone.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    with both[0], both[1]:
        try:
            answers = [process.communicate(timeout=WITHIN_S) for process in both]
        finally:  # or another test is blamed for what is left of them
            for process in both:
                process.kill()
    assert [out for out, _ in answers] == ["pytest\n", "pytest\n"]
    said = "".join(err for _, err in answers)
    assert said.count("Setting up, once") == 2
    assert said.count("waiting for it") == 1


def test_other_commands_ask_for_a_first_start(tmp_path: Path) -> None:
    done = make_clone(tmp_path / "scanpass").manage("migrate")
    assert done.returncode == 1
    assert done.stderr == "Scanpass is not set up here yet. Run this first: python3 manage.py serve\n"


@pytest.mark.parametrize("variable", [{"SCANPASS_BOOTSTRAP": "0"}, {"VIRTUAL_ENV": "/somewhere"}])
def test_prepared_environment_is_left_alone(tmp_path: Path, variable: dict[str, str]) -> None:
    done = make_clone(tmp_path / "scanpass").manage("migrate", **variable)
    assert done.stderr.startswith("Django is not installed in this environment.")
    assert not (tmp_path / "scanpass" / ".venv").exists()


@pytest.mark.slow
def test_uv_that_fails_gives_way_to_pip(tmp_path: Path) -> None:
    clone = make_clone(tmp_path / "scanpass")
    uv = clone.folder / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text("#!/bin/sh\nexit 2\n")
    uv.chmod(0o755)
    done = clone.manage("test", PATH=f"{uv.parent}:/usr/bin:/bin")
    assert done.stdout == "pytest\n", done.stderr
    assert "trying pip" in done.stderr


def test_old_python_gets_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manage.sys, "version_info", (3, 9, 2, "final", 0))
    monkeypatch.setattr(manage.sys, "argv", ["manage.py", "demo"])
    with pytest.raises(SystemExit) as ended:
        manage.refuse_old_python()
    assert str(ended.value) == (
        "Scanpass needs Python 3.11 or newer; this is 3.9. Install it (Debian: apt install python3.11) and try"
        " again with: python3.11 manage.py demo"
    )


def test_manage_parses_on_python_3_8() -> None:
    ast.parse((ROOT / "manage.py").read_text(), feature_version=(3, 8))


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setenv("PATH", "/nowhere")
    return tmp_path


def test_missing_venv_module_names_the_package(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ensurepip" else found(name)
    )
    with pytest.raises(CannotStart, match=r"Debian: apt install python3-venv"):
        bootstrap._make_venv()
    assert not (empty_folder / ".venv").exists()


def test_small_disk_is_said_before_anything_is_made(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=50 << 20))
    with pytest.raises(CannotStart, match=r"needs 900 MB of free disk, and there are 50 MB"):
        bootstrap._make_venv()
    assert list(empty_folder.iterdir()) == []


def test_disk_full_in_the_middle_is_one_line() -> None:
    failed = subprocess.CompletedProcess(["pip"], 1, stdout="OSError: [Errno 28] No space left on device\n")
    with pytest.raises(CannotStart, match=r"^The disk is full\. Free some space"):
        bootstrap._check(failed)
