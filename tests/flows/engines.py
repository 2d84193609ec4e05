"""Looking into PostgreSQL and Redis from below: the bytes on their disks, and what goes through the broker."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit


def postgresql_folder(database_url: str) -> Path:
    """Where the server of this database keeps it, with everything in memory written out."""
    import psycopg

    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute("SHOW data_directory").fetchone()
    assert row
    folder = Path(row[0])
    assert os.access(folder, os.R_OK | os.X_OK), "the tests must run as root or as PostgreSQL's own user"
    return folder


def redis_dump(broker_url: str) -> Path:
    """A dump of everything Redis holds, not compressed."""
    import redis

    with redis.Redis.from_url(broker_url) as server:
        server.config_set("rdbcompression", "no")
        server.save()
        return Path(server.config_get("dir")["dir"], server.config_get("dbfilename")["dbfilename"])


class BrokerTalk(Thread):
    """Listens to every command that Redis is given (MONITOR): a message is gone from it once it was taken."""

    def __init__(self, broker_url: str) -> None:
        super().__init__(name="broker talk", daemon=True)
        place = urlsplit(broker_url)
        self._line = socket.create_connection((place.hostname or "127.0.0.1", place.port or 6379))
        self._line.sendall(b"MONITOR\r\n")
        self._heard: list[bytes] = []

    @property
    def heard(self) -> bytes:
        return b"".join(self._heard)

    def run(self) -> None:
        while piece := self._line.recv(1 << 16):
            self._heard.append(piece)

    def stop(self) -> None:
        self._line.shutdown(socket.SHUT_RDWR)
        self.join()
        self._line.close()
