"""Finding a share for the staff of its practice: the one way, so that nobody forgets whose it is."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest

from portal.errors import NotFound
from sharing.models import Share


def share_of(request: HttpRequest, share_id: UUID) -> Share:
    """The share, of the practice of whoever asks. Raises `NotFound` for anyone else's."""
    rows = Share.objects.filter(practice_id=request.actor.practice, pk=share_id)  # type: ignore[attr-defined]
    share = rows.select_related("disclosure__disclosed_by", "patient", "practice").first()
    if share is None:
        raise NotFound
    return share
