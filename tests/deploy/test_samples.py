"""What the samples of a deployment must say; Caddyfile and nginx.conf are run for real in test_tls."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path
from typing import Any, NoReturn

import pytest

# systemd's own scale: 100 is wide open, and a service as it comes has 96.
EXPOSURE_MAX = 25
UNITS = ("scanpass.service", "scanpass-backup.service", "scanpass-checkpoint.service")
DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def service(name: str) -> dict[str, str]:
    reader = RawConfigParser(strict=True)
    reader.optionxform = str  # type: ignore[assignment, method-assign]
    reader.read_string((DEPLOY / name).read_text())
    return dict(reader["Service"])


@pytest.mark.parametrize("name", UNITS)
def test_units_are_shut_in_and_leave_no_plain_copy(name: str) -> None:
    said = service(name)
    must = {
        "LimitCORE": "0",
        "MemorySwapMax": "0",
        "UMask": "0077",
        "NoNewPrivileges": "yes",
        "CapabilityBoundingSet": "",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "PrivateTmp": "yes",
        "PrivateDevices": "yes",
        "SystemCallArchitectures": "native",
    }
    assert must.items() <= said.items()
    assert said["User"] in {"scanpass", "scanpass-audit"}
    assert said["SystemCallFilter"].startswith("@system-service")


@pytest.mark.services
@pytest.mark.parametrize("name", UNITS)
def test_systemd_reads_the_units_and_finds_them_little_exposed(name: str) -> None:
    tool = needed("systemd-analyze", package="systemd")
    read = subprocess.run([tool, "verify", DEPLOY / name], capture_output=True, text=True, check=False)
    # What isn't installed here can't be found here; anything else is a line that systemd doesn't know.
    wrong = [line for line in read.stderr.splitlines() if name in line and "is not executable" not in line]
    assert wrong == []
    command = [tool, "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", DEPLOY / name]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_the_timer_starts_the_backup_even_after_a_night_without_power() -> None:
    reader = RawConfigParser(strict=True)
    reader.read(DEPLOY / "scanpass-backup.timer")
    assert reader["Timer"]["Persistent"] == "yes"
    assert reader["Install"]["WantedBy"] == "timers.target"


def test_r7_whoever_signs_the_trail_is_another_user_and_sees_nothing_of_the_site() -> None:
    said = service("scanpass-checkpoint.service")
    assert said["User"] != service("scanpass.service")["User"]
    assert said["StateDirectoryMode"] == "0700", "the key is that user's alone"
    hidden = {path.lstrip("-") for path in said["InaccessiblePaths"].split()}
    assert hidden >= {"/srv/scanpass", "/mnt/keys", "/mnt/backups", "/etc/scanpass.env"}


def test_the_readers_own_confinement_is_allowed_by_the_unit() -> None:
    assert "seccomp" in service("scanpass.service")["SystemCallFilter"].split()


def test_r10_nginx_speaks_1_2_and_1_3_alone_and_logs_no_address() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    assert re.findall(r"ssl_protocols\s+([^;]+);", text) == ["TLSv1.2 TLSv1.3"]
    assert text.count("access_log") == text.count("access_log off;")
    assert "return 301 https://" in text


def read_compose() -> dict[str, Any]:
    """compose.yaml by Debian's YAML reader."""
    read = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))"
    with (DEPLOY / "compose.yaml").open() as file:
        ran = subprocess.run(
            ["/usr/bin/python3", "-c", read], stdin=file, capture_output=True, text=True, check=False
        )
    if "No module named 'yaml'" in ran.stderr:
        missing("python3-yaml")
    return dict(json.loads(ran.stdout))


@pytest.mark.services
def test_containers_are_read_as_they_are_meant() -> None:
    """By Debian's YAML reader: every service shut in, keys and backups on disks of their own, no plain port."""
    compose = read_compose()
    for name, one in compose["services"].items():
        assert one["read_only"] is True, name
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert one["ulimits"] == {"core": 0}, name
    assert compose["networks"]["inside"]["internal"] is True
    assert {one for one, more in compose["services"].items() if "outside" in more.get("networks", [])} == {
        "scanpass"
    }
    kept = [compose["volumes"][name]["driver_opts"]["device"] for name in ("keys", "backups")]
    assert kept == ["/mnt/keys/scanpass", "/mnt/backups/scanpass"]
    told = compose["services"]["scanpass"]["environment"]
    assert told["SCANPASS_PUBLIC_BASE_URL"].startswith("https://")
    assert told["SCANPASS_TRUSTED_PROXIES"] == "1"


def needed(command: str, *, package: str) -> str:
    return shutil.which(command) or missing(package)


def missing(package: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"missing (Debian: apt install {package})")
    pytest.skip(f"{package} is not on this machine")


def test_containers_hold_no_secret_and_gain_no_rights() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    services = text[text.index("services:") : text.index("\nnetworks:")]
    names = re.findall(r"^  (\w+):$", services, re.MULTILINE)
    assert names == ["scanpass", "caddy", "database", "redis"]
    assert services.count("<<: *hardened") == len(names)
    assert not re.search(r"(PASSWORD|SECRET_KEY|TOKEN): ", services), "secrets come from files"
    assert services.count("ports:") == 1, "only the front door is published"
