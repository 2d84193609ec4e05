"""What must be true before Scanpass serves: Django's system checks, in plain sentences."""

from __future__ import annotations

import os
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from portal.clock import now
from portal.errors import InvalidInput


@register(Tags.security)
def keys_lie_apart(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The breach safe harbour (74 FR 19006) needs the keys kept apart from the data they open."""
    if settings.ACCEPT_COLOCATED_KEYS:
        return []
    database = settings.DATABASES["default"]
    kept = [settings.VAULT_DIR, *([Path(database["NAME"])] if "sqlite3" in database["ENGINE"] else [])]
    if _device(settings.KEYRING_PATH) not in map(_device, kept):
        return []
    return [
        Error(
            "The key file lies on the same disk as the data it opens.",
            hint="Set SCANPASS_KEYRING to a file on another disk, or SCANPASS_ACCEPT_COLOCATED_KEYS=1.",
            id="scanpass.E001",
        )
    ]


def _device(path: Path) -> int:
    """The file system on which the path is, or would be."""
    while not path.exists():
        path = path.parent
    return path.stat().st_dev


@register(Tags.security)
def https_can_be_seen(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Behind a proxy nobody spoke of, every page would redirect to itself for ever."""
    if not settings.SECURE_SSL_REDIRECT or settings.TRUSTED_PROXIES:
        return []
    return [
        Error(
            "The public address is https, but no proxy in front is named that ends TLS.",
            hint="Set SCANPASS_TRUSTED_PROXIES to the number of proxies (1 for nginx alone); each must set"
            " X-Forwarded-Proto and add to X-Forwarded-For.",
            id="scanpass.E003",
        )
    ]


@register(Tags.security, deploy=True)
def base_is_https(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """45 CFR 164.312(e): links must lead over TLS."""
    if settings.PUBLIC_BASE_URL.startswith("https://"):
        return []
    return [
        Error("The public address is not https.", hint="Set SCANPASS_PUBLIC_BASE_URL.", id="scanpass.E002")
    ]


@register(Tags.security, deploy=True)
def settings_are_a_deployments(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What may be so on a desk and never where patients are."""
    wrong = {
        "scanpass.E005": (settings.DEBUG, "DEBUG is on: pages would show what they were working on."),
        "scanpass.E006": (_is_weak(settings.SECRET_KEY), "The secret key is missing, short or a sample."),
        "scanpass.E007": (
            "*" in settings.ALLOWED_HOSTS,
            "Every host name is allowed. Name yours in SCANPASS_ALLOWED_HOSTS.",
        ),
        "scanpass.E008": (
            settings.ACCEPT_COLOCATED_KEYS,
            "The keys may lie on the disk of the data. Set SCANPASS_KEYRING to a file on another one"
            " and drop SCANPASS_ACCEPT_COLOCATED_KEYS.",
        ),
        "scanpass.E009": (settings.DEMO, "This is the demo: its passwords are printed. Start `serve`."),
    }
    return [Error(sentence, id=name) for name, (is_wrong, sentence) in wrong.items() if is_wrong]


def _is_weak(secret: str) -> bool:
    return len(secret) < 32 or len(set(secret)) < 10 or secret.startswith("django-insecure")


@register(Tags.security, deploy=True)
def agreements_are_in_force(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """45 CFR 164.308(b): each vendor that is switched on, for each practice."""
    from portal.practice import adapters
    from portal.practice.agreements import has_agreement
    from portal.practice.models import Practice

    lacking = {
        name
        for practice in Practice.objects.values_list("pk", flat=True)
        for name in adapters.in_use()
        if not has_agreement(practice, name)
    }
    hint = "Add the signed agreement under Compliance, Agreements; until then nothing new goes there."
    return [
        Error(f"No agreement in force: {adapters.in_words(name)}.", hint=hint, id="scanpass.E010")
        for name in sorted(lacking)
    ]


@register(Tags.security, deploy=True)
def backup_is_fresh(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """45 CFR 164.308(a)(7)(ii)(A): a backup, young enough, that doesn't lie beside the keys that open it."""
    from portal.backups.address import is_bucket
    from portal.backups.models import Run
    from portal.backups.runs import latest
    from portal.practice.models import Practice

    if not settings.BACKUP_TARGET:
        hint = "Set SCANPASS_BACKUP_DIR to a folder on another disk or machine."
        return [Error("Nothing is backed up.", hint=hint, id="scanpass.E011")]
    found: list[CheckMessage] = []
    if not is_bucket(settings.BACKUP_TARGET) and _device(Path(settings.BACKUP_TARGET)) in {
        _device(settings.KEYRING_PATH),
        _device(settings.BACKUP_KEYRING_PATH),
    }:
        found.append(Error("The backup lies on the disk of the keys that open it.", id="scanpass.E012"))
    last = latest(Run.Kind.BACKUP)
    oldest = now() - timedelta(seconds=2 * settings.BACKUP_EVERY_S)
    if Practice.objects.exists() and (last is None or not last.finished_at or last.finished_at < oldest):
        found.append(
            Error("The last good backup is too old.", hint="Run: manage.py backup", id="scanpass.E013")
        )
    return found


@register(Tags.security)
def backups_have_one_place(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A bucket that can't be asked is found at the start, and not by the first backup at night."""
    from portal.backups.address import S3Address, is_bucket

    found: list[CheckMessage] = []
    if os.environ.get("SCANPASS_BACKUP_TARGET") and os.environ.get("SCANPASS_BACKUP_DIR"):
        hint = "Unset SCANPASS_BACKUP_DIR or SCANPASS_BACKUP_TARGET."
        found.append(Error("Two places for backups are set, and one is used.", hint=hint, id="scanpass.E014"))
    if not is_bucket(settings.BACKUP_TARGET):
        return found
    try:
        S3Address.parse(settings.BACKUP_TARGET)
    except InvalidInput as error:
        found.append(Error(error.sentence, hint="Set SCANPASS_BACKUP_TARGET.", id="scanpass.E015"))
    if find_spec("botocore") is None:
        sentence = "Backups into a bucket need botocore."
        found.append(Error(sentence, hint="Install the extra aws.", id="scanpass.E016"))
    return found


@register(Tags.security)
def restore_has_finished(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Half a restore looks like an installation, and isn't one."""
    if not (Path(settings.STATE_DIR) / "restoring").exists():
        return []
    return [
        Error(
            "A restore into this state folder did not finish.",
            hint="Run the same restore again: it goes on where it stopped. Or empty the folder and the database first.",
            id="scanpass.E004",
        )
    ]
