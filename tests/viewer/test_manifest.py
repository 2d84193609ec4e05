"""The wire manifest: the fields agreed, addresses that work at its own door, nothing beyond the grant."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from portal.accounts.models import User
from tests.cast import signed_in
from tests.viewer.conftest import Stored, browser_of, share_of
from viewer.manifest import others_of

pytestmark = pytest.mark.django_db

SERIES_FIELDS = {
    "id", "title", "Modality", "kind", "codec", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel",
    "sample_bytes", "slope", "intercept", "value_range", "unit", "window", "spacing_mm", "spacing_calibrated",
    "directions", "levels", "frames", "previews", "slices", "notices", "ruler_notice",
    "name", "teeth",
}  # fmt: skip


def manifest_of(client: Client, stored: Stored, door: str = "") -> dict[str, Any]:
    return client.get(f"{door}{stored.root}/manifest.json").json()


def test_the_manifest_has_the_agreed_fields(stored: Stored, phone: Client) -> None:
    wire = manifest_of(phone, stored)
    assert wire["version"] == 1
    assert wire["batch_bytes"] == 4 * 1024 * 1024
    assert wire["title"] == "Cone-beam CT"
    assert wire["expires_at"].endswith("Z")
    assert [series["kind"] for series in wire["series"]] == ["volume", "image"]
    assert set(wire["series"][0]) == SERIES_FIELDS
    assert wire["others"] == [
        {"title": "Report", "reason": "This file has no picture. It is in the download."}
    ]


@pytest.mark.parametrize("door", ["", "/desk"])
def test_every_address_in_it_works_at_its_own_door(
    door: str, stored: Stored, phone: Client, clara: User
) -> None:
    client = signed_in(clara) if door else phone
    wire = manifest_of(client, stored, door)
    addresses = [wire["heartbeat"]["url"], wire["download"]]
    for series in wire["series"]:
        addresses += [preview["url"] for preview in series["previews"]]
        addresses.append(series["slices"]["url"].replace("{index}", str(series["slices"]["count"] - 1)))
        addresses.append(series["frames"].replace("{level}", "0").replace("{ranges}", "0"))
    assert len(addresses) == 2 + 3 + 1 + 2 * 2
    for address in addresses:
        assert address.startswith(f"{door}/studies/{stored.study.pk}/")
        assert client.get(address).status_code in {200, 204}


def test_a_share_of_one_series_lists_no_other(stored: Stored, dana: User) -> None:
    wire = manifest_of(browser_of(share_of(stored, dana, series=[1])), stored)
    assert [series["id"] for series in wire["series"]] == [str(stored.series[1].id)]
    assert wire["others"] == []


def test_the_manifest_names_nobody(stored: Stored, phone: Client) -> None:
    text = phone.get(f"{stored.root}/manifest.json").content.decode()
    for word in ("Maria", "Garc", "C-1", stored.volume.uid, stored.study.study_instance_uid):
        assert word not in text


def test_reading_it_releases_no_pixel(stored: Stored, phone: Client) -> None:
    from sharing.models import Tally

    manifest_of(phone, stored)
    assert not Tally.objects.exists()


def test_the_desks_page_shows_the_viewer(stored: Stored, dana: User) -> None:
    page = signed_in(dana).get(f"/desk{stored.root}/?series={stored.volume.id}&slice=3").content.decode()
    assert f'data-manifest="/desk{stored.root}/manifest.json"' in page
    assert f"/desk{stored.root}/series/{stored.volume.id}/slices/2.webp" in page
    assert "<title>" in page
    assert "Garcia" not in page.split("</title>")[0]


def test_what_a_hundred_slices_say_alike_is_said_once() -> None:
    one, two = (str(uuid.uuid4()) for _ in range(2))
    told = {"title": "CT scan", "reason": "This file has no picture."}
    others = [
        {**told, "series": series, "instance": str(number)} for number in range(100) for series in (one, two)
    ]
    grant: Any = SimpleNamespace(allows=lambda _: True, allows_download=True)
    stored: Any = SimpleNamespace(others=others)
    assert others_of(grant, stored) == [told, told]
