"""The files are sound DICOM, complete, and the same every time."""

from __future__ import annotations

import hashlib

import numpy as np
import pydicom
import pytest

from portal.phantom import dicom_writer
from portal.phantom.dicom_writer import Projection, Visit
from portal.phantom.people import INVENTED
from portal.phantom.studies import TAKEN_ON, write_cbct, write_panoramic, write_periapical
from portal.phantom.volume import Grid, scan

SIZE, VOXEL_MM = (30, 48, 40), 2.5


def digest(paths) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


@pytest.fixture(scope="module")
def slices(tmp_path_factory):
    paths = write_cbct(tmp_path_factory.mktemp("ct"), INVENTED[0], size=SIZE, voxel_mm=VOXEL_MM)
    return [pydicom.dcmread(path) for path in paths]


@pytest.fixture(scope="module")
def x_rays(tmp_path_factory):
    folder = tmp_path_factory.mktemp("xr")
    return [pydicom.dcmread(write(folder, INVENTED[0])) for write in (write_panoramic, write_periapical)]


def test_every_slice_is_a_12_bit_ct_image_in_hounsfield_units(slices):
    assert len(slices) == SIZE[0]
    for ds in slices:
        assert ds.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
        assert ds.SOPClassUID == pydicom.uid.CTImageStorage
        assert (ds.Rows, ds.Columns, ds.BitsStored, ds.HighBit) == (48, 40, 12, 11)
        assert ds.pixel_array.max() <= 4095
    middle = slices[len(slices) // 2].pixel_array + float(slices[0].RescaleIntercept)
    assert middle[0, 0] == -1000  # the corner outside the round field is air
    assert -150 < np.median(middle[middle > -700]) < 400  # most of a head is soft tissue


def test_slices_stand_from_feet_to_head_with_even_spacing(slices):
    heights = np.array([float(ds.ImagePositionPatient[2]) for ds in slices])
    assert np.allclose(np.diff(heights), VOXEL_MM)
    for ds in slices:
        assert [float(v) for v in ds.ImageOrientationPatient] == [1, 0, 0, 0, 1, 0]
        assert [float(v) for v in ds.PixelSpacing] == [VOXEL_MM, VOXEL_MM]
        assert float(ds.ImagePositionPatient[0]) == -(40 - 1) / 2 * VOXEL_MM
        assert float(ds.ImagePositionPatient[1]) == -(48 - 1) / 2 * VOXEL_MM


def test_stored_values_are_the_scan_clipped_to_12_bits(slices):
    volume = scan(INVENTED[0], Grid.centred(SIZE, VOXEL_MM), 1)
    stored = np.stack([ds.pixel_array for ds in slices]).astype(int)
    assert np.array_equal(stored, np.clip(volume.hu.astype(int) + 1000, 0, 4095))


@pytest.mark.slow
def test_one_visit_is_one_study_of_three_series_without_a_uid_twice(slices, x_rays):
    everything = [*slices, *x_rays]
    assert len({ds.StudyInstanceUID for ds in everything}) == 1
    assert len({ds.SeriesInstanceUID for ds in everything}) == 3
    assert len({ds.SOPInstanceUID for ds in everything}) == len(everything)
    assert len({ds.FrameOfReferenceUID for ds in slices}) == 1
    for ds in everything:
        assert ds.SOPInstanceUID.startswith("2.25.")
        assert ds.SOPInstanceUID.is_valid
        assert str(ds.PatientName) == "Garcia^Maria"
        assert (ds.PatientID, ds.PatientBirthDate, ds.PatientSex) == ("SP-1001", "19860412", "F")


@pytest.mark.slow
def test_the_panoramic_shows_the_patient_s_left_on_the_right(x_rays):
    panoramic = x_rays[0]
    assert (panoramic.Modality, panoramic.Columns, panoramic.BitsStored) == ("PX", 1200, 12)
    assert panoramic.PhotometricInterpretation == "MONOCHROME2"
    assert list(panoramic.PatientOrientation) == ["L", "F"]
    assert "PixelSpacing" not in panoramic
    assert panoramic.ImagerPixelSpacing[0] == pytest.approx(0.13667, abs=1e-4)
    # The screw of implant 36: the brightest thing at the height of the lower roots.
    top_mm = 33.0
    row = round((top_mm + 14.0) / float(panoramic.ImagerPixelSpacing[0]))
    assert panoramic.pixel_array[row].argmax() > 600 + 100


@pytest.mark.slow
def test_the_periapical_has_the_screw_between_its_neighbours(x_rays):
    periapical = x_rays[1]
    assert (periapical.Modality, periapical.Rows, periapical.Columns) == ("IO", 620, 820)
    assert periapical.ImageLaterality == "L"
    assert [float(v) for v in periapical.ImagerPixelSpacing] == [0.05, 0.05]
    row = periapical.pixel_array[300]  # 15 mm below the top: screw and roots
    assert 300 < row.argmax() < 480


@pytest.mark.parametrize("is_calibrated", [False, True])
def test_only_a_calibrated_x_ray_has_a_pixel_size_in_the_patient(tmp_path, is_calibrated):
    image = Projection(np.zeros((4, 6), np.uint16), 0.1, "Test", ("L", "F"), "B", is_calibrated)
    ds = pydicom.dcmread(dicom_writer.write_panoramic(tmp_path, Visit(INVENTED[0], TAKEN_ON, "test"), image))
    assert [float(v) for v in ds.ImagerPixelSpacing] == [0.1, 0.1]
    assert ("PixelSpacing" in ds) == ("PixelSpacingCalibrationType" in ds) == is_calibrated


def test_the_same_arguments_write_the_same_bytes(tmp_path):
    first = write_cbct(tmp_path / "a", INVENTED[0], size=SIZE, voxel_mm=VOXEL_MM)
    scan.cache_clear()
    again = write_cbct(tmp_path / "b", INVENTED[0], size=SIZE, voxel_mm=VOXEL_MM)
    assert digest(first) == digest(again)
    assert [path.name for path in first] == [f"CT{number:04d}.dcm" for number in range(1, 31)]


def test_another_patient_seed_or_size_shares_no_instance(tmp_path, slices):
    seen = {ds.SOPInstanceUID for ds in slices}
    for name, patient, arguments in (
        ("patient", INVENTED[1], {"size": SIZE, "voxel_mm": VOXEL_MM}),
        ("seed", INVENTED[0], {"size": SIZE, "voxel_mm": VOXEL_MM, "seed": 2}),
        ("size", INVENTED[0], {"size": (30, 40, 40), "voxel_mm": VOXEL_MM}),
    ):
        paths = write_cbct(tmp_path / name, patient, **arguments)
        fresh = {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in paths}
        assert len(fresh) == SIZE[0]
        assert not fresh & seen
        seen |= fresh
