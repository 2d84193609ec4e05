"""Signed notes: a text, a blank line, and lines of signatures that anybody can check with a public key.

    <text, lines that end with a newline>
    <empty line>
    — <key name> <base64 of: key id (4) ‖ Ed25519 signature of the text (64)>

    key id        SHA-256(name ‖ "\\n" ‖ 0x01 ‖ public key)[:4]
    verifier key  <name>+<key id, 8 hexadecimal digits>+<base64 of: 0x01 ‖ public key (32)>

A note may carry signatures of others (witnesses); those of unknown keys are passed over. Pure functions.

Source: C2SP signed-note (https://c2sp.org/signed-note); RFC 8032 (Ed25519).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from portal.errors import InvalidInput

ED25519: Final = b"\x01"
NOTE_BYTES_MAX: Final = 16 * 1024 * 1024
_DASH: Final = "— "
_ID_BYTES, _SIGNATURE_BYTES = 4, 64


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a signer: what an auditor keeps on paper."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key a line of text spells. Raises InvalidInput when its parts don't belong together."""
        try:
            name, key_id, encoded = text.strip().split("+", 2)
            raw = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            raise InvalidInput(
                "This is not a verifier key. It looks like NAME+ID+KEY, on one line."
            ) from None
        key = cls(name, raw[1:])
        if raw[:1] != ED25519 or len(key.public) != 32 or key.id.hex() != key_id or not is_name(name):
            raise InvalidInput("This verifier key is mistyped: its parts don't belong together.")
        return key


def is_name(name: str) -> bool:
    """Whether a key may be called so: no space, no plus sign, nothing empty."""
    return bool(name) and "+" not in name and not any(mark.isspace() for mark in name)


def sign(text: str, *, name: str, key: Ed25519PrivateKey) -> str:
    """The note of `text`, signed once. Raises ValueError for a text that would not read back the same."""
    if not is_name(name) or not _is_text(text):
        raise ValueError("a note's text ends with a newline and holds no control characters")
    signer = VerifierKey(name, key.public_key().public_bytes_raw())
    blob = signer.id + key.sign(text.encode())
    return f"{text}\n{_DASH}{name} {base64.b64encode(blob).decode()}\n"


def open_note(note: str, key: VerifierKey) -> str:
    """The text of a note that `key` has signed. Raises InvalidInput, saying what is wrong with it."""
    text, gap, signatures = note.rpartition("\n\n")
    text += "\n"
    if len(note) > NOTE_BYTES_MAX or not gap or not _is_text(text) or not signatures.endswith("\n"):
        raise InvalidInput("This is not a signed note.")
    blobs = [_blob(line, key) for line in signatures.splitlines()]
    ours = [blob for blob in blobs if blob is not None]
    if not ours:
        raise InvalidInput("This note is not signed by the key it was checked with.")
    for blob in ours:
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(blob, text.encode())
        except InvalidSignature:
            raise InvalidInput("This note was changed after it was signed.") from None
    return text


def is_signed_in_the_name_of(note: str, key: VerifierKey) -> bool:
    """Whether a signature claims to be of this key; `open_note` says whether it is."""
    return any(_blob(line, key) is not None for line in note.rpartition("\n\n")[2].splitlines())


def _blob(line: str, key: VerifierKey) -> bytes | None:
    """The signature in a line, or None when it is of another key. Raises InvalidInput for what is no such line."""
    try:
        name, encoded = line.removeprefix(_DASH).split(" ")
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raise InvalidInput("A signature of this note can't be read.") from None
    if not line.startswith(_DASH) or not is_name(name) or len(raw) <= _ID_BYTES:
        raise InvalidInput("A signature of this note can't be read.")
    if name != key.name or raw[:_ID_BYTES] != key.id:
        return None
    return raw[_ID_BYTES:]


def _is_text(text: str) -> bool:
    return text.endswith("\n") and not any(mark < " " and mark != "\n" for mark in text)
