"""The whole head as a volume: every section drawn, and for a scan also seen through the scanner."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from portal.phantom import face, mandible, maxilla, tooth
from portal.phantom.curve import Arch
from portal.phantom.dentition import teeth
from portal.phantom.people import InventedPatient
from portal.phantom.restoration import Metal
from portal.phantom.scanner import Scanner
from portal.phantom.section import Plane, Section
from portal.phantom.shapes import Lattice

# Middle of the field of view: a little below the biting plane, for the lower jaw is the taller.
FIELD_CENTRE_Z = -4.5
UPPER_ARCH, LOWER_ARCH = Arch(), Arch(width=0.955, setback_mm=1.9)
MACHINE = 0x5CA9  # keeps the scanner's random numbers apart from the patient's


@dataclass(frozen=True)
class Grid:
    """Cubic voxels. `shape` is (sections, rows, columns), `origin` the (x, y, z) of the first, in mm LPS."""

    shape: tuple[int, int, int]
    voxel_mm: float
    origin: tuple[float, float, float]

    @classmethod
    def centred(cls, shape: tuple[int, int, int], voxel_mm: float, *, scale: float = 1.0) -> Grid:
        """A field of view around the jaws of a head `scale` times an adult's."""
        sections, rows, columns = ((count - 1) * voxel_mm / 2 for count in shape)
        return cls(shape, voxel_mm, (-columns, -rows, FIELD_CENTRE_Z * scale - sections))

    def times(self, factor: float) -> Grid:
        """The same voxels in another unit of length: from a child's head to an adult's and back."""
        x, y, z = self.origin
        return Grid(self.shape, self.voxel_mm * factor, (x * factor, y * factor, z * factor))


@dataclass(frozen=True, eq=False)
class Volume:
    """`hu` has the grid's shape, int16, Hounsfield-like; section 0 is the lowest."""

    grid: Grid
    hu: NDArray[np.int16]


def patient_seed(patient: InventedPatient, seed: int) -> int:
    """A seed of 31 bits of the patient's own, so that no two mouths are alike."""
    return zlib.crc32(f"{patient.chart_number}:{seed}".encode()) >> 1


# One volume stays (12 MB at the default size): the CBCT and the panoramic of a study are made in turn.
@lru_cache(maxsize=1)
def scan(patient: InventedPatient, grid: Grid, seed: int) -> Volume:
    """The head as a cone-beam scanner shows it. `grid` must be centred on x = y = 0. Read-only."""
    head = _Head(patient, grid, seed)
    scanner = head.scanner()
    hu = np.empty(grid.shape, dtype=np.int16)
    for index in range(grid.shape[0]):
        section, metals = head.section(index)
        hu[index] = np.rint(scanner.expose(section.hu, index, metals))
    hu.flags.writeable = False
    return Volume(grid, hu)


def truth(patient: InventedPatient, grid: Grid, seed: int) -> Volume:
    """The head itself on any grid, without blur, streaks or noise."""
    head = _Head(patient, grid, seed)
    sections = (head.section(index)[0].hu for index in range(grid.shape[0]))
    return Volume(grid, np.stack([np.rint(hu).astype(np.int16) for hu in sections]))


class _Head:
    """One patient's head. The anatomy is an adult's; for a child the grid is stretched over it."""

    def __init__(self, patient: InventedPatient, grid: Grid, seed: int) -> None:
        self._seed = patient_seed(patient, seed)
        random = np.random.RandomState(self._seed)
        self._grid = grid.times(1 / patient.findings.head_scale)
        self._plane = _plane(self._grid, Lattice(random))
        self._teeth = teeth(patient.findings, UPPER_ARCH, LOWER_ARCH, random)

    def section(self, index: int) -> tuple[Section, list[Metal]]:
        section = Section.empty(self._plane, self._grid.origin[2] + index * self._grid.voxel_mm)
        inside = face.paint_soft_tissue(section)
        face.paint_airways(section, inside)
        face.paint_spine(section)
        maxilla.paint(section, inside)
        mandible.paint(section)
        metals = [tooth.paint(section, each) for each in self._teeth]
        return section, [metal for metal in metals if metal]

    def scanner(self) -> Scanner:
        radius = min(self._plane.x.shape) * self._grid.voxel_mm / 2
        random = np.random.RandomState(self._seed ^ MACHINE)
        return Scanner(self._plane, random, field_radius_mm=radius, seed=self._seed)


def _plane(grid: Grid, lattice: Lattice) -> Plane:
    _, rows, columns = grid.shape
    x, y = np.meshgrid(
        grid.origin[0] + grid.voxel_mm * np.arange(columns), grid.origin[1] + grid.voxel_mm * np.arange(rows)
    )
    return Plane(x, y, grid.voxel_mm, UPPER_ARCH.locate(x, y), LOWER_ARCH.locate(x, y), lattice)
