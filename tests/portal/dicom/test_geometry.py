"""Which series may be called a volume, and in which order its slices lie."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path

import pytest

from portal.dicom.geometry import NOT_TO_SCALE, SENTENCES, arrange
from portal.dicom.headers import Plane, Vector
from portal.dicom.sandbox import Sandbox

AXIAL: tuple[Vector, Vector] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


def plane(position: Vector, directions: tuple[Vector, Vector] = AXIAL) -> Plane:
    return Plane(position, *directions, (0.4, 0.3), is_calibrated=True, thickness_mm=2.0)


def axial(count: int = 10, step: float = 0.5) -> list[Plane]:
    return [plane((-50.0, -60.0, 7.0 + step * k)) for k in range(count)]


def test_even_slices_are_a_volume() -> None:
    arranged = arrange(axial())
    assert arranged.kind == "volume"
    assert arranged.order == tuple(range(10))
    assert arranged.spacing_mm == pytest.approx((0.5, 0.4, 0.3))
    assert arranged.directions == (*AXIAL, (0.0, 0.0, 1.0))
    assert arranged.spacing_calibrated
    assert arranged.notices == ()


def test_spacing_comes_from_places_not_from_thickness() -> None:
    spacing = arrange(axial(step=1.25)).spacing_mm
    assert spacing is not None
    assert spacing[0] == pytest.approx(1.25)


def test_shuffled_slices_are_put_in_order() -> None:
    planes = axial(40)
    shuffled = random.Random(7).sample(range(40), 40)
    arranged = arrange([planes[k] for k in shuffled])
    assert [shuffled[k] for k in arranged.order] == list(range(40))


@pytest.mark.parametrize(
    ("directions", "normal"),
    [
        (
            ((1.0, 0.0, 0.0), (0.0, -1.0, 0.0)),
            (0.0, 0.0, 1.0),
        ),  # seen from above: the cross product points down
        (((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)), (0.0, 1.0, 0.0)),  # coronal
        (((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)), (1.0, 0.0, 0.0)),  # sagittal
    ],
)
def test_slices_grow_to_the_head_the_back_or_the_left(
    directions: tuple[Vector, Vector], normal: Vector
) -> None:
    planes = [plane((k * normal[0], k * normal[1], k * normal[2]), directions) for k in (3, 1, 2, 0)]
    arranged = arrange(planes)
    assert arranged.kind == "volume"
    assert arranged.order == (3, 1, 2, 0)
    assert arranged.directions is not None
    assert arranged.directions[2] == pytest.approx(normal)


def test_oblique_volume_is_a_volume() -> None:
    turn = math.radians(30)
    directions = (1.0, 0.0, 0.0), (0.0, math.cos(turn), math.sin(turn))
    normal = 0.0, -math.sin(turn), math.cos(turn)
    planes = [plane((0.0, 0.7 * k * normal[1], 0.7 * k * normal[2]), directions) for k in range(6)]
    arranged = arrange(planes)
    assert arranged.kind == "volume"
    assert arranged.spacing_mm is not None
    assert arranged.spacing_mm[0] == pytest.approx(0.7)


def unsound(fault: str) -> list[Plane]:
    planes = axial()
    match fault:
        case "unplaced":
            planes[3] = replace(planes[3], position_mm=None)
        case "turned":
            turn = math.radians(2)
            planes[3] = plane(
                (-50.0, -60.0, 8.5),
                ((math.cos(turn), math.sin(turn), 0), (-math.sin(turn), math.cos(turn), 0)),
            )
        case "sizes":
            planes[3] = replace(planes[3], spacing_mm=(0.4, 0.31))
        case "duplicate":
            planes[3] = planes[4]
        case "missing":
            del planes[3:5]
        case "uneven":
            planes[3] = plane((-50.0, -60.0, 7.0 + 0.5 * 3.2))
        case "tilted":
            planes = [plane((-50.0, -60.0 + 0.1 * k, 7.0 + 0.5 * k)) for k in range(10)]
    return planes


@pytest.mark.parametrize("fault", SENTENCES)
def test_unsound_geometry_is_a_stack_with_its_reason(fault: str) -> None:
    arranged = arrange(unsound(fault))
    assert arranged.kind == "stack"
    assert SENTENCES[fault] in arranged.notices
    assert sorted(arranged.order) == list(range(len(unsound(fault))))


def test_jitter_of_one_percent_is_even() -> None:
    planes = [plane((0.0, 0.0, k + (0.009 if k == 3 else 0.0))) for k in range(8)]
    assert arrange(planes).kind == "volume"


def test_two_slices_are_not_a_volume() -> None:
    assert arrange(axial(2)).kind == "stack"


def test_frames_without_a_place_follow_their_numbers() -> None:
    arranged = arrange([Plane()] * 4, [30, 10, None, 20])
    assert arranged.order == (1, 3, 0, 2)
    assert arranged.spacing_mm is None
    assert arranged.directions is None


def test_detector_spacing_is_not_to_scale() -> None:
    arranged = arrange([Plane(spacing_mm=(0.1, 0.1))])
    assert (arranged.kind, arranged.spacing_mm) == ("image", (1.0, 0.1, 0.1))
    assert not arranged.spacing_calibrated
    assert arranged.notices == (NOT_TO_SCALE,)


def test_scanner_series_sorts_whatever_its_file_order(data_dir: Path, box: Sandbox) -> None:
    files = sorted((data_dir / "head_phantom_philips").glob("*.dcm"))
    headers = [box.read_header(file.read_bytes()) for file in files]
    arranged = arrange(
        [header.planes[0] for header in headers], [header.instance_number for header in headers]
    )
    assert arranged.kind == "volume"
    assert arranged.order != tuple(range(len(files)))
    heights = [headers[k].planes[0].position_mm for k in arranged.order]
    assert heights == sorted(heights, key=lambda position: position[2] if position else 0)
    assert arranged.spacing_mm == pytest.approx((5.0, 0.451171875, 0.451171875))


def test_multi_frame_volume_is_arranged_from_its_functional_groups(data_dir: Path, box: Sandbox) -> None:
    header = box.read_header((data_dir / "cbct_synthetic_enhanced" / "enhanced_ct.dcm").read_bytes())
    arranged = arrange(header.planes)
    assert (arranged.kind, len(arranged.order)) == ("volume", 75)
    assert arranged.spacing_mm == pytest.approx((1.0, 1.0, 1.0))
