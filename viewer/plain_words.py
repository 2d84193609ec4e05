"""What a patient reads instead of a series' own description, and the sentences of ingest in the reader's language.

Names say what kind of picture it is and, where its codes tell, which part of the mouth; never what can be seen in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from django.utils.translation import gettext, gettext_noop

from portal.dicom.geometry import NOT_TO_SCALE
from portal.dicom.tooth_chart import BITE_ROW, LOWER_ROW, UPPER_ROW, chart_place
from viewer.stored import SeriesView

SIDE_FROM: Final = 3.0
"""From the canines outwards (their mean place on the chart) an X-ray is of one side, else of the front."""

KINDS: Final = {
    "PX": gettext_noop("Panoramic X-ray"),
    "IO": gettext_noop("Tooth X-ray"),
    "CR": gettext_noop("X-ray"),
    "DX": gettext_noop("X-ray"),
    "RG": gettext_noop("X-ray"),
    "CT": gettext_noop("X-ray slices"),
    "XC": gettext_noop("Photo"),
    "GM": gettext_noop("Photo"),
    "ES": gettext_noop("Photo"),
    "OP": gettext_noop("Photo"),
    "MR": gettext_noop("MR scan"),
    "US": gettext_noop("Ultrasound"),
}
TEETH: Final = {
    (UPPER_ROW, -1): gettext_noop("Upper right teeth"),
    (UPPER_ROW, 0): gettext_noop("Upper front teeth"),
    (UPPER_ROW, 1): gettext_noop("Upper left teeth"),
    (BITE_ROW, -1): gettext_noop("Bite, right side"),
    (BITE_ROW, 0): gettext_noop("Bite, front"),
    (BITE_ROW, 1): gettext_noop("Bite, left side"),
    (LOWER_ROW, -1): gettext_noop("Lower right teeth"),
    (LOWER_ROW, 0): gettext_noop("Lower front teeth"),
    (LOWER_ROW, 1): gettext_noop("Lower left teeth"),
}
IN_THE_DOWNLOAD: Final = " It is in the download."


def plain_names(series: Sequence[SeriesView]) -> list[str]:
    """A name for each; those that would be called the same are numbered."""
    names = [_plain_name(view) for view in series]
    total, seen = Counter(names), Counter[str]()
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(f"{name} {seen[name]}" if total[name] > 1 else name)
    return numbered


def _plain_name(view: SeriesView) -> str:
    if view["kind"] == "volume" and view["Modality"] == "CT":
        return gettext("3D scan")
    if teeth := view.get("teeth"):
        row, across = chart_place(teeth)
        side = 0 if abs(across) < SIDE_FROM else 1 if across > 0 else -1
        return gettext(TEETH[row, side])
    return gettext(KINDS.get(view["Modality"], "Picture"))


def notices_of(view: SeriesView) -> dict[str, Any]:
    """`notices` for every reader; `ruler_notice` for those who measure, or None."""
    stored = view["notices"]
    return {
        "notices": [gettext(sentence) for sentence in stored if sentence != NOT_TO_SCALE],
        "ruler_notice": gettext(NOT_TO_SCALE) if NOT_TO_SCALE in stored else None,
    }


def reason_for(reason: str, *, allows_download: bool) -> str:
    """Why something isn't shown. Who may not download isn't sent to a download."""
    words = gettext(reason)
    return words if allows_download else words.removesuffix(gettext(IN_THE_DOWNLOAD))
