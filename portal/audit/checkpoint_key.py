"""The Ed25519 key that signs checkpoints: a file of its own, for the sweep and `manage.py checkpoint` alone.

No web process reads it: whoever takes one over can then add to the trail, but not sign a trail he has rewritten.
Give the file to another operating-system user (deploy/) and the system itself sees to that.

    PRIVATE+KEY+<name>+<key id>+<base64 of: 0x01 ‖ seed (32)>      beside it, in NAME.pub, the verifier key

Source: the signer's key as golang.org/x/mod/sumdb/note writes it, so that others' tools read it too.
"""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.audit.signed_note import ED25519, VerifierKey
from portal.errors import InvalidInput, Sealed
from portal.vault.disk import fsync_folder, make_folder

_MARK = "PRIVATE+KEY+"


def signing_key(path: Path, *, name: str) -> tuple[str, Ed25519PrivateKey]:
    """The key and its name, made at the first call. Raises Sealed when the file is damaged or open to others.

    Raises PermissionError where the file belongs to another user, who then makes the checkpoints.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        _create(path, name)
        return _read(path)


def verifier_key(path: Path) -> VerifierKey:
    """The public half, from the file beside the key. Raises InvalidInput when there is none."""
    try:
        return VerifierKey.parse(path.with_suffix(".pub").read_text())
    except OSError:
        raise InvalidInput("There is no checkpoint key here yet. Name the verifier key with --key.") from None


def _read(path: Path) -> tuple[str, Ed25519PrivateKey]:
    with path.open() as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise Sealed("The checkpoint key is open to other users. Set its mode to 0600.")
        text = file.read().strip()
    try:
        name, _, encoded = text.removeprefix(_MARK).split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        key = Ed25519PrivateKey.from_private_bytes(raw[1:])
    except ValueError:
        raise Sealed(
            "The checkpoint key can't be read. Put its file back, or move it away for a new one."
        ) from None
    return name, key


def _create(path: Path, name: str) -> None:
    """Write both halves, the public one first: a key without it would sign what nobody can check."""
    make_folder(path.parent)
    key = Ed25519PrivateKey.generate()
    public = VerifierKey(name, key.public_key().public_bytes_raw())
    seed = base64.b64encode(ED25519 + key.private_bytes_raw()).decode()
    _write(path.with_suffix(".pub"), f"{public}\n", 0o644)
    _write(path, f"{_MARK}{name}+{public.id.hex()}+{seed}\n", 0o600)


def _write(path: Path, text: str, mode: int) -> None:
    aside = path.with_name(path.name + ".new")
    aside.unlink(missing_ok=True)
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)
    fsync_folder(path.parent)
