"""The ways by which data can reach a vendor, and which of them this installation has switched on."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from django.conf import settings

IN_WORDS: Final[dict[str, str]] = {
    "twilio": "Twilio: text messages",
    "aws": "AWS: text messages",
    "webhook": "Webhook: text messages",
    "email": "E-mail server",
    "vault-transit": "HashiCorp Vault: keys",
    "aws-kms": "AWS KMS: keys",
    "s3": "S3 store: backups",
}
# Named by string because sharing stands to the right of this house.
_MESSAGES: Final = "sharing.adapters.vendors_of_messages"


def in_words(adapter: str) -> str:
    """What an adapter is, for people."""
    if adapter == settings.BACKUP_VENDOR:
        return f"Store of the backups ({adapter})"
    return IN_WORDS.get(adapter, adapter)


def in_use() -> list[str]:
    """The adapters that are switched on and may run only under an agreement."""
    module, _, name = _MESSAGES.rpartition(".")
    found: list[str] = getattr(import_module(module), name)()
    if key_vendor():
        found.append(key_vendor())
    if settings.BACKUP_VENDOR:
        found.append(settings.BACKUP_VENDOR)
    return list(dict.fromkeys(found))


def key_vendor() -> str:
    """The vendor that keeps the key-encryption keys; empty for the key file and for a Vault of the practice's own."""
    provider: str = settings.KEY_PROVIDER
    is_own = provider == "file" or (provider == "vault-transit" and settings.KEY_VENDOR == "own")
    return "" if is_own else provider


def without_agreement(adapter: str) -> str:
    """What it means that no agreement is in force for an adapter, in a sentence."""
    if adapter == key_vendor():
        return (
            f"{in_words(adapter)}: no agreement is in force. What is stored still opens; no new patients, images or"
            " keys are taken in."
        )
    return f"Nothing leaves by this way, for want of an agreement: {in_words(adapter)}."


def choices() -> list[tuple[str, str]]:
    """What a business associate can stand behind."""
    known = [*IN_WORDS, *in_use()]
    return [(name, in_words(name)) for name in dict.fromkeys(known)]
