"""Drawing the images of the invented patients, each kind in a process of its own: all cores, a few seconds.

`python -m portal.demo.draw CHART_NUMBER KIND FOLDER` draws one kind into a folder. It needs no Django.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from portal.phantom.people import INVENTED, InventedPatient
from portal.phantom.studies import write_cbct, write_panoramic, write_periapical

Drawing = tuple[InventedPatient, str]


def _volume_and_panoramic(folder: Path, person: InventedPatient) -> None:
    """Both from one head, which is kept between the two."""
    write_cbct(folder / "CT", person)
    write_panoramic(folder, person)


_WRITE: dict[str, Callable[[Path, InventedPatient], object]] = {
    "volume-and-panoramic": _volume_and_panoramic,
    "panoramic": write_panoramic,
    "periapical": write_periapical,
}


def draw_all(drawings: Iterable[Drawing], folder: Path) -> None:
    """Draw each into the folder of its patient's chart number. Raises `CalledProcessError` where one can't be drawn."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as lines:
        list(lines.map(partial(_draw_apart, folder=folder), drawings))


def _draw_apart(drawing: Drawing, *, folder: Path) -> None:
    person, kind = drawing
    command = [sys.executable, "-m", __name__, person.chart_number, kind, str(folder / person.chart_number)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])


def main(chart_number: str, kind: str, folder: str) -> None:
    """Draw one kind of image of one invented patient."""
    person = next(one for one in INVENTED if one.chart_number == chart_number)
    _WRITE[kind](Path(folder), person)


if __name__ == "__main__":
    main(*sys.argv[1:])
