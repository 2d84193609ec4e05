"""How the facts of the trail are written on pages: for people, in the practice's time."""

from __future__ import annotations

import pytest
from django.utils import timezone

from portal.records.templatetags.desk import fact


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "yes"),
        (False, "no"),
        ("2026-12-23T17:26:16.597000+00:00", "Dec 23, 2026, 12:26:16 p.m."),
        ("2026-12-23", "2026-12-23"),
        ("2026-12-23T17:26:16", "2026-12-23T17:26:16"),  # of no zone: nobody knows when that was
        ("Terry Tate", "Terry Tate"),
        (12, 12),
        ([1, 2], [1, 2]),
    ],
)
def test_facts_are_written_as_people_read_them(value: object, words: object) -> None:
    with timezone.override("America/New_York"):
        assert fact(value) == words
