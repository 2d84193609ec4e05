"""Backups and restores of a vault of many packs: how long the first takes, the second, and the way back.

    python -m bench.backup [--gigabytes 1] [--pack-megabytes 4] [--to s3://BUCKET/FOLDER?endpoint=…]

The second backup, of an unchanged vault, must take at most 60 s for 10 GB and read no object; a restore at most 60
minutes for 100 GB. Both are extrapolated from what was measured here. Packs of 4 MB are smaller than real ones (a
volume's is some 100 MB), so there are more of them than a real vault of the size has.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from bench.state import make_state


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--gigabytes", type=float, default=1)
    options.add_argument("--pack-megabytes", type=int, default=4)
    options.add_argument("--to", help="where the backup goes, a folder or s3://…; default beside the state")
    given = options.parse_args()
    with make_state() as state:
        return _measure(state, given)


def _measure(state: Path, given: argparse.Namespace) -> int:
    from portal.backups.address import target_at
    from portal.backups.drill import drill
    from portal.backups.snapshot import back_up

    length = _fill(int(given.gigabytes * 1024), given.pack_megabytes)
    target = target_at(given.to or str(state / "backups"))
    first, read_first = _timed(lambda: back_up(target))
    again, read_again = _timed(lambda: back_up(target))
    drilled = drill(target)
    scale = 10 * 1024**3 / length
    per_100_gb_s = drilled.facts["rto_per_100gb_s"]
    print(f"vault                     {length / 1e6:10.0f} MB in {len(list(target.objects.names()))} packs")
    print(
        f"first backup              {first:10.2f} s, {length / first / 1e6:.0f} MB/s, read {read_first / 1e6:.0f} MB"
    )
    print(f"backup, nothing changed   {again:10.2f} s, read {read_again / 1e6:.1f} MB")
    print(f"  for 10 GB               {again * scale:10.1f} s    (at most 60)")
    print(f"restore, of a drill       {drilled.facts['rto_s']:10.2f} s    {drilled.sentence}")
    print(f"  for 100 GB              {per_100_gb_s / 60:10.1f} min  (at most 60)")
    is_good = again * scale <= 60 and read_again < length / 100 and per_100_gb_s <= 3600
    return 0 if is_good and drilled.outcome == "ok" else 1


def _fill(megabytes: int, pack_megabytes: int) -> int:
    """A study, and packs beside it that are as long as told; returns the bytes of all."""
    from portal.records.models import VaultPack
    from portal.records.vault import vault
    from portal.sealed.keys import study_key
    from portal.vault.context import NIL, Context
    from tests.cast import make_patient, make_practice
    from tests.viewer.stored_study import MadeSeries, store_study, volume

    patient = make_patient(make_practice())
    study = store_study(patient, [MadeSeries(volume())])
    dek = study_key(patient.practice_id, study.pk, 1)
    content = os.urandom(pack_megabytes << 20)
    for number in range(megabytes // pack_megabytes):
        place = Context(patient.practice_id, study.pk, NIL, NIL, "document", number + 1, 0, 1)
        name = vault().put(content, dek=dek.key, dek_id=dek.id, context=place)
        VaultPack.objects.create(name=name, practice_id=patient.practice_id, study=study)
    return sum(vault().length(name) or 0 for name in vault().names())


def _timed(work: object) -> tuple[float, int]:
    """How long it took, and how many bytes this process asked the system for meanwhile."""
    before, began = _bytes_read(), time.monotonic()
    work()  # type: ignore[operator]
    return time.monotonic() - began, _bytes_read() - before


def _bytes_read() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("rchar")).split()[1])


if __name__ == "__main__":
    sys.exit(main())
