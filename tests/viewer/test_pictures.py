"""Previews and slices: pictures made by the server, counted like every other release."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from portal.records.models import Patient
from sharing.models import Tally
from tests.cast import signed_in
from tests.viewer.conftest import Stored
from tests.viewer.stored_study import INTERCEPT, MadeSeries, store_study, volume

pytestmark = pytest.mark.django_db


def picture(client: Client, path: str) -> Image.Image:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/webp"
    return Image.open(BytesIO(answer.content))


def test_a_preview_is_the_stored_one_and_is_counted(stored: Stored, phone: Client) -> None:
    shown = picture(phone, f"{stored.root}/series/{stored.volume.id}/previews/coronal.webp")
    assert shown.size == stored.volume.frames.shape[:0:-1]
    tally = Tally.objects.get()
    assert (tally.levels, tally.frames) == (1 << 30, 1)
    assert tally.length_bytes > 0


@pytest.mark.parametrize("name", ["axial.webp", "axial", "sagittal", "first.webp"])
def test_the_address_without_a_series_means_the_first(stored: Stored, phone: Client, name: str) -> None:
    assert picture(phone, f"{stored.root}/previews/{name}").format == "WEBP"


def test_first_preview_is_asked_for_by_one_address(stored: Stored, phone: Client) -> None:
    """The page names it before its script has read the manifest; another address would bring it twice."""
    manifest = phone.get(f"{stored.root}/manifest.json").json()
    urls = [preview["url"] for preview in manifest["series"][0]["previews"]]
    assert urls[0] == f"{stored.root}/series/{stored.volume.id}/previews/first.webp"
    assert len(set(urls)) == len(urls) > 1
    assert picture(phone, urls[0]).tobytes() == picture(phone, urls[0].replace("first", "axial")).tobytes()


@pytest.mark.parametrize("name", ["image.webp", "front", "..", "0"])
def test_views_that_are_not_there_are_not_found(stored: Stored, phone: Client, name: str) -> None:
    assert phone.get(f"{stored.root}/previews/{name}").status_code == 404


def test_a_slice_is_windowed_as_dicom_says(stored: Stored, phone: Client) -> None:
    shown = picture(phone, f"{stored.root}/series/{stored.volume.id}/slices/5.webp")
    values = stored.volume.frames[5].astype(float) + INTERCEPT
    expected = np.clip((values - (500 - 3000 / 2)) / 3000, 0, 1) * 255
    height = round(expected.shape[0] * 0.4 / 0.4)
    assert shown.size == (expected.shape[1], height)
    # WebP is lossy; on average it may be off by no more than two of 255.
    assert np.abs(np.asarray(shown.convert("L"), float) - expected).mean() < 2


def test_a_colour_slice_stays_in_colour(stored: Stored, phone: Client) -> None:
    shown = picture(phone, f"{stored.root}/series/{stored.series[1].id}/slices/0.webp")
    assert shown.mode == "RGB"
    assert shown.size == (60, 40)


def test_slices_are_counted_at_the_level_they_show(stored: Stored, phone: Client) -> None:
    picture(phone, f"{stored.root}/series/{stored.volume.id}/slices/0.webp")
    assert (Tally.objects.get().levels, Tally.objects.get().frames) == (1, 1)


@pytest.mark.parametrize("index", ["12", "99999999999", "-1", "x"])
def test_slices_that_are_not_there_are_not_found(stored: Stored, phone: Client, index: str) -> None:
    assert phone.get(f"{stored.root}/series/{stored.volume.id}/slices/{index}.webp").status_code == 404


def test_a_large_picture_in_strips_is_shown_from_the_level_that_fits(pat: Patient, dana) -> None:
    large = MadeSeries(volume((1, 1500, 2100)), kind="image", spacing_mm=[1.0, 0.2, 0.1])
    assert large.levels()[0].strips == 4
    study = store_study(pat, [large])
    desk = signed_in(dana)
    shown = picture(desk, f"/desk/studies/{study.pk}/series/{large.id}/slices/0.webp")
    assert shown.size == (525, 750), "level 2, 375 rows, twice as high because pixels are"
    assert Tally.objects.get().levels == 1 << 2


def test_the_slices_of_a_volume_are_numbered_as_at_full_size(pat: Patient, dana) -> None:
    large = MadeSeries(volume((5, 1100, 40)), spacing_mm=None)
    study = store_study(pat, [large])
    desk, root = signed_in(dana), f"/desk/studies/{study.pk}/series/{large.id}/slices"
    pictures = [desk.get(f"{root}/{index}.webp").content for index in range(5)]
    assert pictures[0] == pictures[1] != pictures[2] == pictures[3] != pictures[4]
