"""Frames a second: Scanpass sealed, with its whole policy, against nginx plain and Orthanc plain.

    python -m bench.stream

One study of 240 noisy slices of 512 x 512 (about 200 kB each once packed), loopback, two workers each, wrk on the same
machine. Scanpass answers batches of at most 4 MiB through the gate, the tally and the trail; nginx serves the very same
packed frames as plain files, one request each (the better of sendfile and buffers); Orthanc (1.10.1 of Debian 12, its
DICOMweb plugin, no login, no encryption) serves the same pixels by WADO-RS. Rounds take turns, the median counts.
Only the ratios mean anything: the machine is shared.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.state import make_state, running

FRAMES, ROUNDS, SECONDS = 240, 5, 2
VIEWERS = (1, 8)


def main() -> None:
    missing = [program for program in ("wrk", "nginx", "Orthanc") if shutil.which(program) is None]
    if missing:
        raise SystemExit(
            f"Install {', '.join(missing)} first: apt-get install wrk nginx orthanc orthanc-dicomweb"
        )
    with make_state() as state, tempfile.TemporaryDirectory(prefix="bench-peers-") as peers:
        _measure(state, Path(peers))


def _measure(state: Path, folder: Path) -> None:
    from bench.shared_study import noisy_volume, share_study, web_command
    from bench.stream.load import Target
    from bench.stream.peers import nginx, orthanc

    shared = share_study(noisy_volume(FRAMES))
    files, mean_bytes = _plain_files(shared.study_id, folder)
    # A little below the limit, as the viewer plans it: frames differ in length.
    per_batch = int(4 * 2**20 * 0.97 // (mean_bytes + 8))
    frames = f"{shared.root}/series/{shared.series_id}/levels/0/frames"
    batches = [
        f"{frames}/{first}-{first + per_batch - 1}" for first in range(0, FRAMES - per_batch + 1, per_batch)
    ]
    command, port = web_command()
    with ExitStack() as servers:
        servers.enter_context(running(command, port=port))
        sendfile, buffers = servers.enter_context(nginx(folder, files))
        plain = [f"/{index}" for index in range(FRAMES)]
        targets = [
            Target("scanpass", port, batches, per_batch, {"Cookie": shared.cookie}),
            Target("nginx-sendfile", sendfile, plain, 1, {}),
            Target("nginx-buffers", buffers, plain, 1, {}),
            servers.enter_context(orthanc(folder, shared.originals)),
        ]
        print(
            f"{FRAMES} frames of {mean_bytes / 1000:.0f} kB, {per_batch} a batch, {ROUNDS} rounds of {SECONDS} s"
        )
        for viewers in VIEWERS:
            _table(targets, viewers, folder)


def _plain_files(study_id: str, folder: Path) -> tuple[Path, float]:
    """Every packed frame as a file, for nginx; and their mean length."""
    from portal.records.models import Study
    from viewer.stored import open_study

    files = folder / "frames"
    files.mkdir()
    stored = open_study(Study.objects.get(pk=study_id))
    entries = stored.manifest.select(kind="frame", level=0)
    for entry in entries:
        (files / str(entry.index)).write_bytes(stored.read(entry))
    return files, sum(entry.length for entry in entries) / len(entries)


def _table(targets: list, viewers: int, folder: Path) -> None:
    from bench.stream.load import frames_per_s

    for target in targets:
        frames_per_s(target, viewers=viewers, seconds=1, folder=folder)
    rounds = [
        {
            target.name: frames_per_s(target, viewers=viewers, seconds=SECONDS, folder=folder)
            for target in targets
        }
        for _ in range(ROUNDS)
    ]
    nginx = [max(one["nginx-sendfile"], one["nginx-buffers"]) for one in rounds]
    print(f"\n{viewers} viewer{'s' if viewers > 1 else ''}")
    for name in ("scanpass", "nginx-sendfile", "nginx-buffers", "orthanc"):
        print(f"  {name:16} {median(one[name] for one in rounds):8.0f} frames/s")
    to_nginx = [one["scanpass"] / best for one, best in zip(rounds, nginx, strict=True)]
    to_orthanc = [one["scanpass"] / one["orthanc"] for one in rounds]
    for peer, ratios in (("nginx (better of two)", to_nginx), ("Orthanc WADO-RS", to_orthanc)):
        print(f"  scanpass / {peer:22} {median(ratios):6.2f}   ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
