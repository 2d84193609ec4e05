"""The items a batch asks for: `a-b,c`, from 0, inclusive, in the order wanted."""

from __future__ import annotations

import re
from typing import Final

from django.conf import settings

from portal.errors import InvalidInput, NotFound

_NUMBER: Final = r"(?:0|[1-9][0-9]{0,8})"
_RANGES: Final = re.compile(rf"{_NUMBER}(?:-{_NUMBER})?(?:,{_NUMBER}(?:-{_NUMBER})?)*", re.ASCII)


def parse_ranges(text: str, *, count: int) -> list[int]:
    """The item indexes in `text`, each from 0 to `count` - 1.

    Raises InvalidInput when it isn't a list of ranges or asks for too many, NotFound for an item that isn't there.
    """
    if not _RANGES.fullmatch(text):
        raise InvalidInput("The frames are asked for as ranges, for example 0-9,12.")
    items: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        items += _range(int(first), int(last or first), count, room=settings.BATCH_MAX_ITEMS - len(items))
    return items


def _range(first: int, last: int, count: int, *, room: int) -> range:
    if last < first:
        raise InvalidInput("A range of frames begins with its smaller number.")
    # Counted before it is written out: a range may be asked a billion long.
    if last - first >= room:
        raise InvalidInput(f"At most {settings.BATCH_MAX_ITEMS} frames can be asked for at once.")
    if last >= count:
        raise NotFound
    return range(first, last + 1)
