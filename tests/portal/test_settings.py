"""Settings fail closed: without a secret nothing is signed, and a wrong value is refused in words."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from portal.checks import base_is_https, https_can_be_seen, keys_lie_apart
from tests.flows.installation import OURS


def _python(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    kept |= {"DJANGO_SETTINGS_MODULE": "portal.settings", **environment}
    return subprocess.run(
        [sys.executable, "-c", program], env=kept, capture_output=True, text=True, check=False
    )


READ = "from django.conf import settings; print(repr(getattr(settings, {name!r})))"


@pytest.mark.parametrize("program", [READ.format(name="SECRET_KEY"), "import portal.wsgi"])
def test_without_a_secret_nothing_is_served_even_where_pytest_is_loaded(tmp_path, program):
    done = _python(f"import pytest; {program}", SCANPASS_STATE=str(tmp_path))
    assert done.returncode != 0
    assert "ImproperlyConfigured" in done.stderr


def test_the_secret_is_the_same_in_every_process(tmp_path):
    (tmp_path / "secret_key").write_text("kept in the state folder\n")
    said = [_python(READ.format(name="SECRET_KEY"), SCANPASS_STATE=str(tmp_path)).stdout for _ in range(2)]
    assert said == ["'kept in the state folder'\n"] * 2


def test_a_count_of_proxies_below_zero_is_refused(tmp_path):
    done = _python(READ.format(name="DEBUG"), SCANPASS_STATE=str(tmp_path), SCANPASS_TRUSTED_PROXIES="-1")
    assert "count of proxies" in done.stderr


@pytest.mark.parametrize(
    ("place", "keeper", "vendors"),
    [
        ({}, "", ("", "s3")),
        ({"SCANPASS_BACKUP_DIR": "/mnt/b"}, "", ("", "s3")),
        ({"SCANPASS_BACKUP_DIR": "/mnt/b"}, "cold-store", ("cold-store", "cold-store")),
        ({"SCANPASS_BACKUP_TARGET": "s3://b/p"}, "", ("s3", "s3")),
        ({"SCANPASS_BACKUP_TARGET": "s3://b/p"}, "own", ("", "")),
    ],
)
def test_r23_bucket_is_a_vendors_unless_it_is_said_to_be_our_own(tmp_path, place, keeper, vendors):
    names = "('BACKUP_VENDOR', 'BACKUP_BUCKET_VENDOR')"
    read = f"from django.conf import settings; print(tuple(getattr(settings, name) for name in {names}))"
    done = _python(read, SCANPASS_STATE=str(tmp_path), SCANPASS_BACKUP_VENDOR=keeper, **place)
    assert done.stdout.strip() == repr(vendors)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SESSION_COOKIE_NAME", "'__Host-staff'"),
        ("CSRF_COOKIE_NAME", "'__Host-csrf'"),
        ("SHARE_COOKIE_NAME", "'__Host-share'"),
        ("SESSION_COOKIE_SECURE", "True"),
        ("CSRF_COOKIE_SECURE", "True"),
        ("SECURE_SSL_REDIRECT", "True"),
        ("SECURE_HSTS_SECONDS", "63072000"),
        ("DEBUG", "False"),
        ("GATEWAY", "'console'"),
        ("ACCEPT_COLOCATED_KEYS", "False"),
    ],
)
def test_an_https_installation_has_all_its_locks(tmp_path, name, value):
    done = _python(
        READ.format(name=name),
        SCANPASS_STATE=str(tmp_path),
        SCANPASS_PUBLIC_BASE_URL="https://scans.example",
        SCANPASS_TRUSTED_PROXIES="1",
    )
    assert done.stdout.strip() == value, done.stderr


def test_a_keyring_on_the_disk_of_the_data_is_refused_even_before_there_is_data(settings, tmp_path):
    settings.ACCEPT_COLOCATED_KEYS = False
    settings.KEYRING_PATH = tmp_path / "not yet" / "keyring.json"
    settings.VAULT_DIR = tmp_path / "not there" / "vault"
    assert [error.id for error in keys_lie_apart(None)] == ["scanpass.E001"]
    settings.ACCEPT_COLOCATED_KEYS = True
    assert keys_lie_apart(None) == []


def test_https_without_a_proxy_is_refused_before_it_redirects_for_ever(settings):
    settings.SECURE_SSL_REDIRECT, settings.TRUSTED_PROXIES = True, 0
    assert [error.id for error in https_can_be_seen(None)] == ["scanpass.E003"]
    settings.TRUSTED_PROXIES = 1
    assert https_can_be_seen(None) == []


def test_a_public_address_without_https_is_an_error_of_a_deployment(settings):
    settings.PUBLIC_BASE_URL = "http://scans.example"
    assert [error.id for error in base_is_https(None)] == ["scanpass.E002"]
