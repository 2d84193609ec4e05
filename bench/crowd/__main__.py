"""One worker process and a hundred slow phones: what a newcomer waits, what each phone costs, what an abandoned
download costs.

    python -m bench.crowd

The phones have 2.5 MB a second each and ask for batches as the viewer does at that speed (no more than 0.7 s of the
line, in two requests at a time); the server is the product's own command with one worker. A newcomer opens a connection
and asks for one frame of about 200 kB. The same newcomer is measured before, beside the idle server.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.state import make_state, running

FRAMES, PHONES, BYTES_PER_S = 240, 100, 2_500_000
FRAMES_A_BATCH = 4  # 0.8 MB: 0.7 s of half a line
NEWCOMERS, SETTLE_S = 60, 6
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def main() -> None:
    with make_state():
        from bench.shared_study import noisy_volume, share_study, web_command

        shared = share_study(noisy_volume(FRAMES))
        command, port = web_command()
        command[command.index("--workers") + 1] = "1"
        with running(command, port=port) as server:
            asyncio.run(_measure(shared, port, _worker(server.pid)))


async def _measure(shared: Any, port: int, worker: int) -> None:
    from bench.crowd.phones import phones

    frames = f"{shared.root}/series/{shared.series_id}/levels/0/frames"
    batches = [f"{frames}/{first}-{first + FRAMES_A_BATCH - 1}" for first in range(0, FRAMES, FRAMES_A_BATCH)]
    await _newcomers(port, f"{frames}/0", shared.cookie)
    alone = await _newcomers(port, f"{frames}/0", shared.cookie)
    before = _anonymous_bytes(worker)
    lines = 2 * PHONES
    async with phones(lines, port, batches, shared.cookie, bytes_per_s=BYTES_PER_S / 2):
        await asyncio.sleep(SETTLE_S)
        beside = await _newcomers(port, f"{frames}/0", shared.cookie)
        held = (_anonymous_bytes(worker) - before) / PHONES
    print(f"newcomer's first frame, median of {NEWCOMERS}, alone           {alone * 1000:7.1f} ms")
    print(f"  the same beside {PHONES} phones of {BYTES_PER_S / 1e6} MB/s         {beside * 1000:7.1f} ms")
    print(f"  ratio                                                {beside / alone:7.2f}    asked: 2 at most")
    print(f"memory of the worker for each phone                    {held / 1e6:7.2f} MB asked: 2 at most")
    quiet = await _abandoned(port, f"{shared.root}/download", shared.cookie, worker)
    print(f"an abandoned download keeps the processor busy for     {quiet * 1000:7.0f} ms asked: 100 at most")


async def _newcomers(port: int, path: str, cookie: str) -> float:
    from bench.crowd.phones import connect, get

    times = []
    for _ in range(NEWCOMERS):
        began = time.perf_counter()
        reader, writer = await connect(port)
        await get(reader, writer, path, cookie)
        times.append(time.perf_counter() - began)
        writer.close()
        await asyncio.sleep(0.05)
    return median(times)


async def _abandoned(port: int, path: str, cookie: str, worker: int) -> float:
    """Seconds from the end of the connection to the last tick of the worker's processor time."""
    from bench.crowd.phones import connect

    await asyncio.sleep(1)
    reader, writer = await connect(port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
    await reader.readexactly(8_000_000)
    writer.transport.abort()
    left = time.perf_counter()
    last, busy = left, _ticks(worker)
    while time.perf_counter() - left < 2:
        await asyncio.sleep(TICK_S / 2)
        if (now := _ticks(worker)) != busy:
            last, busy = time.perf_counter(), now
    return last - left


def _worker(server: int) -> int:
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return int(children[-1])


def _anonymous_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) * 1024


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


if __name__ == "__main__":
    main()
