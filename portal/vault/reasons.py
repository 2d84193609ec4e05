"""Every reason for which the vault refuses, listed once.

The word goes to the log and the tests; people see the sentence of `VaultDamaged`. A reason never carries content.
The numbers are those of the rules in `docs/vault-format.md`.
"""

from __future__ import annotations

from enum import StrEnum

from portal.errors import VaultDamaged


class Reason(StrEnum):
    # A sealed object, in the order of the checks.
    SHORT = "short"  # (1) shorter than a header and one tag
    MAGIC = "magic"  # (2)
    VERSION = "version"  # (3)
    SUITE = "suite"  # (4)
    FLAGS = "flags"  # (5)
    CHUNK_SIZE = "chunk-size"  # (6)
    CAP = "cap"  # (7) longer than any object may be
    LENGTH = "length"  # (7) not the length the row says
    SIZE = "size"  # (8) fewer sealed bytes than the length asks for
    EMPTY_CHUNK = "empty-chunk"  # (13) an empty chunk after a full one
    TRAILING = "trailing"  # (14) more sealed bytes than the length asks for
    DEK_ID = "dek-id"  # (9)
    COMMITMENT = "commitment"  # (10) another key or another context
    TAG = "tag"  # (11)
    LAST_FLAG = "last-flag"  # (12) a true chunk, sealed as last where it isn't, or the reverse

    # A study's manifest.
    MANIFEST_HASH = "manifest-hash"  # (15)
    MANIFEST_COUNT = "manifest-count"  # (15)
    MANIFEST_ORDER = "manifest-order"  # (15)
    MANIFEST_DUPLICATE = "manifest-duplicate"  # (15)
    GENERATION = "generation"  # (16)
    MANIFEST_FORM = "manifest-form"  # (18) not canonical, or not what an entry may hold

    # A wrapped key.
    SHREDDED = "shredded"  # (17) the slot was emptied on purpose
    WRAP_SIZE = "wrap-size"
    WRAP_TAG = "wrap-tag"

    # A sealed column.
    VALUE_SIZE = "value-size"
    VALUE_VERSION = "value-version"
    VALUE_TAG = "value-tag"

    # A pack of objects.
    PACK_NAME = "pack-name"
    PACK_MISSING = "pack-missing"
    EXTENT = "extent"  # outside the pack
    EXTENT_HASH = "extent-hash"  # the ciphertext isn't the one that was stored


REASONS: frozenset[str] = frozenset(reason.value for reason in Reason)


def damaged(reason: Reason) -> VaultDamaged:
    """The error to raise for `reason`."""
    return VaultDamaged(reason.value)
