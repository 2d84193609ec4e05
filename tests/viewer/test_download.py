"""Downloads: what is in them, how they resume, what is noted, and how they break."""

from __future__ import annotations

import io
import random
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from PIL import Image
from pydicom.fileset import FileSet

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.clock import now
from portal.errors import VaultDamaged
from portal.records.models import DisclosureEvent, Patient
from portal.records.vault import vault
from sharing.access import ShareEnded
from sharing.endings import sweep_endings
from sharing.models import Download, Share
from sharing.revoke import revoke
from tests.cast import actor_of, signed_in
from tests.viewer.conftest import Stored, body_of, browser_of, share_of
from tests.viewer.stored_study import MadeSeries, store_study
from viewer.download import ON_THE_WAY_BYTES

pytestmark = pytest.mark.django_db

MIB = 1024 * 1024


def fetch(client: Client, stored: Stored, **headers: str) -> HttpResponse:
    return client.get(f"{stored.root}/download", headers=headers)


def whole(client: Client, stored: Stored) -> bytes:
    answer = fetch(client, stored)
    body = body_of(answer)
    assert (answer.status_code, len(body)) == (200, int(answer["Content-Length"]))
    return body


def codes() -> list[str]:
    return list(
        AuditEntry.objects.filter(code__startswith="study.download")
        .order_by("n")
        .values_list("code", flat=True)
    )


@pytest.fixture
def large(pat: Patient) -> Stored:
    """A study of 5 MB of originals."""
    noise = np.random.default_rng(3).integers(0, 4096, (5, 700, 750), np.uint16)
    series = [MadeSeries(noise)]
    return Stored(store_study(pat, series), series)


# --- what is in it -------------------------------------------------------------------------------------------------


def test_r13_the_archive_holds_the_originals_byte_for_byte(stored: Stored, phone: Client) -> None:
    with zipfile.ZipFile(io.BytesIO(whole(phone, stored))) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[:3] == ["README.txt", "DICOMDIR", "MANIFEST.sha256"]
        for number, series in enumerate(stored.series, start=1):
            for index, original in enumerate(series.originals, start=1):
                assert archive.read(f"DICOM/S{number:04}/I{index:07}") == original
        assert len(archive.namelist()) == 3 + 12 + 1 + 1


@pytest.mark.parametrize("layout", ["dicomdir", "flat", "pictures"])
def test_d5_every_layout_is_whole_and_resumes(
    stored: Stored, phone: Client, tmp_path: Path, layout: str
) -> None:
    address = f"{stored.root}/download?layout={layout}"
    answer = phone.get(address)
    body = body_of(answer)
    assert len(body) == int(answer["Content-Length"])
    rest = phone.get(address, headers={"Range": "bytes=1000-", "If-Range": answer["ETag"]})
    assert (rest.status_code, body_of(rest)) == (206, body[1000:])
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    subprocess.run(["sha256sum", "--check", "--quiet", "MANIFEST.sha256"], cwd=tmp_path, check=True)


def test_d5_flat_files_are_the_originals_side_by_side(stored: Stored, phone: Client) -> None:
    with zipfile.ZipFile(io.BytesIO(body_of(phone.get(f"{stored.root}/download?layout=flat")))) as archive:
        names = [name for name in archive.namelist() if name.endswith(".DCM")]
        originals = [one for series in stored.series for one in series.originals]
        assert [archive.read(name) for name in names] == originals
        assert "DICOMDIR" not in archive.namelist()
        assert all("/" not in name for name in archive.namelist())


def test_d5_pictures_are_the_single_ones_at_full_size(
    stored: Stored, phone: Client, pat: Patient, dana: User
) -> None:
    with zipfile.ZipFile(
        io.BytesIO(body_of(phone.get(f"{stored.root}/download?layout=pictures")))
    ) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".JPG")]
        picture = Image.open(io.BytesIO(archive.read(name)))
    shown = stored.series[1].frames
    assert (picture.height, picture.width) == shown.shape[1:3]
    assert abs(np.asarray(picture).astype(int) - shown[0]).mean() < 6
    only_volume = share_of(stored, dana, series=[0])
    refused = browser_of(only_volume).get(f"{stored.root}/download?layout=pictures")
    assert (refused.status_code, "no single pictures" in refused.content.decode()) == (400, True)
    assert phone.get(f"{stored.root}/download?layout=exe").status_code == 400


def test_unzip_and_sha256sum_find_nothing_wrong(stored: Stored, phone: Client, tmp_path: Path) -> None:
    (tmp_path / "scan.zip").write_bytes(whole(phone, stored))
    subprocess.run(["unzip", "-q", "scan.zip"], cwd=tmp_path, check=True)
    subprocess.run(["sha256sum", "--quiet", "-c", "MANIFEST.sha256"], cwd=tmp_path, check=True)
    found = FileSet(tmp_path / "DICOMDIR")
    assert len(found) == 13, "twelve slices and a photograph; the report isn't a picture"
    found._stage["t"].cleanup()


def test_names_are_8_3_in_upper_case(stored: Stored, phone: Client) -> None:
    names = zipfile.ZipFile(io.BytesIO(whole(phone, stored))).namelist()
    for name in names[3:]:
        for part in name.split("/"):
            assert len(part) <= 8
            assert part == part.upper()


def test_no_name_of_the_patient_is_in_readme_headers_or_file_names(stored: Stored, phone: Client) -> None:
    answer = fetch(phone, stored)
    archive = zipfile.ZipFile(io.BytesIO(body_of(answer)))
    text = archive.read("README.txt").decode()
    assert "Smile Dental" in text
    assert "\r\n" in text
    assert "\n" not in text.replace("\r\n", "")
    assert answer["Content-Disposition"] == 'attachment; filename="scan.zip"'
    for word in ("Maria", "María", "Garc", "1986"):
        assert word not in text
        assert not any(word in name for name in archive.namelist())


def test_a_dentist_is_named_in_the_readme(stored: Stored, dana: User) -> None:
    dentist = share_of(
        stored, dana, recipient_kind="dentist", recipient_name="Dr Riley", channel="email",
        address="riley@endo.example", purpose="referral",
    )  # fmt: skip
    archive = zipfile.ZipFile(io.BytesIO(whole(browser_of(dentist), stored)))
    assert "For:      Dr Riley" in archive.read("README.txt").decode()


def test_a_share_of_one_series_downloads_no_other(stored: Stored, dana: User) -> None:
    one = whole(browser_of(share_of(stored, dana, series=[1])), stored)
    names = zipfile.ZipFile(io.BytesIO(one)).namelist()
    assert names[3:] == ["DICOM/S0001/I0000001"]


# --- length, ranges, version ---------------------------------------------------------------------------------------


def test_head_tells_the_same_and_starts_nothing(stored: Stored, phone: Client) -> None:
    answer = phone.head(f"{stored.root}/download")
    assert answer.status_code == 200
    assert int(answer["Content-Length"]) == len(whole(phone, stored))
    assert answer["Accept-Ranges"] == "bytes"
    assert Download.objects.count() == 1, "that of the GET"


def test_random_ranges_are_those_of_the_whole(stored: Stored, phone: Client) -> None:
    body, source = whole(phone, stored), random.Random(7)
    etag = fetch(phone, stored)["ETag"]
    for _ in range(60):
        first = source.randrange(len(body))
        last = source.randrange(first, len(body))
        part = fetch(phone, stored, range=f"bytes={first}-{last}", if_range=etag)
        assert part.status_code == 206
        assert part["Content-Range"] == f"bytes {first}-{last}/{len(body)}"
        assert int(part["Content-Length"]) == last - first + 1
        assert body_of(part) == body[first : last + 1]


def test_a_range_behind_the_end_is_416(stored: Stored, phone: Client) -> None:
    answer = fetch(phone, stored, range="bytes=99999999-")
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{len(whole(phone, stored))}"


def test_several_ranges_and_other_versions_get_the_whole(stored: Stored, phone: Client) -> None:
    assert fetch(phone, stored, range="bytes=0-1,5-6").status_code == 200
    assert fetch(phone, stored, range="bytes=5-", if_range='"another"').status_code == 200


def test_the_etag_is_the_same_again_and_another_for_another_share(
    stored: Stored, phone: Client, dana: User
) -> None:
    from viewer.package import _packages

    first = fetch(phone, stored)["ETag"]
    _packages.clear()
    assert fetch(phone, stored)["ETag"] == first
    assert fetch(browser_of(share_of(stored, dana, series=[0])), stored)["ETag"] != first
    assert first.startswith('"')


# --- the record ----------------------------------------------------------------------------------------------------


def test_a_download_is_noted_before_its_first_byte_and_has_its_receipt_after_the_last(
    stored: Stored, phone: Client, share: Share
) -> None:
    answer = fetch(phone, stored)
    assert codes() == ["study.download-started"]
    assert not DisclosureEvent.objects.filter(kind="downloaded").exists()
    length = len(body_of(answer))
    row = Download.objects.get()
    assert codes() == ["study.download-started", "study.downloaded"]
    assert row.completed_at is not None
    assert row.sent_bytes == row.length_bytes == length
    assert DisclosureEvent.objects.get(kind="downloaded").facts["length_bytes"] == length


def interrupted(answer: HttpResponse, pieces: int) -> bytes:
    """The first pieces; then the client leaves."""
    content: Iterator[bytes] = answer.streaming_content
    got = b"".join(next(content) for _ in range(pieces))
    for end in answer._resource_closers:
        end()
    return got


def test_a_cut_download_is_noted_and_its_rest_completes_it(large: Stored, dana: User) -> None:
    phone = browser_of(share_of(large, dana))
    reference = whole(browser_of(share_of(large, dana)), large)
    Download.objects.all().delete()
    answer = fetch(phone, large)
    got = interrupted(answer, 14)
    assert codes()[-1] == "study.download-broken"
    rest = fetch(phone, large, range=f"bytes={len(got)}-", if_range=answer["ETag"])
    assert rest.status_code == 206
    # The README names the day of the share, and both were made today.
    assert got + body_of(rest) == reference
    assert codes()[-1] == "study.downloaded"
    assert Download.objects.get().completed_at is not None


def test_a_gap_gets_no_receipt(large: Stored, dana: User) -> None:
    phone = browser_of(share_of(large, dana))
    interrupted(fetch(phone, large), 8)
    body_of(fetch(phone, large, range=f"bytes={4 * MIB}-"))
    assert "study.downloaded" not in codes()
    assert Download.objects.get().completed_at is None


def test_staff_downloads_are_noted_too(stored: Stored, clara: User) -> None:
    assert signed_in(clara).get(f"/desk{stored.root}/download").getvalue()
    row = Download.objects.get()
    assert row.staff_session
    assert row.completed_at is not None
    assert AuditEntry.objects.get(code="study.downloaded").actor_id == clara.pk


# --- a fresh code --------------------------------------------------------------------------------------------------


def test_a_download_needs_a_fresh_code(stored: Stored, phone: Client, clock: Any) -> None:
    clock.advance(seconds=settings.STEP_UP_S + 1)
    answer = fetch(phone, stored)
    assert answer.status_code == 403
    assert answer.json()["next"] == "/s/code"
    assert not Download.objects.exists()
    assert phone.head(f"{stored.root}/download").status_code == 403


def test_a_person_is_led_to_the_page_for_a_code(stored: Stored, phone: Client, clock: Any) -> None:
    clock.advance(seconds=settings.STEP_UP_S + 1)
    answer = fetch(phone, stored, accept="text/html,*/*")
    assert (answer.status_code, answer["Location"]) == (302, "/s/code")


def test_a_download_under_way_goes_on_without_a_new_code(large: Stored, dana: User, clock: Any) -> None:
    phone = browser_of(share_of(large, dana))
    got = interrupted(fetch(phone, large), 14)
    clock.advance(seconds=settings.STEP_UP_S + 1)
    assert fetch(phone, large).status_code == 403, "from the beginning it is a new one"
    assert fetch(phone, large, range=f"bytes={len(got)}-").status_code == 206


def test_no_more_than_what_was_on_its_way_can_be_asked_for_again(
    large: Stored, dana: User, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewer.download.ON_THE_WAY_BYTES", ON_THE_WAY_BYTES // 16)
    phone = browser_of(share_of(large, dana))
    got = interrupted(fetch(phone, large), 14)
    clock.advance(seconds=settings.STEP_UP_S + 1)
    assert fetch(phone, large, range="bytes=1-").status_code == 403
    assert fetch(phone, large, range=f"bytes={len(got) - MIB // 2}-").status_code == 206


# --- how it breaks -------------------------------------------------------------------------------------------------


def test_r15_a_revoked_share_breaks_a_running_download_within_a_mebibyte(large: Stored, dana: User) -> None:
    share = share_of(large, dana)
    answer = fetch(browser_of(share), large)
    content = answer.streaming_content
    before = sum(len(next(content)) for _ in range(9))
    revoke(share, actor=actor_of(dana))
    after: list[bytes] = []
    with pytest.raises(ShareEnded):
        after.extend(content)
    assert sum(map(len, after)) <= MIB
    assert codes() == ["study.download-started", "study.download-broken"]
    assert Download.objects.get().completed_at is None
    assert b'"reason":"ended"' in bytes(AuditEntry.objects.get(code="study.download-broken").event)
    assert Download.objects.get().sent_bytes >= before - MIB


def test_d4_a_download_under_way_is_finished_after_the_link_expired(
    large: Stored, dana: User, clock: Any
) -> None:
    share = share_of(large, dana)
    phone = browser_of(share)
    reference = whole(browser_of(share), large)
    answer = fetch(phone, large)
    got = interrupted(answer, 8)
    clock.advance(minutes=90)
    Share.objects.filter(pk=share.pk).update(expires_at=now() - timedelta(minutes=1))
    sweep_endings()
    assert fetch(phone, large).status_code == 403, "a new one needs a new code"
    rest = fetch(phone, large, range=f"bytes={len(got)}-", if_range=answer["ETag"])
    assert got + body_of(rest) == reference
    assert codes()[-1] == "study.downloaded"
    assert phone.get(f"{large.root}/manifest.json").status_code in (401, 410), "the pictures have ended"
    assert fetch(phone, large, range="bytes=5-").status_code in (401, 410), (
        "what is finished isn't begun again"
    )


def test_d4_a_download_is_not_broken_because_its_session_idled(large: Stored, dana: User, clock: Any) -> None:
    content = fetch(browser_of(share_of(large, dana)), large).streaming_content
    for _ in range(8):
        next(content)
    clock.advance(seconds=settings.SHARE_ABSOLUTE_S + 1)
    assert sum(map(len, content)) > MIB
    assert codes()[-1] == "study.downloaded"


def test_d4_r15_the_grace_ends_after_two_hours_and_with_a_revoked_link(
    large: Stored, dana: User, clock: Any
) -> None:
    share = share_of(large, dana)
    phone, other = browser_of(share), browser_of(share)
    late = f"bytes={len(interrupted(fetch(phone, large), 8))}-"
    interrupted(fetch(other, large), 8)
    clock.advance(minutes=119)
    assert fetch(phone, large, range=late).status_code == 206
    clock.advance(minutes=2)
    assert fetch(phone, large, range=late).status_code == 401
    clock.advance(minutes=-30)
    revoke(share, actor=actor_of(dana))
    assert fetch(other, large, range=late).status_code == 410


def test_a_damaged_original_breaks_the_download_before_its_bytes(large: Stored, dana: User) -> None:
    from viewer.stored import open_study

    originals = open_study(large.study).manifest.select(kind="original")
    entry = next(one for one in originals if one.extra["position"] == 2)
    path = Path(settings.VAULT_DIR) / entry.pack[:2] / entry.pack
    raw = bytearray(path.read_bytes())
    raw[entry.offset + entry.sealed_length // 2] ^= 1
    path.write_bytes(raw)
    vault()._cache.forget(entry.pack)
    answer = fetch(browser_of(share_of(large, dana)), large)
    pieces: list[bytes] = []
    with pytest.raises(VaultDamaged):
        pieces.extend(answer.streaming_content)
    got = b"".join(pieces)
    assert 2 * MIB < len(got) < 4 * MIB
    assert codes()[-1] == "study.download-broken"
    assert AuditEntry.objects.filter(code="vault.damaged").count() == 1
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(got))
