"""A million changed objects and every swap: how many are opened. None may be.

    python -m bench.vault.mutate [--mutations 1000000] [--workers 2]

Each mutation has its number as seed, so one that was ever accepted can be made again.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.portal.vault.mutations import Tried, mutate, swap

PIECE = 5_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    began, tried, swapped = time.monotonic(), Tried(), swap()
    pieces = [
        range(first, min(first + PIECE, options.mutations)) for first in range(0, options.mutations, PIECE)
    ]
    with ProcessPoolExecutor(options.workers) as pool:
        for piece in pool.map(mutate, pieces):
            tried.add(piece)
    for way, count in [*sorted(tried.ways.items()), *sorted(swapped.ways.items())]:
        print(f"{way.replace('_', ' '):32} {count:10,}")
    print(f"{'refused for':32} {', '.join(sorted(tried.reasons + swapped.reasons))}")
    total = tried.ways.total() + swapped.ways.total()
    accepted, crashed = tried.accepted + swapped.accepted, tried.crashed + swapped.crashed
    print(f"{'all':32} {total:10,} in {time.monotonic() - began:.0f} s")
    print(f"{'accepted':32} {len(accepted):10,}   (none may be)")
    print(f"{'ended in another way':32} {len(crashed):10,}   (none may)")
    for line in (accepted + crashed)[:20]:
        print(f"    {line}")
    return 1 if accepted or crashed else 0


if __name__ == "__main__":
    sys.exit(main())
