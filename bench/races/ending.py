"""Revoking under load: fifty who ask for batches without a pause, and one who downloads; what is served after it."""

from __future__ import annotations

import time
from threading import Barrier, Event, Thread
from typing import Any, NamedTuple

VIEWERS = 50
GRACE_S = 2.0


class Ending(NamedTuple):
    """Milliseconds after the revoke at which the last byte left, and how much left more than two seconds after it."""

    last_batch_ms: float
    last_piece_ms: float
    late: int


def revoke_under_load(share: Any, frames: str, download: str, actor: Any) -> Ending:
    """Start them all, revoke, and wait until each was refused."""
    from django.db import connection

    from sharing.access import ShareEnded
    from sharing.revoke import revoke
    from tests.viewer.conftest import browser_of

    batches: list[float] = []
    pieces: list[float] = []
    full, ended, cut = Barrier(VIEWERS + 2), Event(), Event()

    def watch(viewer: Any) -> None:
        try:
            full.wait()
            while viewer.get(frames).status_code == 200:
                batches.append(time.monotonic())
        finally:
            connection.close()

    def fetch(browser: Any) -> None:
        try:
            stream = iter(browser.get(download).streaming_content)
            full.wait()
            for _piece in stream:
                pieces.append(time.monotonic())
                if ended.is_set():
                    continue
                time.sleep(0.001)  # a slow line: it is under way when the share ends
        except ShareEnded:
            cut.set()
        finally:
            connection.close()

    browsers = [browser_of(share) for _ in range(VIEWERS + 1)]
    threads = [Thread(target=watch, args=(one,)) for one in browsers[1:]]
    threads.append(Thread(target=fetch, args=(browsers[0],)))
    for thread in threads:
        thread.start()
    full.wait()
    time.sleep(0.5)
    revoke(share, actor=actor)
    revoked_at = time.monotonic()
    ended.set()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "somebody is still served"
    assert cut.is_set(), "the download was over before the revoke"
    return Ending(
        (max(batches) - revoked_at) * 1e3,
        (max(pieces) - revoked_at) * 1e3,
        sum(at > revoked_at + GRACE_S for at in batches + pieces),
    )
