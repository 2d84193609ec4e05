"""Which bytes of a download are wanted: one range or all.

Source: RFC 9110, 13.1.5 (If-Range) and 14.1-14.4 (Range, 206, 416).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_SINGLE: Final = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.ASCII | re.IGNORECASE)


class Wanted(NamedTuple):
    """Bytes `start` to `stop` (exclusive); `is_part` when a range was asked for."""

    start: int
    stop: int
    is_part: bool


def wanted_bytes(range_header: str | None, if_range: str | None, *, length: int, etag: str) -> Wanted | None:
    """What a request wants of `length` bytes, of which the present version is called `etag` (with its quotes).

    Several ranges, and what can't be understood, are answered with everything, as the standard allows; so is a
    range of another version. None for a range that begins behind the end: 416.
    """
    whole = Wanted(0, length, False)
    if range_header is None or (if_range is not None and if_range.strip() != etag):
        return whole
    found = _SINGLE.fullmatch(range_header.strip())
    if found is None or found[1] == found[2] == "":
        return whole
    if found[1] == "":
        start, stop = max(0, length - int(found[2])), length
    else:
        start, stop = int(found[1]), min(length, int(found[2]) + 1) if found[2] else length
        if found[2] and int(found[2]) < start:
            return whole
    if start >= length or start >= stop:
        return None
    return Wanted(start, stop, True)
