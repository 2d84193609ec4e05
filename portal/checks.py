"""What must be true before Scanpass serves: Django's system checks, in plain sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


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


@register(Tags.security)
def restore_has_finished(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Half a restore looks like an installation, and isn't one."""
    if not (Path(settings.STATE_DIR) / "restoring").exists():
        return []
    return [
        Error(
            "A restore into this state folder did not finish.",
            hint="Empty the folder and the database, then run the restore again; the backup is untouched.",
            id="scanpass.E004",
        )
    ]
