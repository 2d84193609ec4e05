"""Range and If-Range, by the letter of RFC 9110."""

from __future__ import annotations

import pytest

from viewer.byte_range import Wanted, wanted_bytes

ETAG, LENGTH = '"abc"', 1000
WHOLE = Wanted(0, LENGTH, False)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, WHOLE),
        ("bytes=0-", Wanted(0, 1000, True)),
        ("bytes=0-0", Wanted(0, 1, True)),
        ("bytes=10-19", Wanted(10, 20, True)),
        ("bytes=999-", Wanted(999, 1000, True)),
        ("bytes=990-5000", Wanted(990, 1000, True)),
        ("bytes=-1", Wanted(999, 1000, True)),
        ("bytes=-5000", Wanted(0, 1000, True)),
        ("Bytes= 1-2 ", Wanted(1, 3, True)),
        ("bytes=1000-", None),
        ("bytes=5000-6000", None),
        ("bytes=-0", None),
        ("bytes=0-1,4-5", WHOLE),
        ("bytes=5-4", WHOLE),
        ("bytes=-", WHOLE),
        ("bytes=a-b", WHOLE),
        ("items=0-5", WHOLE),
        ("bytes=" + "9" * 30 + "-", WHOLE),
        ("", WHOLE),
    ],
)
def test_ranges(header: str | None, wanted: Wanted | None) -> None:
    assert wanted_bytes(header, None, length=LENGTH, etag=ETAG) == wanted


@pytest.mark.parametrize(
    ("version", "is_part"),
    [
        (ETAG, True),
        ('"other"', False),
        ('W/"abc"', False),
        ("Sat, 29 Oct 1994 19:43:31 GMT", False),
        ("", False),
    ],
)
def test_a_range_of_another_version_is_answered_with_everything(version: str, is_part: bool) -> None:
    wanted = wanted_bytes("bytes=10-", version, length=LENGTH, etag=ETAG)
    assert wanted is not None
    assert wanted.is_part is is_part
