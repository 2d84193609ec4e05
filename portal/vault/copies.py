"""Copying a sealed pack to another folder, hashed on the way: for backups, which hold no key and need none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from portal.vault.disk import UnfinishedFile
from portal.vault.header import MAGIC
from portal.vault.reasons import Reason, damaged

_BLOCK_BYTES = 1 << 20


class Copied(NamedTuple):
    """What was copied: its length in bytes and SHA-256 in hex."""

    length: int
    sha256: str


def copy_sealed(source: Path, aside: Path, target: Path) -> Copied:
    """Copy `source` to `target` by way of `aside`. Raises VaultDamaged for what isn't there or isn't sealed."""
    try:
        with source.open("rb") as file:
            first = file.read(_BLOCK_BYTES)
            if not first.startswith(MAGIC):
                raise damaged(Reason.MAGIC)
            aside.unlink(missing_ok=True)
            return _write(first, file.read, UnfinishedFile(aside), target)
    except FileNotFoundError:
        raise damaged(Reason.PACK_MISSING) from None


def _write(first: bytes, read: Callable[[int], bytes], unfinished: UnfinishedFile, target: Path) -> Copied:
    digest = hashlib.sha256()
    block = first
    try:
        while block:
            digest.update(block)
            unfinished.write(block)
            block = read(_BLOCK_BYTES)
        unfinished.publish(target)
    except BaseException:
        unfinished.discard()
        raise
    return Copied(unfinished.length, digest.hexdigest())
