"""The picture that is there first: a preview made at ingest, stored sealed as WebP."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from portal.errors import NotFound
from portal.vault.manifest import Entry
from viewer.stored import StoredStudy

FIRST: Final = "first"
"""The name of a series' first preview, whatever it shows: pages may ask for it before they have read the manifest."""

PREVIEW_LEVEL: Final = 30
"""The tally's bit for previews. The pyramid has five levels; 30 is the highest bit a 32-bit column holds."""


def find_preview(stored: StoredStudy, series: UUID, view: str) -> Entry:
    """The preview of a series seen from `view` ("axial"…, or FIRST). Raises NotFound."""
    for preview in stored.shown(series)["previews"]:
        if view in (preview["view"], FIRST):
            return stored.entry(series, "preview", index=preview["index"])
    raise NotFound
