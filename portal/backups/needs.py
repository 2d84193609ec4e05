"""What backups still need: a key-encryption key that is gone leaves every backup from its days unreadable."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from portal.backups.models import Run
from portal.clock import now


def needed_by_backups(version: int) -> list[str]:
    """Why a KEK version can't be retired yet, in a sentence; empty when no backup that is kept needs it."""
    kept_since = now() - timedelta(days=settings.BACKUP_KEEP_DAYS)
    good = [Run.Outcome.OK, Run.Outcome.DAMAGED]
    runs = Run.objects.filter(kind=Run.Kind.BACKUP, outcome__in=good).order_by("-finished_at")
    newest = runs.first()
    for run in runs.iterator():
        is_kept = run.finished_at is not None and run.finished_at >= kept_since
        if (is_kept or run == newest) and version in run.facts.get("kek_versions", []):
            last = (run.finished_at or now()) + timedelta(days=settings.BACKUP_KEEP_DAYS)
            return [
                f"A backup of {run.finished_at:%Y-%m-%d} needs it, and is kept until {last:%Y-%m-%d}"
                " (or until a newer one stands)."
            ]
    return []
