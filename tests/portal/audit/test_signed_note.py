"""Signed notes as others write them, and what is refused."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.audit.signed_note import VerifierKey, open_note, sign
from portal.errors import InvalidInput

# The example of golang.org/x/mod/sumdb/note: not made by the code under test.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = (
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OURS = VerifierKey("scans.example.org/scanpass/audit", KEY.public_key().public_bytes_raw())


def test_a_note_that_others_signed_opens():
    key = VerifierKey.parse(NEUMANN)
    assert str(key) == NEUMANN
    assert open_note(f"{TEXT}\n{SIGNATURE}", key) == TEXT


def test_what_is_signed_opens_with_its_own_key_alone():
    note = sign("one\ntwo\n", name=OURS.name, key=KEY)
    assert open_note(note, OURS) == "one\ntwo\n"
    with pytest.raises(InvalidInput, match="not signed by"):
        open_note(note, VerifierKey.parse(NEUMANN))


def test_a_witness_may_sign_below():
    note = sign(TEXT, name=OURS.name, key=KEY) + SIGNATURE
    assert open_note(note, OURS) == open_note(note, VerifierKey.parse(NEUMANN)) == TEXT


def test_every_changed_byte_is_refused():
    note = sign("chain 1\n", name=OURS.name, key=KEY).encode()
    for place in range(len(note)):
        changed = bytearray(note)
        changed[place] ^= 1
        with pytest.raises((InvalidInput, UnicodeDecodeError)):
            open_note(bytes(changed).decode(), OURS)
    for length in range(len(note)):
        with pytest.raises((InvalidInput, UnicodeDecodeError)):
            open_note(note[:length].decode(), OURS)


@pytest.mark.parametrize("text", ["no newline", "a tab\there\n", "", "bell\a\n"])
def test_a_text_that_would_not_read_back_is_not_signed(text):
    with pytest.raises(ValueError, match="newline"):
        sign(text, name=OURS.name, key=KEY)


@pytest.mark.parametrize(
    "line",
    ["", "name", "name+00000000+AAAA", NEUMANN.replace("c74f", "c74e"), NEUMANN.replace("Peter", "Petra")],
)
def test_a_mistyped_verifier_key_is_refused_in_words(line):
    with pytest.raises(InvalidInput, match="verifier key"):
        VerifierKey.parse(line)
