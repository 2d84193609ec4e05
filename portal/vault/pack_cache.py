"""The packs a process keeps open: the most recently used, up to a limit. Safe for threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from portal.vault.packs import Pack


class PackCache:
    """Holds at most `limit` packs; a pack let go closes when its last reader is done with it."""

    def __init__(self, open_pack: Callable[[str], Pack], *, limit: int) -> None:
        self._open_pack = open_pack
        self._limit = limit
        self._packs: OrderedDict[str, Pack] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str) -> Pack:
        """The pack called `name`, opened if it isn't."""
        with self._lock:
            pack = self._packs.get(name)
            if pack is not None:
                self._packs.move_to_end(name)
                return pack
        # Opened outside the lock: a slow disk holds up nobody else. Two threads may open the same pack; one is kept.
        opened = self._open_pack(name)
        with self._lock:
            pack = self._packs.setdefault(name, opened)
            self._packs.move_to_end(name)
            while len(self._packs) > self._limit:
                self._packs.popitem(last=False)
        return pack

    def forget(self, name: str) -> None:
        """Let go of a pack, if it is here."""
        with self._lock:
            self._packs.pop(name, None)

    def __len__(self) -> int:
        return len(self._packs)
