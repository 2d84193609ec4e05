"""The order of row locks: share, then its messages, then the head of the trail.

The desk changes a share while the worker closes its message. Who wants both takes the share's row first; in the
other order PostgreSQL ends one of the two as a deadlock. SQLite lets only one write at a time anyway.
"""

from __future__ import annotations

import uuid

from sharing.models import Share


def take_share(share_id: uuid.UUID) -> None:
    """Hold the share's row until the caller's transaction ends."""
    Share.objects.select_for_update().filter(pk=share_id).values_list("pk").first()
