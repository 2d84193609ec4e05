"""A thousand forgeries of a trail, and a thousand trails that nobody touched: what the walk says of each.

    python -m bench.audit.tamper [--tries 1000]

Chains of 20 to 60 entries, of which every tenth was noted elsewhere, as checkpoints do. "At its entry" is named to the
entry; a chain that was computed anew from some entry on holds together in itself, and is held to the nearest notes: the
window is the time between two of them, ten minutes at most.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter

from portal.audit.walk import Finding
from tests.portal.audit.forgeries import EVERY, WAYS, chain, head_of, judge, points


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=1000)
    options = parser.parse_args()
    told: dict[str, Counter[str]] = {way.__name__: Counter() for way in WAYS}
    alarms = 0
    for seed in range(options.tries):
        chance, way = random.Random(seed), WAYS[seed % len(WAYS)]
        rows = chain(chance, chance.randrange(2 * EVERY, 60))
        known = points(rows)
        alarms += judge(rows, known, head_of(rows)) is not None
        grown = chain(chance, len(rows) + chance.randrange(EVERY), rows)
        alarms += judge(grown, known, head_of(grown)) is not None
        left, head, first = way(chance, rows)
        told[way.__name__][_verdict(judge(left, known, head), first)] += 1
    print(f"{'forgery':10} {'tried':>6} {'at its entry':>13} {'between notes':>14} {'missed':>7}")
    for name, counts in told.items():
        exact, between, missed = (counts[word] for word in ("exact", "between", "missed"))
        print(f"{name:10} {counts.total():6} {exact:13} {between:14} {missed:7}")
    located = sum(counts["exact"] + counts["between"] for counts in told.values())
    print(
        f"located {located:,} of {options.tries:,}; {alarms} false alarms in {2 * options.tries:,} sound chains"
    )
    return 0 if located == options.tries and not alarms else 1


def _verdict(finding: Finding | None, first: int) -> str:
    """Whether what was found is the first entry that is no longer true."""
    if finding is None:
        return "missed"
    if finding.n == first:
        return "exact"
    return "between" if finding.since < first <= finding.n <= finding.since + EVERY else "missed"


if __name__ == "__main__":
    sys.exit(main())
