"""The trail as CSV, for spreadsheets, which must not take a name for a formula.

A cell that begins with = + - @, a tab or a line break gets an apostrophe before it; every cell is quoted.

Source: OWASP ASVS 5.0, 1.2.10; RFC 4180.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Final

from portal.audit.exports.told import Told

COLUMNS: Final = (
    "practice", "number", "time", "event", "in words", "outcome", "who", "role", "actor id", "session", "method",
    "address", "patient id", "study id", "series id", "share id", "more", "hash",
)  # fmt: skip
_STARTS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def lines(entries: Iterable[Told]) -> Iterator[bytes]:
    """The header and a line an entry, in UTF-8 with the mark that Excel looks for."""
    yield b"\xef\xbb\xbf" + _line(COLUMNS)
    for told in entries:
        more = json.dumps({**told.facts, **told.private}, ensure_ascii=False, sort_keys=True)
        yield _line(
            (
                str(told.practice), str(told.n), told.at.isoformat(), told.code, told.words, told.outcome,
                told.name or told.kind, told.role, told.actor, told.session, told.method, told.address,
                told.patient, told.study, told.series, told.share, more, told.hash.hex(),
            )
        )  # fmt: skip


def safe(cell: str) -> str:
    """The cell as text that no spreadsheet computes."""
    return f"'{cell}" if cell.startswith(_STARTS_A_FORMULA) else cell


def _line(cells: Iterable[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(map(safe, cells))
    return out.getvalue().encode()
