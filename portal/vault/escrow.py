"""The escrow sheet: the keyring sealed under a passphrase, to print, to lock away, and to type in again.

    bytes   "SCNE" ‖ version 1 ‖ suite 1 ‖ salt (16) ‖ nonce (12) ‖ AES-256-GCM(key, nonce, keyring, AAD = all before)
    key     scrypt(passphrase in Unicode NFKC, salt, N = 2^17, r = 8, p = 1), 32 bytes
    line    "03  D5QPWRY7 …  K7Q2": number, 20 bytes in Crockford's base32, 20 bits of SHA-256(number ‖ bytes)

Each line has its own check, so a letter read wrong is found on its line, before any passphrase is asked for. Sheet and
passphrase belong in two places. Without both the keys are gone, and with them every scan, should the keyring be lost.

Source: RFC 7914 (scrypt); OWASP ASVS 5.0 appendix C (N at least 2^17); https://www.crockford.com/base32.html.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from portal.errors import InvalidInput
from portal.vault import entropy

PASSPHRASE_LETTERS_MIN: Final = 20
_HEAD: Final = b"SCNE\x01\x01"
_SALT_BYTES, _NONCE_BYTES, _TAG_BYTES = 16, 12, 16
_LINE_BYTES, _CHECK_LETTERS = 20, 4
_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Crockford: what the eye mixes up is read as the digit.
_READ_AS: Final = str.maketrans("OIL", "011")
_LINE: Final = re.compile(r"(\d{2,3})\s\s*([0-9A-Z ]+)", re.IGNORECASE)


def seal_sheet(keyring: bytes, passphrase: str) -> str:
    """The lines to print. Raises InvalidInput for a passphrase that could be guessed."""
    if len(passphrase) < PASSPHRASE_LETTERS_MIN:
        raise InvalidInput(
            f"The passphrase needs at least {PASSPHRASE_LETTERS_MIN} letters; five words drawn by chance are good."
        )
    salt, nonce = entropy.random_bytes(_SALT_BYTES), entropy.random_bytes(_NONCE_BYTES)
    head = _HEAD + salt + nonce
    blob = head + AESGCM(_key(passphrase, salt)).encrypt(nonce, keyring, head)
    pieces = [blob[start : start + _LINE_BYTES] for start in range(0, len(blob), _LINE_BYTES)]
    return "".join(f"{_line(number, piece)}\n" for number, piece in enumerate(pieces, 1))


def open_sheet(sheet: str, passphrase: str) -> bytes:
    """The keyring again. Raises InvalidInput: a line mistyped or missing (it is named), or a wrong passphrase."""
    blob = read_sheet(sheet)
    body = len(_HEAD) + _SALT_BYTES + _NONCE_BYTES
    if not blob.startswith(_HEAD) or len(blob) < body + _TAG_BYTES:
        raise InvalidInput("This is not an escrow sheet of this version.")
    head, nonce = blob[:body], blob[body - _NONCE_BYTES : body]
    try:
        return AESGCM(_key(passphrase, head[len(_HEAD) :][:_SALT_BYTES])).decrypt(nonce, blob[body:], head)
    except InvalidTag:
        raise InvalidInput(
            "The passphrase does not open this sheet, or lines are missing at its end."
        ) from None


def read_sheet(sheet: str) -> bytes:
    """The bytes of the lines, whatever words stand around them. Raises InvalidInput and names the line."""
    pieces: dict[int, bytes] = {}
    for line in sheet.splitlines():
        found = _LINE.fullmatch(line.strip())
        if found:
            number = int(found[1])
            pieces[number] = _piece(number, found[2])
    missing = next((number for number in range(1, max(pieces, default=0) + 1) if number not in pieces), None)
    if missing or not pieces:
        raise InvalidInput(f"Line {missing or 1} of the sheet is missing.")
    return b"".join(pieces[number] for number in sorted(pieces))


def _key(passphrase: str, salt: bytes) -> bytes:
    # Keyboards spell an accented letter in two ways; both open.
    typed = unicodedata.normalize("NFKC", passphrase).encode()
    return Scrypt(salt=salt, length=32, n=2**17, r=8, p=1).derive(typed)


def _line(number: int, piece: bytes) -> str:
    letters = _letters(piece)
    groups = [letters[start : start + 8] for start in range(0, len(letters), 8)]
    return f"{number:02}  {' '.join(groups)}  {_check(number, piece)}"


def _piece(number: int, typed: str) -> bytes:
    letters = re.sub(r"\s", "", typed).upper().translate(_READ_AS)
    body, check = letters[:-_CHECK_LETTERS], letters[-_CHECK_LETTERS:]
    if not body or any(letter not in _DIGITS for letter in letters):
        raise InvalidInput(f"Line {number} of the sheet is mistyped.")
    length = len(body) * 5 // 8
    value = 0
    for letter in body:
        value = value << 5 | _DIGITS.index(letter)
    piece = (value >> (len(body) * 5 - length * 8)).to_bytes(length, "big")
    if _letters(piece) != body or _check(number, piece) != check:
        raise InvalidInput(f"Line {number} of the sheet is mistyped.")
    return piece


def _letters(raw: bytes) -> str:
    count = -(-len(raw) * 8 // 5)
    value = int.from_bytes(raw, "big") << (count * 5 - len(raw) * 8)
    return "".join(_DIGITS[value >> 5 * place & 31] for place in reversed(range(count)))


def _check(number: int, piece: bytes) -> str:
    return _letters(hashlib.sha256(bytes([number]) + piece).digest()[:3])[:_CHECK_LETTERS]
