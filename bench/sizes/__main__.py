"""What a frame costs in small and large studies: it must not depend on the study's size.

    python -m bench.sizes

Three volumes of 512 x 512 in 16 bits, of 84 MB, 210 MB and 1 GB, in one installation; 8 viewers ask one of them after
the other for batches of at most 4 MiB. Rounds take turns; each ratio is to the smallest study of the same round.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from bench.state import make_state, running

SLICES = (160, 400, 2000)
FRAMES_A_BATCH, VIEWERS, ROUNDS, SECONDS = 19, 8, 5, 2


def main() -> None:
    with make_state(), tempfile.TemporaryDirectory(prefix="bench-sizes-") as folder:
        from bench.shared_study import noisy_volume, share_study, web_command
        from bench.stream.load import Target, frames_per_s

        targets = []
        command, port = web_command()
        for count in SLICES:
            shared = share_study(noisy_volume(count))
            frames = f"{shared.root}/series/{shared.series_id}/levels/0/frames"
            starts = range(0, count - FRAMES_A_BATCH + 1, FRAMES_A_BATCH)
            batches = [f"{frames}/{first}-{first + FRAMES_A_BATCH - 1}" for first in starts]
            cookie = {"Cookie": shared.cookie}
            targets.append(
                Target(f"{count * 512 * 512 * 2 / 1e6:.0f} MB", port, batches, FRAMES_A_BATCH, cookie)
            )
        with running(command, port=port):
            rates = [
                [frames_per_s(one, viewers=VIEWERS, seconds=SECONDS, folder=Path(folder)) for one in targets]
                for _ in range(ROUNDS + 1)
            ][1:]  # the first fills the caches
        for at, target in enumerate(targets):
            ratios = [one[0] / one[at] for one in rates]
            print(
                f"{target.name:>8}  {median(one[at] for one in rates):7.0f} frames/s   cost of a frame"
                f" {median(ratios):.2f} of the smallest's ({min(ratios):.2f} to {max(ratios):.2f})"
            )


if __name__ == "__main__":
    main()
