"""What sealing costs: a frame opened out of a pack, a scan sealed and opened, a manifest read.

    python -m bench.vault.open_frame

Best of several rounds, one thread, everything in the page cache.
"""

from __future__ import annotations

import os
import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from portal.vault import manifest
from portal.vault.context import Context
from portal.vault.store import Store
from portal.vault.stream import open_bytes, seal_bytes, sealed_length

FRAME_BYTES, FRAMES, SCAN_BYTES, ENTRIES = 190_000, 200, 64 * 2**20, 3_000
PRACTICE, STUDY, SERIES, INSTANCE = (uuid4() for _ in range(4))
KEY = {"dek": os.urandom(32), "dek_id": os.urandom(16)}


def context(index: int) -> Context:
    return Context(PRACTICE, STUDY, SERIES, INSTANCE, "frame", index, 0, 1)


def best_s(deed: Callable[[], object], *, rounds: int = 7) -> float:
    return min(timeit.repeat(deed, number=1, repeat=rounds))


def frames_us(store: Store) -> tuple[float, float]:
    """Microseconds for a frame (view, context, header, key derivation, commitment, decryption): in turn, one again.

    All in turn read 38 MB, more than the processor caches hold.
    """
    with store.new_pack() as writer:
        extents = [writer.append(os.urandom(FRAME_BYTES), **KEY, context=context(i)) for i in range(FRAMES)]
        name = writer.commit()

    def open_frames(indexes: list[int]) -> None:
        for index in indexes:
            sealed = store.open_pack(name).view(extents[index])
            open_bytes(sealed, **KEY, context=context(index), length=FRAME_BYTES)

    in_turn = best_s(lambda: open_frames(list(range(FRAMES))))
    again = best_s(lambda: open_frames([0] * FRAMES))
    return in_turn / FRAMES * 1e6, again / FRAMES * 1e6


def scan_gb_s() -> tuple[float, float]:
    """GB/s of sealing and of opening one large object in memory."""
    plain = os.urandom(SCAN_BYTES)
    sealed = seal_bytes(plain, **KEY, context=context(0))
    sealing = best_s(lambda: seal_bytes(plain, **KEY, context=context(0)))
    opening = best_s(lambda: open_bytes(sealed, **KEY, context=context(0), length=SCAN_BYTES))
    return SCAN_BYTES / sealing / 1e9, SCAN_BYTES / opening / 1e9


def manifest_ms() -> float:
    """Milliseconds to read and verify a manifest of many entries."""
    entries = [
        manifest.Entry(
            kind="frame",
            series=SERIES,
            index=index,
            pack=os.urandom(16).hex(),
            offset=0,
            sealed_length=sealed_length(FRAME_BYTES),
            length=FRAME_BYTES,
            sha256=os.urandom(32).hex(),
        )
        for index in range(ENTRIES)
    ]
    raw = manifest.encode(entries, {"generation": 1})
    return best_s(lambda: manifest.decode(raw, sha256=manifest.digest(raw), generation=1)) * 1e3


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        in_turn, again = frames_us(Store(Path(folder)))
    print(f"frame of {FRAME_BYTES:,} bytes out of a pack: {in_turn:.1f} us in turn, {again:.1f} us one again")
    sealing, opening = scan_gb_s()
    print(f"object of {SCAN_BYTES >> 20} MiB: sealed at {sealing:.2f} GB/s, opened at {opening:.2f} GB/s")
    print(f"manifest of {ENTRIES:,} entries: {manifest_ms():.1f} ms")


if __name__ == "__main__":
    main()
