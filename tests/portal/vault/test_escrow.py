"""The escrow sheet: typed in again it gives the keyring back; a letter read wrong is found on its line."""

from __future__ import annotations

import random
import re

import pytest

from portal.errors import InvalidInput
from portal.vault import entropy, escrow
from portal.vault.escrow import open_sheet, read_sheet, seal_sheet

KEYRING = b'{"active":2,"format":"scanpass-keyring/1","keys":{}}' * 4
WORDS = "plum anchor violet harbour seven"


@pytest.fixture(scope="module")
def sheet() -> str:
    return seal_sheet(KEYRING, WORDS)


def test_a_sheet_opens_with_its_passphrase_alone(sheet):
    assert open_sheet(sheet, WORDS) == KEYRING
    with pytest.raises(InvalidInput, match="passphrase"):
        open_sheet(sheet, WORDS + "!")


def test_it_is_read_as_people_type_it(sheet):
    letters = sheet.replace("0", "O").replace("1", "l").lower()
    numbered = re.sub(r"(?m)^(\S\S)", lambda found: found[1].replace("o", "0").replace("l", "1"), letters)
    lines = ["Some words above", *reversed(numbered.splitlines()), "", "and below."]
    assert open_sheet("\r\n".join(line.replace("  ", "   ") for line in lines), WORDS) == KEYRING


def test_every_letter_read_wrong_is_named_by_its_line(sheet):
    chance = random.Random(5)
    lines = sheet.splitlines()
    for number, line in enumerate(lines, 1):
        for place in range(4, len(line)):
            if line[place] == " ":
                continue
            other = chance.choice([digit for digit in escrow._DIGITS if digit != line[place]])
            typed = [*lines[: number - 1], line[:place] + other + line[place + 1 :], *lines[number:]]
            with pytest.raises(InvalidInput, match=f"Line {number} of the sheet is mistyped"):
                read_sheet("\n".join(typed))


def test_a_line_left_out_is_named_and_two_exchanged_are_found(sheet):
    lines = sheet.splitlines()
    with pytest.raises(InvalidInput, match="Line 2 of the sheet is missing"):
        read_sheet("\n".join([lines[0], *lines[2:]]))
    with pytest.raises(InvalidInput, match="missing at its end"):
        open_sheet("\n".join(lines[:-1]), WORDS)
    exchanged = [lines[1].replace("02", "01", 1), lines[0].replace("01", "02", 1), *lines[2:]]
    with pytest.raises(InvalidInput, match="Line 1 of the sheet is mistyped"):
        read_sheet("\n".join(exchanged))
    with pytest.raises(InvalidInput, match="Line 1 of the sheet is missing"):
        read_sheet("nothing of it")


def test_an_accent_typed_in_two_strokes_opens_too():
    sealed = seal_sheet(KEYRING, "garçon mañana après-midi")
    assert open_sheet(sealed, "garc\u0327on man\u0303ana apre\u0300s-midi") == KEYRING


def test_a_short_passphrase_is_refused_in_words():
    with pytest.raises(InvalidInput, match="five words"):
        seal_sheet(KEYRING, "correct horse")


def test_the_bytes_are_those_of_the_description(monkeypatch):
    """scrypt and AES-GCM again by hand, from the standard library and the sheet's own bytes."""
    import hashlib

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    monkeypatch.setattr(entropy, "random_bytes", lambda count: bytes(range(count)))
    blob = read_sheet(seal_sheet(b"keyring", WORDS))
    head = b"SCNE\x01\x01" + bytes(range(16)) + bytes(range(12))
    key = hashlib.scrypt(WORDS.encode(), salt=bytes(range(16)), n=2**17, r=8, p=1, maxmem=2**28, dklen=32)
    assert blob == head + AESGCM(key).encrypt(bytes(range(12)), b"keyring", head)
