"""A thousand ways to touch a chain, in memory, by seed: each is located, and nothing sound is suspected.

What is noted elsewhere (every 10 entries here) holds a chain that was computed anew; its newest entries, which no
point covers yet, are the stated limit.
"""

from __future__ import annotations

import random

import pytest

from tests.portal.audit.forgeries import EVERY, WAYS, chain, forge, head_of, judge, points


def _tamper_and_judge(seed: int) -> None:
    chance = random.Random(seed)
    way = WAYS[seed % len(WAYS)]
    rows = chain(chance, chance.randrange(2 * EVERY, 60))
    known = points(rows)
    assert judge(rows, known, head_of(rows)) is None, (seed, "false alarm")
    left, head, first = way(chance, rows)
    finding = judge(left, known, head)
    assert finding is not None, (seed, way.__name__)
    assert finding.since < first <= finding.n, (seed, way.__name__, finding.sentence)
    if way is forge:
        assert finding.n - finding.since <= EVERY, "no further away than from one noted point to the next"
    else:
        assert finding.n == first, (seed, way.__name__, finding.sentence)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_each_way_is_located(way):
    for turn in range(20):
        _tamper_and_judge(turn * len(WAYS) + WAYS.index(way))


def test_r25_a_thousand_edits_deletions_swaps_cuts_and_forgeries_are_all_located():
    for seed in range(1000):
        _tamper_and_judge(seed)


def test_a_thousand_sound_chains_that_grew_after_their_points_raise_no_alarm():
    for seed in range(1000):
        chance = random.Random(seed)
        rows = chain(chance, 30)
        grown = chain(chance, 30 + chance.randrange(10), rows)
        assert judge(grown, points(rows), head_of(grown)) is None, seed


def test_a_chain_that_only_a_noted_point_remembers_is_missed():
    rows = chain(random.Random(1), 20)
    finding = judge([], points(rows), None)
    assert finding is not None
    assert (finding.n, finding.sentence) == (1, "the chain ends at 0, but entry 20 was known")


def test_the_newest_entries_that_no_point_covers_can_be_written_anew_which_is_the_stated_limit():
    rows = chain(random.Random(2), 25)
    forged = chain(random.Random(3), 25, rows[:22])
    assert judge(forged, points(rows), head_of(forged)) is None
