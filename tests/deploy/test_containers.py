"""compose.yaml, the Dockerfile, the Caddyfile and the settings say the same of users, paths, names, ports and commands.

There is no container engine in the suite. What can be held without one is held: each word against the file that must
agree with it, the entrypoint by a shell, and the site started from the files that the image copies and nothing else.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import environ
import pytest

from tests.deploy.test_samples import DEPLOY, read_compose
from tests.flows.installation import OURS, ROOT, wait_for
from tests.ports import free_port

pytestmark = pytest.mark.services
# PostgreSQL's programs must be of the server's version; Debian's release decides theirs.
POSTGRESQL_OF = {"bookworm": "15", "trixie": "17"}
NOT_IN_THE_IMAGE = {"tests", "bench", "docs", "deploy", ".ci"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return read_compose()


@pytest.fixture(scope="module")
def site(compose: dict[str, Any]) -> dict[str, Any]:
    return dict(compose["services"]["scanpass"])


def image(word: str) -> list[str]:
    """What the Dockerfile's lines of this kind say, continued lines joined."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    return re.findall(rf"^{word} (.+)$", text, re.MULTILINE)


def copied() -> list[str]:
    """Every file or folder that the image takes from the source."""
    return [name for line in image("COPY") for name in line.split()[:-1]]


def test_every_setting_is_one_that_is_read(site: dict[str, Any]) -> None:
    source = "".join(path.read_text() for path in (ROOT / "portal").rglob("*.py"))
    asked = {*site["environment"], "DATABASE_URL", *(word.split("=")[0] for word in image("ENV")[0].split())}
    unknown = {name for name in asked if f'"{name}"' not in source}
    assert unknown == {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}, "the interpreter's own"


def test_user_folders_and_volumes_are_the_images(compose: dict[str, Any], site: dict[str, Any]) -> None:
    (made,) = [line for line in image("RUN") if "useradd" in line]
    uid = re.findall(r"--uid (\d+)", made)
    assert site["user"].split(":") == [*uid, *uid]
    assert image("USER") == uid
    mounted = dict(volume.split(":")[::-1] for volume in site["volumes"])
    assert (
        set(mounted) == set(json.loads(image("VOLUME")[0])) == set(re.findall(r"/\w+", made.split("700")[1]))
    )
    named = {
        volume.split(":")[0] for one in compose["services"].values() for volume in one.get("volumes", [])
    }
    assert {name for name in named if not name.startswith(".")} == set(compose["volumes"])
    said = site["environment"]
    places = ("SCANPASS_STATE", "SCANPASS_KEYRING", "SCANPASS_BACKUP_KEYRING", "SCANPASS_BACKUP_DIR")
    where = {place: mounted["/" + said[place].split("/")[1]] for place in places}
    assert where == dict(zip(places, ("data", "keys", "keys", "backups"), strict=True))
    devices = [compose["volumes"][name]["driver_opts"]["device"] for name in ("keys", "backups")]
    told = (DEPLOY / "compose.yaml").read_text()
    assert f"install -d -m 700 -o {uid[0]} {' '.join(devices)}" in told, "bound folders must be there before"


def test_image_takes_all_of_the_source_and_nothing_that_isnt_there() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    folders = {line.split("/")[0] for line in listed.stdout.splitlines() if "/" in line}
    assert {name for name in copied() if (ROOT / name).is_dir()} == folders - NOT_IN_THE_IMAGE
    assert [name for name in copied() if not (ROOT / name).exists()] == []
    assert "requirements.lock" in copied()


def test_names_and_ports_lead_to_each_other(compose: dict[str, Any], site: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["caddy"]["network_mode"] == "service:scanpass"
    caddyfile = (DEPLOY / "Caddyfile").read_text()
    assert "reverse_proxy 127.0.0.1:8000" in caddyfile
    settings = (ROOT / "portal" / "settings.py").read_text()
    assert 'PORT = env.int("SCANPASS_PORT", default=8000)' in settings
    host = site["environment"]["SCANPASS_PUBLIC_BASE_URL"].removeprefix("https://")
    assert caddyfile.splitlines().count(f"{host} {{") == 1
    assert site["environment"]["SCANPASS_ALLOWED_HOSTS"].split(",")[0] == host
    assert site["ports"] == ["80:80", "443:443"]
    for name in ("CELERY_BROKER_URL", "CACHE_URL"):
        assert "://redis:6379/" in site["environment"][name]
    shared = set(site["networks"])
    assert all(shared & set(services[name]["networks"]) for name in [*site["depends_on"]])
    release = re.findall(r"slim-(\w+)$", image("FROM")[0])
    assert services["database"]["image"] == f"postgres:{POSTGRESQL_OF[release[0]]}"
    assert image("FROM")[0].startswith("python:3.11-")


@pytest.mark.parametrize("password", ["plain", "a/b+c=@:?#%&' \"$x\\"])
def test_entrypoint_names_the_database_and_runs_the_site(
    site: dict[str, Any], compose: dict[str, Any], tmp_path: Path, password: str
) -> None:
    """By a real shell: only the secret's folder, and what `manage.py` does, are others."""
    assert list(compose["secrets"]) == site["secrets"] == compose["services"]["database"]["secrets"]
    kept = compose["services"]["database"]["environment"]
    assert kept["POSTGRES_PASSWORD_FILE"] == "/run/secrets/database"
    (tmp_path / "database").write_text(password + "\n")
    (tmp_path / "manage.py").write_text(
        "import os, sys; print(sys.argv[1:], os.environ['DATABASE_URL'], sep='\\n')"
    )
    (tmp_path / "python").symlink_to(sys.executable)
    *shell, line = site["entrypoint"]
    # What compose itself makes of it.
    line = line.replace("$$", "$").replace("/run/secrets", str(tmp_path))
    ran = subprocess.run(
        [*shell, line],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    arguments, url = ran.stdout.splitlines()
    assert arguments == "['serve']"
    read = environ.Env.db_url_config(url)
    assert (read["USER"], read["PASSWORD"], read["NAME"]) == (
        kept["POSTGRES_USER"],
        password,
        kept["POSTGRES_DB"],
    )
    assert (read["HOST"], read["PORT"]) == ("database", 5432)


@pytest.fixture
def machine() -> Iterator[Path]:
    """A folder that another user may enter; pytest closes its own to others whenever one of its processes starts."""
    with tempfile.TemporaryDirectory(prefix="scanpass-image-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.slow
def test_site_starts_from_what_the_image_copies_and_writes_into_its_volumes_alone(
    site: dict[str, Any], machine: Path
) -> None:
    """As the image's user where this test may become another, in a source it may not write to."""
    source, volumes = machine / "scanpass", machine / "volumes"
    for name in copied():
        there = source / name
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, there, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, there)
    # As a clone looks that was made under the strictest umask: the image has to mend that itself.
    subprocess.run(["chmod", "-R", "go=", "."], cwd=source, check=True)
    (readable,) = [line for line in image("RUN") if line.startswith("chmod")]
    subprocess.run(readable.split(), cwd=source, check=True)
    uid = site["user"].split(":")[0]
    become = ["setpriv", "--reuid", uid, "--regid", uid, "--clear-groups"] if may_become(uid, machine) else []
    for volume in ("data", "keys", "backups", "tmp"):
        (volumes / volume).mkdir(parents=True)
        os.chmod(volumes / volume, 0o700)
        if become:
            os.chown(volumes / volume, int(uid), int(uid))
    # The runner's umask may be the strictest.
    os.chmod(volumes, 0o755)
    port = free_port()
    told = {
        name: value for name, value in site["environment"].items() if not name.startswith(("CELERY", "CACHE"))
    }
    own = dict(word.split("=") for word in image("ENV")[0].split())
    moved = {name: f"{volumes}{value}" if value.startswith("/") else value for name, value in told.items()}
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(OURS)},
        **moved,
        **own,
        "TMPDIR": str(volumes / "tmp"),
        "HOME": "/nonexistent",
    }
    before = set(source.rglob("*"))
    log = machine / "log"
    with log.open("wb") as out:
        # Both on one disk here, which the option says; in a container they are two.
        command = [
            *become,
            sys.executable,
            "manage.py",
            "serve",
            "--port",
            str(port),
            "--accept-colocated-keys",
        ]
        running = subprocess.Popen(command, cwd=source, env=environment, stdout=out, stderr=out)
    try:
        wait_for(
            lambda: "Scanpass is running at" in log.read_text() or running.poll() is not None,
            within_s=120,
            why=log.read_text,
        )
        assert running.poll() is None, log.read_text()
        assert "/setup/#" in log.read_text(), "the one-time link of the owner"
    finally:
        running.terminate()
        running.wait(timeout=30)
    assert set(source.rglob("*")) == before
    assert (volumes / "keys" / "keyring.json").stat().st_mode & 0o777 == 0o600


def may_become(uid: str, folder: Path) -> bool:
    """Whether another user may run our interpreter and enter the test's folder."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return False
    # An interpreter in root's own folder is started by root's last right, and can't be started again from there.
    program = "import django, subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)"
    tried = ["setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", sys.executable, "-c", program]
    return subprocess.run(tried, cwd=folder, capture_output=True, check=False).returncode == 0
