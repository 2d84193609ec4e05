"""`manage.py check --deploy` refuses what must not be where patients are, each with a sentence."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from portal import checks
from portal.backups import runs
from portal.backups.models import Run
from portal.checks import (
    agreements_are_in_force,
    backup_is_fresh,
    backups_have_one_place,
    settings_are_a_deployments,
)
from portal.clock import now
from portal.practice.models import BusinessAssociate, Practice
from tests.cast import make_agreement
from tests.conftest import MovableClock

SECRET = "k3J9-vQz7LxW2pRt8YbN4mCs6HdF1gUa"


def ids(found: list[Any]) -> list[str]:
    return [error.id for error in found]


@pytest.fixture(autouse=True)
def _deployed(settings: Any) -> None:
    settings.DEBUG, settings.SECRET_KEY, settings.DEMO = False, SECRET, False
    settings.ALLOWED_HOSTS, settings.ACCEPT_COLOCATED_KEYS = ["scans.example.com"], False


def test_deployment_as_it_should_be_has_nothing_to_say() -> None:
    assert settings_are_a_deployments(None) == []


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("DEBUG", True, "scanpass.E005"),
        ("SECRET_KEY", "changeme", "scanpass.E006"),
        ("SECRET_KEY", "a" * 64, "scanpass.E006"),
        ("SECRET_KEY", "django-insecure-" + SECRET, "scanpass.E006"),
        ("ALLOWED_HOSTS", ["*"], "scanpass.E007"),
        ("ACCEPT_COLOCATED_KEYS", True, "scanpass.E008"),
        ("DEMO", True, "scanpass.E009"),
    ],
)
def test_each_wrong_setting_is_refused(settings: Any, name: str, value: object, error: str) -> None:
    setattr(settings, name, value)
    assert ids(settings_are_a_deployments(None)) == [error]


@pytest.mark.django_db
def test_r19_vendor_without_an_agreement_is_refused(smile: Practice, bright: Practice, settings: Any) -> None:
    assert agreements_are_in_force(None) == []
    settings.BACKUP_VENDOR = "cold-store"
    today = now().date()
    for count, practice in enumerate((smile, bright), 1):
        assert ids(agreements_are_in_force(None)) == ["scanpass.E010"], count
        vendor = BusinessAssociate.objects.create(practice=practice, name="Store", adapter="cold-store")
        make_agreement(vendor, signed_on=today, starts_on=today, ends_on=today)
    assert agreements_are_in_force(None) == []


@pytest.mark.django_db
def test_r8_missing_stale_and_colocated_backups_are_refused(
    smile: Practice, settings: Any, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ids(backup_is_fresh(None)) == ["scanpass.E011"]
    settings.BACKUP_TARGET = "/mnt/backups"
    monkeypatch.setattr(checks, "_device", lambda _: "the only disk")
    assert ids(backup_is_fresh(None)) == ["scanpass.E012", "scanpass.E013"]
    monkeypatch.setattr(checks, "_device", lambda path: str(Path(path).parts[1]))
    assert ids(backup_is_fresh(None)) == ["scanpass.E013"]
    runs.end(runs.begin(Run.Kind.BACKUP), Run.Outcome.OK, "Made.")
    assert backup_is_fresh(None) == []
    clock.advance(seconds=timedelta(days=3).total_seconds())
    assert ids(backup_is_fresh(None)) == ["scanpass.E013"]


def test_bucket_that_cant_be_asked_is_refused(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.BACKUP_TARGET = "s3://clinic/smile?endpoint=https://store.example.com"
    assert backups_have_one_place(None) == []
    settings.BACKUP_TARGET = "s3://clinic/smile?endpoint=http://store.example.com"
    assert ids(backups_have_one_place(None)) == ["scanpass.E015"]
    monkeypatch.setattr(checks, "find_spec", lambda _: None)
    monkeypatch.setenv("SCANPASS_BACKUP_TARGET", settings.BACKUP_TARGET)
    monkeypatch.setenv("SCANPASS_BACKUP_DIR", "/mnt/backups")
    assert ids(backups_have_one_place(None)) == ["scanpass.E014", "scanpass.E015", "scanpass.E016"]


@pytest.mark.django_db
def test_r8_bucket_lies_on_no_disk_of_ours_and_may_be_too_old(
    smile: Practice, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BACKUP_TARGET = "s3://clinic/smile?endpoint=https://store.example.com"
    monkeypatch.setattr(checks, "_device", lambda _: "the only disk")
    assert ids(backup_is_fresh(None)) == ["scanpass.E013"]


@pytest.mark.django_db
def test_the_command_refuses_all_of_it_at_once_and_a_good_deployment_passes(
    smile: Practice, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The very command of deploy/README.md, with every wrong setting and then with none."""
    # The tests' own doing, for the browsers' sake (tests/state.py).
    settings.SILENCED_SYSTEM_CHECKS = [*settings.SILENCED_SYSTEM_CHECKS, "async.E001"]
    monkeypatch.setattr(checks, "_device", str)
    settings.PUBLIC_BASE_URL, settings.SECURE_SSL_REDIRECT, settings.TRUSTED_PROXIES = (
        "https://scans.example.com",
        True,
        1,
    )
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 63_072_000
    settings.BACKUP_TARGET = str(tmp_path)
    runs.end(runs.begin(Run.Kind.BACKUP), Run.Outcome.OK, "Made.")
    call_command("check", "--deploy", "--fail-level", "ERROR")
    settings.DEBUG, settings.SECRET_KEY, settings.DEMO, settings.BACKUP_TARGET = True, "changeme", True, ""
    settings.ALLOWED_HOSTS, settings.ACCEPT_COLOCATED_KEYS = ["*"], True
    settings.PUBLIC_BASE_URL, settings.BACKUP_VENDOR = "http://scans.example.com", "cold-store"
    with pytest.raises(SystemCheckError) as refusal:
        call_command("check", "--deploy", "--fail-level", "ERROR")
    told = set(re.findall(r"scanpass\.E\d{3}", str(refusal.value)))
    assert told == {f"scanpass.E{number:03}" for number in (2, 5, 6, 7, 8, 9, 10, 11)}
