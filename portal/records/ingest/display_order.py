"""In which order the series of a study stand on its first page."""

from __future__ import annotations

from portal.dicom.tooth_chart import chart_place
from portal.records.ingest.plan import SeriesPlan
from portal.records.ingest.write import WrittenSeries

SCAN, X_RAY, TOOTH, PHOTOGRAPH, NOT_SHOWN = range(5)


def in_display_order(series: list[WrittenSeries]) -> list[WrittenSeries]:
    """Scans, large X-rays, teeth as on the tooth chart, photographs, and last what has no picture."""
    return sorted(series, key=lambda written: _rank(written.plan))


def _rank(plan: SeriesPlan) -> tuple[int, int, float]:
    header = plan.files[0].header
    if plan.shown is None:
        return NOT_SHOWN, 0, 0.0
    if plan.shown.arrangement.kind == "volume":
        return SCAN, 0, 0.0
    if header.modality == "IO":
        return TOOTH, *chart_place(header.teeth)
    return PHOTOGRAPH if header.modality in ("XC", "GM", "ES", "OP") else X_RAY, 0, 0.0
