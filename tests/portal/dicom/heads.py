"""Heads with known arches: the invented patients in coarse voxels, turned, stretched and cropped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from portal.dicom.arch.curve import catmull_rom
from portal.dicom.arch.sample import sample
from portal.phantom import volume as phantom
from portal.phantom.findings import Findings
from portal.phantom.people import INVENTED, InventedPatient
from portal.phantom.volume import LOWER_ARCH, UPPER_ARCH, Grid

SHAPE = (75, 100, 100)
AIR_HU = -1000.0
EVERY_TOOTH = frozenset(10 * quadrant + tooth for quadrant in (1, 2, 3, 4) for tooth in range(1, 9))

# Who has lost many teeth, and who has many replaced or covered by metal.
FEW_TEETH = Findings(
    missing=frozenset({18, 28, 38, 48, 12, 14, 15, 24, 25, 34, 44, 45}),
    amalgams=frozenset({16, 26, 36, 46}),
    metal_crowns=frozenset({17, 27, 47}),
)
NO_MOLARS = Findings(
    missing=frozenset({16, 17, 18, 36, 37, 38, 46, 47, 48}), implants=frozenset({11, 21, 26, 35})
)
PEOPLE: tuple[InventedPatient, ...] = (
    *INVENTED,
    replace(INVENTED[0], findings=NO_MOLARS),
    replace(INVENTED[1], findings=FEW_TEETH),
)
TOOTHLESS = replace(INVENTED[1], findings=Findings(missing=EVERY_TOOTH))


@dataclass(frozen=True)
class Pose:
    """How a head is held, in degrees, and its size from left to right and from front to back."""

    nod: float = 0.0
    lean: float = 0.0
    turn: float = 0.0
    wide: float = 1.0
    deep: float = 1.0


@lru_cache(maxsize=8)
def head(person: InventedPatient) -> np.ndarray:
    """HU (z, y, x) in voxels of 1 mm."""
    grid = Grid.centred(SHAPE, 1.0, scale=person.findings.head_scale)
    return phantom.scan(person, grid, 1).hu.astype(np.float32)


def posed(volume: np.ndarray, pose: Pose) -> np.ndarray:
    """The head held in another way, in the same field of view."""
    z, y, x = np.indices(volume.shape)
    places = np.stack([x, y, z], axis=-1) - middle()
    values, inside = sample(volume, places @ _turning(pose) / _stretch(pose) + middle())
    return np.where(inside, values, AIR_HU)


def middle() -> np.ndarray:
    """The middle of the field of view, x y z in mm from the first voxel."""
    return (np.array(SHAPE[::-1]) - 1) / 2


def error_mm(control: np.ndarray, person: InventedPatient, pose: Pose) -> float:
    """How far the curve through `control` lies from the arch, and the arch from the curve: the larger mean, in mm.

    Seen along the head's own axis. The arch is the middle of those of the two jaws, which lie up to 2 mm apart.
    """
    found = ((catmull_rom(control) - middle()) @ _turning(pose))[:, :2]
    size = person.findings.head_scale * _stretch(pose)[:2]
    return max(_mean_distance(_arch(45) * size, found), _mean_distance(found, _arch(75) * size))


def _arch(reach_mm: int) -> np.ndarray:
    s = np.arange(-reach_mm, reach_mm + 1.0)
    jaws = [np.stack(jaw.at(s)[:2], axis=1) for jaw in (UPPER_ARCH, LOWER_ARCH)]
    return (jaws[0] + jaws[1]) / 2


def _mean_distance(points: np.ndarray, line: np.ndarray) -> float:
    apart = np.linalg.norm(points[:, None] - line[None], axis=2)
    return float(apart.min(axis=1).mean())


def _stretch(pose: Pose) -> np.ndarray:
    return np.array([pose.wide, pose.deep, 1.0])


def _turning(pose: Pose) -> np.ndarray:
    """Takes a position of the posed head (a row) to the head's own axes."""
    nod, lean, turn = np.radians([pose.nod, pose.lean, pose.turn])
    about_x = np.array([[1, 0, 0], [0, np.cos(nod), -np.sin(nod)], [0, np.sin(nod), np.cos(nod)]])
    about_y = np.array([[np.cos(lean), 0, np.sin(lean)], [0, 1, 0], [-np.sin(lean), 0, np.cos(lean)]])
    about_z = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    turning: np.ndarray = about_z @ about_y @ about_x
    return turning
