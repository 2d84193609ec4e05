"""What the samples of a deployment must say; the Caddyfile is run for real in test_tls."""

from __future__ import annotations

import re
from configparser import RawConfigParser
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def service(name: str) -> dict[str, str]:
    reader = RawConfigParser(strict=True)
    reader.optionxform = str  # type: ignore[assignment, method-assign]
    reader.read_string((DEPLOY / name).read_text())
    return dict(reader["Service"])


@pytest.mark.parametrize("name", ["scanpass.service", "scanpass-backup.service"])
def test_units_are_shut_in_and_leave_no_plain_copy(name: str) -> None:
    said = service(name)
    must = {
        "User": "scanpass",
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
    assert said["SystemCallFilter"].startswith("@system-service")


def test_the_readers_own_confinement_is_allowed_by_the_unit() -> None:
    assert "seccomp" in service("scanpass.service")["SystemCallFilter"].split()


def test_r10_nginx_speaks_1_2_and_1_3_alone_and_logs_no_address() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    assert re.findall(r"ssl_protocols\s+([^;]+);", text) == ["TLSv1.2 TLSv1.3"]
    assert text.count("access_log") == text.count("access_log off;")
    assert "return 301 https://" in text


def test_containers_hold_no_secret_and_gain_no_rights() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    services = text[text.index("services:") : text.index("\nnetworks:")]
    names = re.findall(r"^  (\w+):$", services, re.MULTILINE)
    assert names == ["scanpass", "caddy", "database", "redis"]
    assert services.count("<<: *hardened") == len(names)
    assert not re.search(r"(PASSWORD|SECRET_KEY|TOKEN): ", services), "secrets come from files"
    assert services.count("ports:") == 1, "only the front door is published"
