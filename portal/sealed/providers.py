"""Which place holds the key-encryption keys: made from the settings, once a process."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from portal.vault.providers.aws_kms import AwsKmsProvider
from portal.vault.providers.base import Provider
from portal.vault.providers.file import FileProvider
from portal.vault.providers.vault_transit import VaultTransitProvider


def chosen() -> Provider:
    """The provider that the settings name. Raises ImproperlyConfigured for an unknown one."""
    makers: dict[str, Callable[[], Provider]] = {
        "file": _file,
        "vault-transit": _vault_transit,
        "aws-kms": _aws_kms,
    }
    if settings.KEY_PROVIDER not in makers:
        raise ImproperlyConfigured(f"SCANPASS_KEY_PROVIDER is one of: {', '.join(makers)}")
    return makers[settings.KEY_PROVIDER]()


def _file() -> FileProvider:
    return FileProvider(settings.KEYRING_PATH)


def _vault_transit() -> VaultTransitProvider:
    return VaultTransitProvider(
        settings.VAULT_TRANSIT_URL,
        key=settings.VAULT_TRANSIT_KEY,
        token_file=settings.VAULT_TRANSIT_TOKEN_PATH,
        ca_file=settings.KEY_PROVIDER_CA or None,
    )


def _aws_kms() -> AwsKmsProvider:
    return AwsKmsProvider(
        settings.KMS_REGION,
        keys={int(version): key for version, key in settings.KMS_KEYS.items()},
        credentials_file=settings.KMS_CREDENTIALS_PATH,
        url=settings.KMS_URL or None,
        ca_file=settings.KEY_PROVIDER_CA or None,
    )
