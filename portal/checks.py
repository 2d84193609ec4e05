"""What must be true before Scanpass serves: Django's system checks, in plain sentences."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security)
def keys_lie_apart(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The breach safe harbour (74 FR 19006) needs the keys kept apart from the data they open."""
    keyring, vault = settings.KEYRING_PATH, settings.VAULT_DIR
    if settings.ACCEPT_COLOCATED_KEYS or not keyring.exists() or not vault.exists():
        return []
    if keyring.stat().st_dev != vault.stat().st_dev:
        return []
    return [
        Error(
            "The key file lies on the same disk as the data it opens.",
            hint="Set SCANPASS_KEYRING to a file on another disk, or SCANPASS_ACCEPT_COLOCATED_KEYS=1.",
            id="scanpass.E001",
        )
    ]


@register(Tags.security, deploy=True)
def base_is_https(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """45 CFR 164.312(e): links must lead over TLS."""
    if settings.PUBLIC_BASE_URL.startswith("https://"):
        return []
    return [Error("The public address is not https.", hint="Set SCANPASS_PUBLIC_BASE_URL.", id="scanpass.E002")]
