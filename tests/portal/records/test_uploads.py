"""Uploads: opened on a chart, filled in sealed parts, finished or given up."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from portal.accounts.models import Role, User
from portal.audit.models import AuditEntry
from portal.errors import Conflict, InvalidInput, Sealed
from portal.jobs.models import Job
from portal.practice.models import Practice
from portal.records import receive as receiving
from portal.records.models import Patient, Upload, UploadedFile, UploadPart
from portal.records.receive import announce, receive
from portal.records.spool import open_spooled
from portal.records.uploads import discard_upload, finish_upload, start_upload, sweep_abandoned
from portal.records.vault import spool
from portal.sealed.keys import forget_keys
from portal.sealed.models import StudyKey
from tests.cast import actor_of, make_patient, make_practice, make_staff, signed_in

MIB = 1 << 20
TUS = {"Tus-Resumable": "1.0.0", "Accept": "application/json"}
BYTES = "application/offset+octet-stream"


def named(name: str) -> str:
    """`Upload-Metadata` with a file name."""
    return "filename " + base64.b64encode(name.encode()).decode()


def opened(client: Client, patient: Patient) -> dict[str, str]:
    """An upload opened over HTTP."""
    answer = client.post(f"/desk/patients/{patient.pk}/uploads", headers=TUS)
    assert answer.status_code == 201, answer.content
    return answer.json()


def create(client: Client, upload: dict[str, str], name: str, length: int, first: bytes = b"") -> Any:
    """Announce a file, with its first bytes when there are any."""
    headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": named(name)}
    return client.post(upload["files"], data=first, content_type=BYTES, headers=headers)


def patch(client: Client, location: str, offset: int, body: bytes) -> Any:
    """Send the next bytes."""
    headers = {**TUS, "Upload-Offset": str(offset)}
    return client.patch(location, data=body, content_type=BYTES, headers=headers)


def bytes_of(upload_id: str) -> bytes:
    """What the (one) file of an upload holds in plain."""
    return open_spooled(UploadedFile.objects.get(upload_id=upload_id)).read()


@pytest.fixture
def client(dana: User) -> Client:
    return signed_in(dana)


@pytest.fixture
def upload(client: Client, pat: Patient) -> dict[str, str]:
    return opened(client, pat)


def test_a_file_arrives_in_pieces_and_reads_as_one(client: Client, upload: dict[str, str]) -> None:
    plain = os.urandom(2 * MIB + 5000)
    location = create(client, upload, "IM1", len(plain), plain[:1000]).headers["Location"]
    assert patch(client, location, 1000, plain[1000 : MIB + 7]).headers["Upload-Offset"] == str(MIB + 7)
    standing = client.head(location, headers=TUS)
    assert (standing.headers["Upload-Offset"], standing.headers["Upload-Length"]) == (
        str(MIB + 7),
        str(len(plain)),
    )
    assert patch(client, location, MIB + 7, plain[MIB + 7 :]).status_code == 204
    assert bytes_of(upload["id"]) == plain
    file = open_spooled(UploadedFile.objects.get())
    file.seek(MIB - 3)
    assert file.read(5000) == plain[MIB - 3 : MIB + 4997]


def test_the_spool_and_the_database_hold_nothing_in_plain(
    client: Client, upload: dict[str, str], pat: Patient
) -> None:
    plain = (b"\0" * 128 + b"DICM" + b"PLANTED-IN-PIXELS " * 4000) * 20
    create(client, upload, "Garcia_Maria/IM1.dcm", len(plain), plain)
    stored = b"".join(path.read_bytes() for path in Path(settings.SPOOL_DIR).rglob("*") if path.is_file())
    assert len(stored) > len(plain)
    assert b"DICM" not in stored
    assert b"PLANTED" not in stored
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM records_uploadedfile")
        assert "Garcia" not in repr(cursor.fetchall())


@pytest.mark.parametrize(
    ("offset", "body", "status"),
    [(5, b"x", 409), (0, b"x" * 101, 413), (10, b"x" * 100, 413), (0, b"x" * 100, 204)],
)
def test_bytes_at_a_wrong_place_or_too_many_are_refused(
    client: Client, upload: dict[str, str], offset: int, body: bytes, status: int
) -> None:
    location = create(client, upload, "a", 100).headers["Location"]
    if offset == 10:
        patch(client, location, 0, b"y" * 10)
    assert patch(client, location, offset, body).status_code == status


def test_more_bytes_than_announced_are_refused_without_a_content_length(
    smile: Practice, pat: Patient
) -> None:
    upload = start_upload(pat, actor=actor_of(make_staff(smile, Role.FRONT_DESK)))
    file = announce(upload, name="a", length=10)
    pieces = [b"x" * 8, b"x" * 8, b""]
    with pytest.raises(receiving.TooLarge):
        receive(file, lambda _: pieces.pop(0), offset=0, announced=None)
    assert UploadedFile.objects.get().offset == 0


def test_a_cut_connection_keeps_what_came(smile: Practice, pat: Patient) -> None:
    upload = start_upload(pat, actor=actor_of(make_staff(smile, Role.FRONT_DESK)))
    plain = os.urandom(MIB + 300_000)
    file = announce(upload, name="a", length=len(plain) * 2)
    position = 0

    def read(limit: int) -> bytes:
        nonlocal position
        if position >= len(plain):
            raise OSError("connection reset")
        piece = plain[position : position + limit]
        position += len(piece)
        return piece

    assert receive(file, read, offset=0, announced=len(plain) * 2) == len(plain)
    assert bytes_of(str(upload.pk)) == plain


def test_wrong_words_of_the_protocol_are_refused(client: Client, upload: dict[str, str]) -> None:
    location = create(client, upload, "a", 4).headers["Location"]
    assert client.head(location, headers={**TUS, "Tus-Resumable": "0.2"}).status_code == 412
    form = {**TUS, "Upload-Offset": "0"}
    assert client.patch(location, data=b"a=b", content_type="text/plain", headers=form).status_code == 415
    assert client.patch(location, data=b"abcd", content_type=BYTES, headers=TUS).status_code == 400
    for length in ("-1", "1.5", "", "9" * 16, "٣"):
        headers = {**TUS, "Upload-Length": length.encode().decode("latin-1")}
        assert client.post(upload["files"], content_type=BYTES, headers=headers).status_code == 400
    huge = {**TUS, "Upload-Length": str(settings.UPLOAD_FILE_MAX_BYTES + 1)}
    assert client.post(upload["files"], content_type=BYTES, headers=huge).status_code == 413
    bad_name = {**TUS, "Upload-Length": "1", "Upload-Metadata": "filename %%%"}
    assert client.post(upload["files"], content_type=BYTES, headers=bad_name).status_code == 400
    assert (
        client.options(upload["files"]).headers["Tus-Extension"]
        == "creation,creation-with-upload,termination"
    )


def test_a_full_disk_is_said_and_loses_nothing(
    client: Client, upload: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = os.urandom(3000)
    location = create(client, upload, "a", 3000, plain[:1000]).headers["Location"]
    with monkeypatch.context() as full:
        full.setattr(settings, "RESERVED_DISK_BYTES", 1 << 60)
        refusal = patch(client, location, 1000, plain[1000:])
        assert refusal.status_code == 507
        assert "disk is full" in refusal.json()["detail"]
    assert patch(client, location, 1000, plain[1000:]).status_code == 204
    assert bytes_of(upload["id"]) == plain


def test_finishing_twice_queues_one_job(client: Client, upload: dict[str, str]) -> None:
    create(client, upload, "a", 4, b"abcd")
    for _ in range(2):
        answer = client.post(upload["finish"], headers=TUS)
        assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    assert Job.objects.filter(kind="ingest", subject_id=upload["id"]).count() == 1
    assert create(client, upload, "late", 4).status_code == 409
    assert client.get(upload["status"]).json()["sentence"] == "The images are being read and sealed."


def test_an_upload_is_finished_only_when_every_file_is_whole(client: Client, upload: dict[str, str]) -> None:
    assert client.post(upload["finish"], headers=TUS).status_code == 400
    location = create(client, upload, "a", 4, b"ab").headers["Location"]
    assert client.post(upload["finish"], headers=TUS).status_code == 409
    create(client, upload, "b", 4, b"abcd")
    assert client.delete(location, headers=TUS).status_code == 204
    assert client.head(location, headers=TUS).status_code == 404
    assert client.post(upload["finish"], headers=TUS).status_code == 202


def test_a_discarded_upload_leaves_no_key_and_no_byte(client: Client, upload: dict[str, str]) -> None:
    create(client, upload, "a", 4, b"abcd")
    blob = UploadPart.objects.get().blob
    assert client.delete(upload["status"], headers=TUS).status_code == 204
    forget_keys()
    assert not StudyKey.objects.exists()
    assert not UploadPart.objects.exists()
    assert not spool().exists(blob)
    assert AuditEntry.objects.filter(code="upload.discarded").count() == 1
    assert create(client, upload, "b", 4).status_code == 409


def test_an_upload_abandoned_for_a_day_is_swept(
    smile: Practice, pat: Patient, dana: User, clock: Any
) -> None:
    old, fresh = (start_upload(pat, actor=actor_of(dana)) for _ in range(2))
    file = announce(old, name="a", length=10)
    receive(file, _once(b"abc"), offset=0, announced=3)
    clock.advance(hours=23)
    announce(fresh, name="b", length=10)
    clock.advance(hours=2)
    sweep_abandoned()
    old.refresh_from_db()
    fresh.refresh_from_db()
    assert (old.state, fresh.state) == (Upload.State.DISCARDED, Upload.State.RECEIVING)
    assert not UploadPart.objects.filter(file__upload=old).exists()
    file.refresh_from_db()
    with pytest.raises(Sealed):
        receive(file, _once(b"x"), offset=3, announced=1)


def _once(body: bytes) -> receiving.Read:
    """A connection that gives `body` and ends."""
    pieces = [body, b""]
    return lambda _: pieces.pop(0)


def test_what_failed_for_good_can_be_queued_again(smile: Practice, pat: Patient, dana: User) -> None:
    upload = start_upload(pat, actor=actor_of(dana))
    receive(announce(upload, name="a", length=3), _once(b"abc"), offset=0, announced=3)
    finish_upload(upload, actor=actor_of(dana))
    Job.objects.update(state=Job.State.FAILED, failure="The disk is full.")
    sweep_abandoned()
    upload.refresh_from_db()
    assert upload.state == Upload.State.FAILED
    assert finish_upload(upload, actor=actor_of(dana)).state == Upload.State.WAITING
    assert Job.objects.filter(state=Job.State.QUEUED).count() == 1
    with pytest.raises(Conflict):
        discard_upload(upload, actor=actor_of(dana))


def test_nothing_sent_is_nothing_to_finish(smile: Practice, pat: Patient, dana: User) -> None:
    upload = start_upload(pat, actor=actor_of(dana))
    with pytest.raises(InvalidInput):
        finish_upload(upload, actor=actor_of(dana))
    upload.refresh_from_db()
    assert upload.state == Upload.State.RECEIVING


def test_mallory_finds_no_upload(client: Client, upload: dict[str, str], mallory: User, pat: Patient) -> None:
    location = create(client, upload, "a", 4).headers["Location"]
    other = signed_in(mallory)
    assert other.post(f"/desk/patients/{pat.pk}/uploads", headers=TUS).status_code == 404
    assert create(other, upload, "x", 4).status_code == 404
    assert patch(other, location, 0, b"abcd").status_code == 404
    assert other.head(location, headers=TUS).status_code == 404
    assert other.delete(location, headers=TUS).status_code == 404
    assert other.get(upload["status"]).status_code == 404
    assert other.delete(upload["status"]).status_code == 404
    assert other.post(upload["finish"], headers=TUS).status_code == 404
    own = opened(other, make_patient(mallory.memberships.get().practice))
    assert patch(other, location.replace(upload["id"], own["id"]), 0, b"abcd").status_code == 404


def test_a_role_that_may_not_upload_is_refused(olga: User, pat: Patient) -> None:
    answer = signed_in(olga).post(f"/desk/patients/{pat.pk}/uploads", headers=TUS)
    assert answer.status_code == 403
    assert (
        Client(headers={"host": "127.0.0.1"})
        .post(f"/desk/patients/{pat.pk}/uploads", headers=TUS)
        .status_code
        == 401
    )


def test_the_token_of_the_page_is_required(dana: User, pat: Patient) -> None:
    browser = signed_in(dana)
    browser.handler.enforce_csrf_checks = True
    assert browser.post(f"/desk/patients/{pat.pk}/uploads", headers=TUS).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_of_two_that_send_the_same_bytes_one_wins() -> None:
    practice = make_practice()
    user = make_staff(practice, Role.FRONT_DESK)
    client = signed_in(user)
    upload = opened(client, make_patient(practice))
    location = create(client, upload, "a", 100_000).headers["Location"]
    cookies, answers = client.cookies, []
    start = threading.Barrier(8)

    def send(fill: int) -> None:
        browser = Client(headers={"host": "127.0.0.1"})
        browser.cookies = cookies
        try:
            start.wait()
            answers.append((patch(browser, location, 0, bytes([fill]) * 100_000).status_code, fill))
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(fill,)) for fill in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in answers) == [204] + [409] * 7
    winner = next(fill for status, fill in answers if status == 204)
    assert bytes_of(upload["id"]) == bytes([winner]) * 100_000
    assert UploadPart.objects.filter(file__upload_id=upload["id"]).count() == 1


@pytest.mark.django_db(transaction=True)
def test_tuspy_uploads_and_resumes(live_server: Any, tmp_path: Path) -> None:
    from tusclient.client import TusClient

    practice = make_practice()
    browser = signed_in(make_staff(practice, Role.FRONT_DESK))
    upload = opened(browser, make_patient(practice))
    plain = os.urandom(3 * MIB + 17)
    path = tmp_path / "scan.zip"
    path.write_bytes(plain)
    token = "a" * 32
    cookies = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}; csrftoken={token}"
    client = TusClient(
        live_server.url + upload["files"],
        headers={"Cookie": cookies, "X-CSRFToken": token, "Host": "127.0.0.1"},
    )
    with path.open("rb") as stream:
        first = client.uploader(file_stream=stream, chunk_size=MIB, metadata={"filename": "scan.zip"})
        first.upload_chunk()
        again = client.uploader(file_stream=stream, chunk_size=700_000, url=first.url)
        assert again.get_offset() == MIB
        again.upload()
    assert hashlib.sha256(bytes_of(upload["id"])).digest() == hashlib.sha256(plain).digest()
    assert json.loads(browser.get(upload["status"]).content)["files_done"] == 1
