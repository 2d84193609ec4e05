"""Phones on slow lines: each reads its batches no faster than its line would bring them."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

PIECE = 64 * 1024
WINDOW = 128 * 1024  # of the receiver: what a slow line leaves unread waits at the server


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection of its own, with a small window."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
    line.setblocking(False)
    await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", port))
    return await asyncio.open_connection(sock=line, limit=PIECE)


async def get(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    path: str,
    cookie: str,
    *,
    bytes_per_s: float = 0,
) -> int:
    """Ask and read the whole answer, at this speed at most; its length. Raises SystemExit for anything but 200."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    if not head.startswith("http/1.1 200"):
        raise SystemExit(f"The server said: {head.splitlines()[0]}")
    left = length = int(head.split("content-length:")[1].split("\r\n")[0])
    began = time.perf_counter()
    while left:
        left -= len(await reader.readexactly(min(PIECE, left)))
        if bytes_per_s:
            await asyncio.sleep(began + (length - left) / bytes_per_s - time.perf_counter())
    return length


@asynccontextmanager
async def phones(
    count: int, port: int, batches: Sequence[str], cookie: str, *, bytes_per_s: float
) -> AsyncIterator[None]:
    """So many phones look at a scan until the block ends."""
    every = [
        asyncio.create_task(_look(port, [*batches[i:], *batches[:i]], cookie, bytes_per_s))
        for i in (at % len(batches) for at in range(count))
    ]
    try:
        yield
        for one in every:
            if one.done():
                one.result()
    finally:
        for one in every:
            one.cancel()
        await asyncio.gather(*every, return_exceptions=True)


async def _look(port: int, batches: Sequence[str], cookie: str, bytes_per_s: float) -> None:
    reader, writer = await connect(port)
    with suppress(asyncio.CancelledError):
        while True:
            for path in batches:
                await get(reader, writer, path, cookie, bytes_per_s=bytes_per_s)
    writer.close()
