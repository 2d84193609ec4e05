"""The picture that is there first: a preview made at ingest, stored sealed as WebP."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from portal.errors import NotFound
from portal.vault.manifest import Entry
from viewer.stored import StoredStudy

PREVIEW_LEVEL: Final = 30
"""The tally's bit for previews. The pyramid has five levels; 30 is the highest bit a 32-bit column holds."""


def find_preview(stored: StoredStudy, series: UUID, view: str) -> Entry:
    """The preview of a series seen from `view` ("axial"…). Raises NotFound."""
    for preview in stored.shown(series)["previews"]:
        if preview["view"] == view:
            return stored.entry(series, "preview", index=preview["index"])
    raise NotFound
