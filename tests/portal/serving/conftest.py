"""A bare interpreter and a small clone: what a stranger's machine has before anything is installed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BARE_PYTHON = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"

# Two environments are made, and pip is no friend of a crowded machine.
WITHIN_S = 600.0


@dataclass(frozen=True)
class Clone:
    """A checkout with the start's own files and locks of one tiny package each, installed from a folder."""

    folder: Path

    def manage(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BARE_PYTHON, "manage.py", *arguments],
            cwd=self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )

    def environment(self, **more: str) -> dict[str, str]:
        # PIP_REQUIRE_VIRTUALENV: a mistake here must never install into the machine's own Python.
        own = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "PIP_REQUIRE_VIRTUALENV": "1",
        }
        return own | more

    def write_lock(self, lock: str, package: str, version: str, module: str) -> None:
        """Pin one package whose `python -m` prints `module`'s answer."""
        wheel = self.folder / "wheels" / f"{package}-{version}-py3-none-any.whl"
        write_wheel(wheel, package, version, module)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        lines = [
            "--no-index",
            "--find-links ./wheels",
            f"{package}=={version} \\",
            f"    --hash=sha256:{digest}",
        ]
        (self.folder / lock).write_text("\n".join(lines) + "\n")


def write_wheel(path: Path, package: str, version: str, main: str) -> None:
    """The smallest wheel that pip takes (PyPA binary distribution format)."""
    info = f"{package}-{version}.dist-info"
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{package}/__init__.py", "")
        wheel.writestr(f"{package}/__main__.py", main)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def make_clone(folder: Path) -> Clone:
    """Copy the start's files; its pytest is a stand-in that prints its arguments."""
    (folder / "portal").mkdir(parents=True)
    shutil.copy(ROOT / "manage.py", folder)
    shutil.copy(ROOT / "portal" / "__init__.py", folder / "portal")
    shutil.copytree(ROOT / "portal" / "serving", folder / "portal" / "serving")
    clone = Clone(folder)
    clone.write_lock("requirements.lock", "tinydjango", "1.0", "")
    clone.write_lock("requirements-dev.lock", "pytest", "1.0", "import sys; print('pytest', *sys.argv[1:])")
    return clone


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """One clone for the tests of a file: making its environment takes seconds."""
    return make_clone(tmp_path_factory.mktemp("stranger") / "scanpass")


@pytest.fixture
def kept_environment() -> object:
    """Give the environment and the umask back after a test that prepares a start in this process."""
    before, mask = dict(os.environ), os.umask(0o077)
    yield
    os.umask(mask)
    os.environ.clear()
    os.environ.update(before)
