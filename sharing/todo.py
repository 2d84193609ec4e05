"""What the desk should do: at most one open task of a kind for each share."""

from __future__ import annotations

from portal.clock import now
from sharing.models import DeskTask, Share


def add_task(share: Share, kind: str) -> bool:
    """Give the desk something to do, once while it isn't done. Returns whether it is new."""
    if DeskTask.objects.filter(share=share, kind=kind, done_at=None).exists():
        return False
    task = DeskTask(practice_id=share.practice_id, share=share, kind=kind, created_at=now())
    # Two at once: the database keeps one of them.
    DeskTask.objects.bulk_create([task], ignore_conflicts=True)
    return True


def close_tasks(share: Share, kind: str) -> None:
    """The desk has done it, or it is no longer wanted."""
    DeskTask.objects.filter(share=share, kind=kind, done_at=None).update(done_at=now())
