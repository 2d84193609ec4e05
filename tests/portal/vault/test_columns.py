"""Sealed values and blind indexes."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.errors import VaultDamaged
from portal.vault.columns import blind_index, column_aad, open_value, seal_value, value_version
from portal.vault.keyring import new_key

KEY = new_key()
AAD = column_aad("records_patient", "last_name", uuid4(), uuid4(), 1)
SEALED = seal_value(KEY, b"Gonzalez", aad=AAD)


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(1, 255))
def test_value_opens_to_what_was_sealed(plaintext: bytes, version: int) -> None:
    sealed = seal_value(KEY, plaintext, aad=AAD, version=version)
    assert value_version(sealed) == version
    assert len(sealed) == len(plaintext) + 29
    assert open_value(KEY, sealed, aad=AAD, version=version) == plaintext


@settings(deadline=None)
@given(st.integers(0, len(SEALED) * 8 - 1))
def test_no_flipped_bit_is_accepted(bit: int) -> None:
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(VaultDamaged):
        open_value(KEY, bytes(changed), aad=AAD)


def test_equal_values_do_not_look_alike() -> None:
    assert seal_value(KEY, b"Gonzalez", aad=AAD) != SEALED


@pytest.mark.parametrize("version", [0, 256, -1])
def test_version_must_fit_its_byte(version: int) -> None:
    with pytest.raises(ValueError, match="1 to 255"):
        seal_value(KEY, b"", aad=AAD, version=version)


def test_blind_index_is_equal_for_equal_values_under_one_key_only() -> None:
    assert blind_index(KEY, "+15550100042") == blind_index(KEY, "+15550100042")
    assert len(blind_index(KEY, "")) == 16
    others = (blind_index(KEY, "+15550100043"), blind_index(new_key(), "+15550100042"))
    assert blind_index(KEY, "+15550100042") not in others
