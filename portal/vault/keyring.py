"""The chain of keys: the provider wraps practice keys, a practice key wraps its studies' keys.

    KEK (provider) ─ practice key ┬ study key (DEK) ─ objects
                                  ├ column keys
                                  └ blind-index keys

Pure functions on bytes: the rows that hold the wrapped keys are kept elsewhere.
"""

from __future__ import annotations

from uuid import UUID

from portal.vault.derivation import LABELS, derive_key
from portal.vault.providers.base import Provider, sealed
from portal.vault.wrapping import (
    Wrapped,
    new_key,
    practice_key_aad,
    study_key_aad,
    unwrap_key,
    wrap_key,
)

__all__ = [
    "LABELS",
    "Keyring",
    "Wrapped",
    "derive_key",
    "new_key",
    "practice_key_aad",
    "study_key_aad",
    "unwrap_key",
    "wrap_key",
]


class Keyring:
    """Wraps and unwraps through `provider`. Raises Sealed when it is out of reach."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def wrap_practice_key(self, key: bytes, *, practice: UUID, version: int) -> Wrapped:
        """A practice's key under the active KEK. `version` is the practice key's own."""
        return self._provider.wrap(key, practice_key_aad(practice, version))

    def unwrap_practice_key(self, wrapped: Wrapped, *, practice: UUID, version: int) -> bytes:
        """A practice's key again. Raises VaultDamaged for a wrong practice, version or blob."""
        return self._provider.unwrap(wrapped, practice_key_aad(practice, version))

    def rewrap_practice_key(self, wrapped: Wrapped, *, practice: UUID, version: int) -> Wrapped:
        """The same key under the active KEK, opened once more to be sure before the old blob is given up."""
        key = self.unwrap_practice_key(wrapped, practice=practice, version=version)
        renewed = self.wrap_practice_key(key, practice=practice, version=version)
        if self.unwrap_practice_key(renewed, practice=practice, version=version) != key:
            raise sealed("rewrap-check")
        return renewed

    def health(self) -> None:
        """Raise Sealed unless keys can be wrapped and unwrapped now."""
        self._provider.health()

    @staticmethod
    def wrap_study_key(
        practice_key: bytes,
        key: bytes,
        *,
        practice: UUID,
        patient: UUID,
        study: UUID,
        generation: int,
        version: int,
    ) -> Wrapped:
        """A study's key under its practice's key; `version` is the practice key's."""
        aad = study_key_aad(practice, patient, study, generation)
        return Wrapped(version, wrap_key(practice_key, key, aad=aad))

    @staticmethod
    def unwrap_study_key(
        practice_key: bytes, wrapped: Wrapped, *, practice: UUID, patient: UUID, study: UUID, generation: int
    ) -> bytes:
        """A study's key again. Raises VaultDamaged: `shredded` for an emptied slot, or a wrong place or blob."""
        return unwrap_key(practice_key, wrapped.blob, aad=study_key_aad(practice, patient, study, generation))
