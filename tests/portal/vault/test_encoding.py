"""Encodings with one meaning."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.vault.encoding import canonical_json, encode_parts, lp

texts = st.text(st.characters(exclude_categories=["Cs"]))
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=20,
)


def test_length_prefix_is_four_bytes_big_endian() -> None:
    assert lp(b"") == b"\0\0\0\0"
    assert lp(b"abc") == b"\0\0\0\x03abc"


def test_parts_are_text_uuid_number_and_bytes() -> None:
    encoded = encode_parts("é", UUID(int=5), 258, b"\xff")
    assert encoded == lp(b"\xc3\xa9") + lp(bytes(15) + b"\x05") + lp(bytes(6) + b"\x01\x02") + lp(b"\xff")


@settings(deadline=None)
@given(st.lists(st.binary(), max_size=4), st.lists(st.binary(), max_size=4))
def test_different_parts_never_encode_alike(one: list[bytes], other: list[bytes]) -> None:
    assert (encode_parts(*one) == encode_parts(*other)) == (one == other)


@settings(deadline=None)
@given(documents)
def test_canonical_json_reads_back_and_is_spelled_the_same_again(document: object) -> None:
    raw = canonical_json(document)
    assert json.loads(raw) == document
    assert canonical_json(json.loads(raw)) == raw


def test_canonical_json_is_sorted_tight_utf_8() -> None:
    assert canonical_json({"ö": 1, "a": [True, None, "ß"]}) == '{"a":[true,null,"ß"],"ö":1}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"], ids=["nan", "inf", "surrogate"])
def test_canonical_json_refuses_what_has_no_spelling(value: object) -> None:
    with pytest.raises(ValueError, match=r"JSON compliant|surrogates"):
        canonical_json([value])
