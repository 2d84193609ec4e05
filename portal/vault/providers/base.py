"""What a place that holds key-encryption keys must do.

A provider never hands out its keys; it wraps and unwraps. Out of reach means `Sealed`, never a fallback.
"""

from __future__ import annotations

from typing import Protocol

from portal.errors import Sealed
from portal.vault.wrapping import Wrapped, new_key

_PROBE = b"scanpass/keyring/health"


class Provider(Protocol):
    """Wraps 32-byte keys under versioned key-encryption keys.

    Every method raises Sealed when the keys can't be reached or the version isn't there. `aad` must be bound to the
    result: a service passes it on as its encryption context.
    """

    def active_version(self) -> int:
        """The version new keys are wrapped under."""
        ...

    def versions(self) -> frozenset[int]:
        """Every version that can still unwrap."""
        ...

    def wrap(self, key: bytes, aad: bytes) -> Wrapped:
        """`key` under the active version."""
        ...

    def unwrap(self, wrapped: Wrapped, aad: bytes) -> bytes:
        """The key again. Raises VaultDamaged when `wrapped` or `aad` isn't what was wrapped."""
        ...

    def health(self) -> None:
        """Return when a key can be wrapped and unwrapped now, raise Sealed when not."""
        ...

    def rotate(self) -> int:
        """Add a version, make it the active one and return it. Raises InvalidInput where it is made elsewhere."""
        ...

    def retire(self, version: int) -> None:
        """Drop a version for good, which only `portal.sealed.rotation` decides. Raises InvalidInput or Sealed."""
        ...


def sealed(reason: str) -> Sealed:
    """Sealed, with a short word for the log in `details["reason"]`."""
    return Sealed(reason=reason)


def probe(provider: Provider) -> None:
    """Wrap and unwrap a key that nobody needs. Raises Sealed when that fails in any way."""
    key = new_key()
    if provider.unwrap(provider.wrap(key, _PROBE), _PROBE) != key:
        raise sealed("keyring-health")
