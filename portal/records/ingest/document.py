"""The display document of a study: how each series is shown, in the words of the viewer's manifest, without URLs."""

from __future__ import annotations

from typing import Any

from portal.dicom.frames import CODEC
from portal.dicom.geometry import Arrangement
from portal.dicom.pyramid import LevelSize
from portal.records.ingest.plan import Shown
from portal.records.ingest.titles import series_title
from portal.records.ingest.write import WrittenSeries


def display_document(series: list[WrittenSeries]) -> dict[str, Any]:
    """`{"series": [...], "others": [...]}`; every number of the viewer's manifest stands here."""
    shown = [_series(written, written.plan.shown) for written in series if written.plan.shown is not None]
    others = [other for written in series if written.plan.shown is None for other in _others(written)]
    return {"series": shown, "others": others}


def _series(written: WrittenSeries, shown: Shown) -> dict[str, Any]:
    header, spec, arrangement = written.plan.files[0].header, shown.spec, shown.arrangement
    return {
        "id": str(written.plan.id),
        "title": series_title(header),
        "Modality": header.modality,
        "kind": arrangement.kind,
        "teeth": list(header.teeth),
        "codec": CODEC,
        "Rows": shown.rows,
        "Columns": shown.columns,
        "NumberOfFrames": len(shown.frames),
        "SamplesPerPixel": spec.samples_per_pixel,
        "sample_bytes": spec.sample_bytes,
        "slope": spec.slope,
        "intercept": spec.intercept,
        "value_range": list(spec.value_range),
        "unit": spec.unit,
        "window": {"center": spec.window_center, "width": spec.window_width},
        "spacing_mm": _list(arrangement.spacing_mm),
        "spacing_calibrated": arrangement.spacing_calibrated,
        "directions": None
        if arrangement.directions is None
        else [list(vector) for vector in arrangement.directions],
        "position_mm": _list(arrangement.position_mm),
        "arch": written.arch,
        "levels": [_level(size, written.level_bytes[size.level], arrangement) for size in written.levels],
        "previews": [
            {"view": preview.view, "index": preview.index, "width": preview.width, "height": preview.height}
            for preview in written.previews
        ],
        "slices": {"count": len(shown.frames)},
        "notices": list(arrangement.notices),
    }


def _level(size: LevelSize, length_bytes: int, arrangement: Arrangement) -> dict[str, Any]:
    scale = 1 << size.level
    scales = (scale if arrangement.kind == "volume" else 1, scale, scale)
    spacing = arrangement.spacing_mm
    scaled = None if spacing is None else [mm * times for mm, times in zip(spacing, scales, strict=True)]
    return {
        "level": size.level,
        "Frames": size.frames,
        "Rows": size.rows,
        "Columns": size.columns,
        "StripRows": size.strip_rows,
        "Strips": size.strips,
        "bytes": length_bytes,
        "spacing_mm": scaled,
    }


def _list(vector: tuple[float, ...] | None) -> list[float] | None:
    return None if vector is None else list(vector)


def _others(written: WrittenSeries) -> list[dict[str, Any]]:
    return [
        {
            "series": str(written.plan.id),
            "instance": str(instance),
            "title": series_title(file.header),
            "reason": file.reason,
        }
        for instance, file in zip(written.plan.instance_ids, written.plan.files, strict=True)
    ]
