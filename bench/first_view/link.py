"""A slow line on this machine: what comes in at one port goes out at another as such a line would bring it.

    python -m bench.first_view.link PORT TO_PORT MBIT_PER_S ROUND_TRIP_MS

Each direction is one line for all connections: what is sent waits its turn, takes its length at the line's speed, and
half a round trip on the way. A connection begins a round trip late, as a handshake does, and its senders begin with ten
segments and double at each round trip (slow start, RFC 6928) up to twice what the line holds. Nothing is lost.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import StreamReader, StreamWriter
from contextlib import suppress

SEGMENT = 1448
PIECE = 2 * SEGMENT
FIRST_WINDOW = 10 * SEGMENT


class Line:
    """One direction of the link."""

    def __init__(self, *, bytes_per_s: float, delay_s: float) -> None:
        self.delay_s = delay_s
        self.most_bytes = max(FIRST_WINDOW, 4 * bytes_per_s * delay_s)
        self._bytes_per_s = bytes_per_s
        self._free_at = 0.0

    def send(self, length: int) -> float:
        """When the last of so many bytes, sent now, comes out at the other end."""
        self._free_at = max(asyncio.get_running_loop().time(), self._free_at) + length / self._bytes_per_s
        return self._free_at + self.delay_s


class Window:
    """What a sender may have on the way: it grows by what has been acknowledged."""

    def __init__(self, most_bytes: float) -> None:
        self._most, self._size, self._on_the_way = most_bytes, float(FIRST_WINDOW), 0
        self._has_room = asyncio.Event()

    async def take(self, length: int) -> None:
        while self._on_the_way + length > self._size:
            self._has_room.clear()
            await self._has_room.wait()
        self._on_the_way += length

    def acknowledge(self, length: int) -> None:
        self._on_the_way -= length
        self._size = min(self._most, self._size + length)
        self._has_room.set()


async def _carry(reader: StreamReader, writer: StreamWriter, line: Line) -> None:
    """All that comes, to its end, in order."""
    window = Window(line.most_bytes)
    on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    arriving = asyncio.create_task(_arrive(on_the_way, writer, window, line))
    while piece := await reader.read(PIECE):
        await window.take(len(piece))
        on_the_way.put_nowait((line.send(len(piece)), piece))
    on_the_way.put_nowait((line.send(0), b""))
    await arriving


async def _arrive(
    on_the_way: asyncio.Queue[tuple[float, bytes]], writer: StreamWriter, window: Window, line: Line
) -> None:
    loop = asyncio.get_running_loop()
    while True:
        arrives, piece = await on_the_way.get()
        if (left := arrives - loop.time()) > 0:
            await asyncio.sleep(left)
        if not piece:
            writer.write_eof()
            return
        writer.write(piece)
        await writer.drain()
        loop.call_later(line.delay_s, window.acknowledge, len(piece))


async def serve(port: int, to_port: int, *, mbit_per_s: float, round_trip_s: float) -> None:
    """Carry until ended."""
    down, up = (Line(bytes_per_s=mbit_per_s * 125_000, delay_s=round_trip_s / 2) for _ in range(2))

    async def connected(reader: StreamReader, writer: StreamWriter) -> None:
        await asyncio.sleep(round_trip_s)
        with suppress(ConnectionError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to_port)
            ways = [
                asyncio.create_task(_carry(reader, far_writer, up)),
                asyncio.create_task(_carry(far_reader, writer, down)),
            ]
            # Either end may break off: then so does the other.
            await asyncio.wait(ways, return_when=asyncio.FIRST_EXCEPTION)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far_writer.close()
        writer.close()

    async with await asyncio.start_server(connected, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(
            serve(
                int(sys.argv[1]),
                int(sys.argv[2]),
                mbit_per_s=float(sys.argv[3]),
                round_trip_s=float(sys.argv[4]) / 1000,
            )
        )
