"""From received files to a stored study: every frame decoded, the pyramid, the previews, the arch, all of it sealed.

    python -m bench.ingest [--size 800] [--one-file]

Cone-beam CTs of 400 x 400 x 300 and 800 x 800 x 640 are made from an invented head, received, and then ingested, each
in a process of its own. Ingest may take 12 s and 60 s on two cores, and 2 GB of memory with its confined child.
Processor seconds are printed too: on a busy machine they tell more than the clock.

Then two studies that are one multi-frame file each, of 0.3 and 1.2 GB: the larger may need a tenth more memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.ingest.one_file import write_one_file
from bench.state import ROOT, make_state
from portal.dicom.child_process import ChildProcess

# Frames of a study, how often each voxel of the head is repeated, seconds it may take.
STUDIES = {400: (300, 2, 12), 800: (640, 4, 60)}
HEAD_VOXEL_MM = 0.5
MOST_BYTES = 2 * 10**9
# Frames of the one-file studies, half a megabyte each, and how much more memory the larger may take.
ONE_FILE_FRAMES = (600, 2400)
MOST_GROWTH = 1.1


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, choices=STUDIES, action="append", help="only this one")
    options.add_argument("--one-file", action="store_true", help="only the studies of one file")
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.folder:
        print(json.dumps(_measure(given.folder)))
        return 0
    sizes = given.size or (() if given.one_file else STUDIES)
    faults = [_report(size) for size in sizes]
    if not given.size:
        faults.append(_report_one_file())
    return max(faults)


def _report(size: int) -> int:
    frames, _, most_s = STUDIES[size]
    with tempfile.TemporaryDirectory(prefix="scanpass-bench-") as name:
        _make_study(Path(name), size)
        facts = measured(Path(name))
    peak = facts["peak_bytes"]
    print(f"{size} x {size} x {frames}, {facts['bytes'] / 1e6:.0f} MB")
    print(f"  ingest                {facts['seconds']:8.1f} s   (at most {most_s})")
    print(f"  processor             {facts['processor_s']:8.1f} s")
    print(f"  of these for the arch {facts['arch_s']:8.1f} s   {facts['arch']}")
    print(f"  peak memory           {peak / 1e6:8.0f} MB  (at most {MOST_BYTES / 1e6:.0f})", flush=True)
    is_good = facts["seconds"] <= most_s and peak <= MOST_BYTES and facts["arch"] == "found"
    return 0 if is_good else 1


def _report_one_file() -> int:
    peaks = []
    for frames in ONE_FILE_FRAMES:
        with tempfile.TemporaryDirectory(prefix="scanpass-bench-") as name:
            write_one_file(Path(name) / "scan.dcm", frames)
            facts = measured(Path(name))
        peaks.append(facts["peak_bytes"])
        print(f"one file of {frames} frames, {facts['bytes'] / 1e6:.0f} MB")
        print(f"  ingest                {facts['seconds']:8.1f} s")
        print(f"  processor             {facts['processor_s']:8.1f} s")
        print(f"  peak memory           {facts['peak_bytes'] / 1e6:8.0f} MB", flush=True)
    growth = peaks[-1] / peaks[0]
    print(f"  four times the file   {growth:8.2f} x the memory  (at most {MOST_GROWTH})", flush=True)
    return 0 if growth <= MOST_GROWTH and max(peaks) <= MOST_BYTES else 1


def measured(folder: Path) -> dict[str, Any]:
    """What it took to ingest the files of a folder, in a process of its own."""
    command = [sys.executable, "-m", "bench.ingest", "--folder", str(folder)]
    told = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    facts: dict[str, Any] = json.loads(told.splitlines()[-1])
    return facts


def _make_study(folder: Path, size: int) -> None:
    """A head of coarse voxels, each repeated, with noise of its own in every voxel."""
    import numpy as np

    from portal.phantom.dicom_writer import Visit, write_slice
    from portal.phantom.people import INVENTED
    from portal.phantom.studies import TAKEN_ON
    from portal.phantom.volume import Grid, scan

    frames, times, _ = STUDIES[size]
    shape = (frames // times, size // times, size // times)
    head = scan(INVENTED[0], Grid.centred(shape, HEAD_VOXEL_MM), 1).hu
    grid = Grid.centred((frames, size, size), HEAD_VOXEL_MM / times)
    visit, random = Visit(INVENTED[0], TAKEN_ON, f"bench:{size}"), np.random.default_rng(size)
    for index in range(frames):
        coarse = head[index // times].repeat(times, 0).repeat(times, 1)
        write_slice(folder, visit, grid, index, coarse + random.integers(-12, 13, coarse.shape, np.int16))


def _measure(folder: Path) -> dict[str, Any]:
    with make_state():
        from portal.jobs.models import Job
        from portal.jobs.run import run
        from portal.records.ingest import previews
        from portal.records.local_files import upload_path
        from portal.records.models import Upload
        from portal.records.uploads import JOB
        from tests.cast import actor_of, make_patient, make_practice, make_staff

        practice = make_practice()
        dana = make_staff(practice, "front_desk")
        arches, reader = _timing(previews), ReaderMemory()
        upload = upload_path(make_patient(practice), folder, actor=actor_of(dana))
        wall, processor = time.perf_counter(), _processor_s()
        run(Job.objects.get(kind=JOB, subject_id=upload.pk).pk)
        if Upload.objects.get(pk=upload.pk).state != Upload.State.DONE:
            raise SystemExit("The images were not stored.")
        return {
            "seconds": time.perf_counter() - wall,
            "processor_s": _processor_s() - processor,
            "peak_bytes": peak_of("self") + reader.peak_bytes + reader.lent_bytes,
            "worker_bytes": peak_of("self"),
            "reader_bytes": reader.peak_bytes,
            "lent_bytes": reader.lent_bytes,
            "bytes": sum(file.stat().st_size for file in folder.iterdir()),
            "arch_s": sum(seconds for seconds, _ in arches),
            "arch": "found" if any(arch for _, arch in arches) else "not found",
        }


class ReaderMemory:
    """The greatest memory of the confined children, and of what lay in shared memory for them, in bytes.

    What a child reads of shared memory without mapping it counts as nobody's memory, so it is looked at apart.
    """

    def __init__(self) -> None:
        self.peak_bytes = self.lent_bytes = 0
        kill, lend = ChildProcess.kill, ChildProcess._lend

        def killed(child: ChildProcess) -> None:
            if child.is_alive:
                self.peak_bytes = max(self.peak_bytes, peak_of(child.pid))
            kill(child)

        def lent(child: ChildProcess, start: int, stop: int) -> None:
            lend(child, start, stop)
            self.lent_bytes = max(self.lent_bytes, 512 * os.fstat(child._input_fd).st_blocks)

        ChildProcess.kill, ChildProcess._lend = killed, lent  # type: ignore[method-assign]


def peak_of(process: int | str) -> int:
    """The peak of a process's memory in bytes; `ru_maxrss` would begin with that of the process it was forked from.

    Source: proc(5), VmHWM.
    """
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def _processor_s() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in WHO)


def _timing(previews: Any) -> list[tuple[float, object]]:
    """What the ingest's own call of `arch_of` took and gave."""
    took: list[tuple[float, object]] = []
    find = previews.arch_of

    def timed(*given: Any) -> object:
        begun = time.process_time()
        took.append((0.0, arch := find(*given)))
        took[-1] = (time.process_time() - begun, arch)
        return arch

    previews.arch_of = timed
    return took


if __name__ == "__main__":
    sys.exit(main())
