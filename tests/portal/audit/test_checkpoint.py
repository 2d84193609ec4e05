"""Checkpoints: made in time, delivered everywhere, and the trail held to them."""

from __future__ import annotations

import hashlib
import hmac
import stat
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from portal.audit import checkpoint, checkpoint_text, trail
from portal.audit.actor import system
from portal.audit.anchors import from_notes
from portal.audit.chain import next_hash
from portal.audit.checkpoint_key import verifier_key
from portal.audit.guards import guard, unguard
from portal.audit.migrations import TABLES
from portal.audit.models import AuditEntry, AuditHead, Checkpoint, CheckpointPlace
from portal.audit.signed_note import open_note
from portal.errors import InvalidInput, Sealed
from tests.tls_server import serving_tls


@pytest.fixture
def places(tmp_path, settings):
    """Two folders outside, and a key of its own."""
    settings.CHECKPOINT_KEY_PATH = tmp_path / "audit" / "checkpoint.key"
    settings.CHECKPOINT_PLACES = [str(tmp_path / "first"), str(tmp_path / "second")]
    return [tmp_path / "first", tmp_path / "second"]


def _write(practice, count: int) -> None:
    with transaction.atomic():
        for number in range(count):
            trail.record("patient.opened", actor=system(practice.pk), number=number)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- the text ------------------------------------------------------------------------------------------------------


def test_a_checkpoint_is_spelled_in_one_way_only():
    said = checkpoint_text.Checkpoint(
        origin="scans.example.org/scanpass/audit",
        sequence=17,
        at=datetime(2026, 11, 23, 12, tzinfo=UTC),
        previous=bytes(31) + b"\x01",
        heads={UUID(int=2): (5, b"\xaa" * 32), UUID(int=1): (1000, b"\xbb" * 32)},
    )
    text = checkpoint_text.encode(said)
    assert text.splitlines() == [
        "scanpass/audit-checkpoint/1",
        "origin scans.example.org/scanpass/audit",
        "sequence 17",
        "at 2026-11-23T12:00:00.000000+00:00",
        "previous " + "00" * 31 + "01",
        "entries 1005",
        "chain 00000000-0000-0000-0000-000000000001 1000 " + "bb" * 32,
        "chain 00000000-0000-0000-0000-000000000002 5 " + "aa" * 32,
    ]
    assert checkpoint_text.decode(text) == said
    for other in (
        text.replace("1005", "1006"),
        text.replace("sequence 17", "sequence 017"),
        text + "\n",
        "x\n",
    ):
        with pytest.raises(InvalidInput):
            checkpoint_text.decode(other)


# --- making --------------------------------------------------------------------------------------------------------


def test_one_is_made_after_ten_minutes_or_a_thousand_entries_and_not_before(smile, places, clock):
    checkpoint.sweep_checkpoints()
    _write(smile, 3)
    checkpoint.sweep_checkpoints()
    assert Checkpoint.objects.count() == 1, "three entries in no time are not yet enough"
    clock.advance(minutes=10)
    checkpoint.sweep_checkpoints()
    assert Checkpoint.objects.count() == 2
    clock.advance(minutes=30)
    checkpoint.sweep_checkpoints()
    assert Checkpoint.objects.count() == 2, "nothing was written since"
    AuditHead.objects.filter(practice_id=smile.pk).update(n=5000)
    checkpoint.sweep_checkpoints()
    assert Checkpoint.objects.count() == 3
    assert _names(places[0]) == _names(places[1]) == [f"00000000{n}.checkpoint" for n in (1, 2, 3)]


def test_entries_that_vanish_are_news_too(smile, places, clock):
    checkpoint.sweep_checkpoints()
    AuditHead.objects.filter(practice_id=smile.pk).update(n=0)
    clock.advance(minutes=11)
    assert checkpoint.is_due()


def test_a_checkpoint_names_every_head_and_the_one_before_it(smile, bright, places):
    first, _ = checkpoint.make(), _write(smile, 2)
    second = checkpoint.make()
    key = verifier_key(places[0].parent / "audit" / "checkpoint.key")
    said = checkpoint_text.decode(open_note(second.note, key))
    assert said.previous == checkpoint_text.digest(first.note)
    heads = {head.practice_id: (head.n, bytes(head.hash)) for head in AuditHead.objects.all()}
    assert said.heads == heads
    assert {smile.pk, bright.pk} <= set(heads)


def test_a_checkpoint_row_can_only_be_added(smile, places):
    checkpoint.make()
    for verb in ("UPDATE audit_checkpoint SET note = 'x'", "DELETE FROM audit_checkpoint"):
        with (
            pytest.raises(DatabaseError, match="only be added to"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(verb)


# --- the key -------------------------------------------------------------------------------------------------------


def test_the_key_is_its_owners_alone_and_refused_when_it_is_open_to_others(smile, places, settings):
    checkpoint.make()
    path = settings.CHECKPOINT_KEY_PATH
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(Sealed, match="0600"):
        checkpoint.make()


def test_a_damaged_key_is_never_replaced(smile, places, settings):
    checkpoint.make()
    settings.CHECKPOINT_KEY_PATH.write_text("PRIVATE+KEY+half")
    with pytest.raises(Sealed, match="can't be read"):
        checkpoint.make()


def test_where_the_key_is_another_users_the_sweep_leaves_checkpoints_to_them(smile, places, monkeypatch):
    def refused(*args, **named):
        raise PermissionError

    monkeypatch.setattr(checkpoint, "signing_key", refused)
    checkpoint.sweep_checkpoints()
    assert not Checkpoint.objects.exists()


# --- the places ----------------------------------------------------------------------------------------------------


def test_a_place_that_was_away_catches_up_and_keeps_nobody_waiting(smile, places, clock):
    places[1].write_text("a file where the folder belongs")
    for _ in range(3):
        _write(smile, 1)
        checkpoint.make()
    checkpoint.sweep_checkpoints()
    assert len(_names(places[0])) == 3
    assert "can't be written" in CheckpointPlace.objects.get(name=f"folder {places[1]}").failure
    places[1].unlink()
    checkpoint.sweep_checkpoints()
    assert not places[1].exists(), "a place that refused is left alone for a minute"
    clock.advance(seconds=61)
    checkpoint.sweep_checkpoints()
    assert len(_names(places[1])) == 3
    assert CheckpointPlace.objects.get(name=f"folder {places[1]}").failure == ""


def test_a_folder_never_writes_over_another_checkpoint(smile, places):
    places[0].mkdir()
    (places[0] / "000000001.checkpoint").write_text("somebody else's")
    checkpoint.make()
    checkpoint.sweep_checkpoints()
    assert (places[0] / "000000001.checkpoint").read_text() == "somebody else's"
    assert "another checkpoint" in CheckpointPlace.objects.get(name=f"folder {places[0]}").failure


class _Receiver(BaseHTTPRequestHandler):
    status = 204

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), body))  # type: ignore[attr-defined]
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Nothing: the test's output stays its own."""


def test_an_https_address_gets_the_note_signed_under_the_shared_secret(
    smile, places, settings, tmp_path, monkeypatch
):
    settings.CHECKPOINT_SECRET_PATH = tmp_path / "secret"
    settings.CHECKPOINT_SECRET_PATH.write_text("shared\n")
    with serving_tls(_Receiver, tmp_path, monkeypatch) as server:
        settings.CHECKPOINT_PLACES = [f"https://localhost:{server.server_port}/scanpass?door=7"]
        made = checkpoint.make()
        checkpoint.sweep_checkpoints()
        checkpoint.sweep_checkpoints()
    [(path, headers, body)] = server.received
    assert (path, body.decode(), headers["Scanpass-Sequence"]) == ("/scanpass?door=7", made.note, "1")
    at, digest = (part.partition("=")[2] for part in headers["Scanpass-Signature"].split(","))
    assert digest == hmac.new(b"shared", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert "door" not in CheckpointPlace.objects.get().name, "a path may hold a secret of the receiver's"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://localhost:9/x", "can't be reached"),
        ("http://localhost/x", "folders and https addresses only"),
    ],
)
def test_what_can_not_be_reached_or_is_not_https_is_said(smile, places, settings, tmp_path, address, words):
    settings.CHECKPOINT_SECRET_PATH = tmp_path / "secret"
    settings.CHECKPOINT_SECRET_PATH.write_text("shared\n")
    settings.CHECKPOINT_PLACES = [address]
    checkpoint.make()
    with pytest.raises(CommandError, match="tried again"):
        call_command("checkpoint", "--if-due")
    assert words in CheckpointPlace.objects.get().failure


def test_a_receiver_nobody_can_trust_gets_nothing(smile, places, settings, tmp_path, monkeypatch):
    settings.CHECKPOINT_SECRET_PATH = tmp_path / "secret"
    settings.CHECKPOINT_SECRET_PATH.write_text("shared\n")
    with serving_tls(_Receiver, tmp_path, monkeypatch) as server:
        monkeypatch.delenv("SSL_CERT_FILE")
        settings.CHECKPOINT_PLACES = [f"https://localhost:{server.server_port}/"]
        checkpoint.make()
        checkpoint.sweep_checkpoints()
    assert server.received == []
    assert "SSLCertVerificationError" in CheckpointPlace.objects.get().failure


# --- holding the trail to them -------------------------------------------------------------------------------------


def _rewrite_from(practice, n: int) -> None:
    """What a thief of the database does: one entry changed, all behind it computed anew, the head too."""
    unguard(connection, *TABLES)
    rows = AuditEntry.objects.filter(practice_id=practice.pk)
    previous = bytes(rows.get(n=n).previous)
    for entry in rows.filter(n__gte=n).order_by("n"):
        event = (
            bytes(entry.event).replace(b'"number":1', b'"number":7') if entry.n == n else bytes(entry.event)
        )
        digest = next_hash(practice.pk, entry.n, previous, event)
        rows.filter(n=entry.n).update(event=event, previous=previous, hash=digest)
        previous = digest
    AuditHead.objects.filter(practice_id=practice.pk).update(hash=previous)
    guard(connection, *TABLES)


def test_r7_a_trail_that_was_computed_anew_is_held_to_the_checkpoints_outside(smile, places, capsys):
    checkpoint.make()
    _write(smile, 4)
    checkpoint.make()
    _write(smile, 4)
    checkpoint.make()
    checkpoint.sweep_checkpoints()
    _rewrite_from(smile, 3)
    unguard(connection, *TABLES)
    Checkpoint.objects.all().delete()
    guard(connection, *TABLES)
    call_command("verify_audit")
    assert "BAD" not in capsys.readouterr().out, "without the notes it holds together in itself"
    with pytest.raises(CommandError, match="was changed"):
        call_command("verify_audit", "--anchor", str(places[0]))
    assert "BAD at entries 2 to 5" in capsys.readouterr().out


def test_the_databases_own_notes_are_used_without_being_asked_for(smile, places, capsys):
    _write(smile, 4)
    checkpoint.make()
    _rewrite_from(smile, 3)
    with pytest.raises(CommandError, match="was changed"):
        call_command("verify_audit")
    assert "BAD at entries 1 to 5" in capsys.readouterr().out


def test_an_auditor_needs_the_note_and_the_printed_key_alone(smile, places, settings, tmp_path, capsys):
    checkpoint.make()
    checkpoint.sweep_checkpoints()
    call_command("checkpoint", "--key")
    printed = capsys.readouterr().out.strip()
    settings.CHECKPOINT_KEY_PATH = tmp_path / "nowhere" / "checkpoint.key"
    note = str(places[1] / "000000001.checkpoint")
    call_command("verify_audit", "--anchor", note, "--key", printed)
    assert "held to 1 noted points" in capsys.readouterr().out
    with pytest.raises(CommandError, match="--key"):
        call_command("verify_audit", "--anchor", note)


def test_r8_after_a_restore_the_witnesses_go_on_and_both_keys_verify(
    smile, places, settings, tmp_path, clock, capsys
):
    """The backup is of entry 1; the machine before wrote on, and its places and its key outlived it."""
    checkpoint.make()
    checkpoint.sweep_checkpoints()
    before = str(verifier_key(settings.CHECKPOINT_KEY_PATH))
    for place in places:
        (place / "000000002.checkpoint").write_text("written after the backup, and unknown here")
    settings.CHECKPOINT_KEY_PATH = tmp_path / "new" / "checkpoint.key"
    clock.advance(hours=1)
    trail.record_alone("backup.restored", actor=system(smile.pk))
    clock.advance(minutes=1)
    checkpoint.sweep_checkpoints()
    newest = Checkpoint.objects.latest("sequence")
    assert newest.sequence > 1_000_000_000
    assert all((place / f"{newest.sequence}.checkpoint").read_text() == newest.note for place in places)
    assert not CheckpointPlace.objects.exclude(failure="").exists()
    capsys.readouterr()
    call_command("verify_audit")
    said = capsys.readouterr().out
    assert "1 checkpoints in the database are of another key" in said
    assert "held to 1 noted points" in said
    call_command("verify_audit", "--key", before, "--anchor", str(places[0] / "000000001.checkpoint"))
    assert "held to 2 noted points" in capsys.readouterr().out
    _write(smile, 3)
    clock.advance(minutes=11)
    assert checkpoint.make().sequence == newest.sequence + 1


def test_an_anchor_that_holds_nothing_is_refused(smile, places, tmp_path):
    checkpoint.make()
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match="No checkpoint can be read"):
        call_command("verify_audit", "--anchor", str(tmp_path / "empty"))


def test_what_a_restore_has_lost_is_told_beside_what_is_missed(smile, places, capsys):
    trail.record_alone("backup.restored", actor=system(smile.pk))
    with pytest.raises(CommandError, match="was changed"):
        call_command("verify_audit", "--practice", str(smile.pk), "--anchor", f"9:{'ab' * 32}")
    assert "Entry 2 is a restore" in capsys.readouterr().out


def test_a_forged_note_and_two_stories_of_one_number_are_refused(smile, places):
    first = checkpoint.make()
    key = verifier_key(places[0].parent / "audit" / "checkpoint.key")
    _write(smile, 1)
    second = checkpoint.make()
    with pytest.raises(InvalidInput, match="changed after it was signed"):
        from_notes([first.note.replace("sequence 1", "sequence 2")], key)
    unguard(connection, *TABLES)
    Checkpoint.objects.filter(sequence=2).delete()
    guard(connection, *TABLES)
    _write(smile, 1)
    other = checkpoint.make()
    with pytest.raises(InvalidInput, match="two different checkpoints 2"):
        from_notes([first.note, second.note, other.note], key)
    assert from_notes([first.note, second.note, second.note], key)[smile.pk].keys() == {1, 2}


def test_a_whole_practice_that_vanished_is_missed(smile, bright, places, capsys):
    checkpoint.make()
    unguard(connection, *TABLES)
    AuditEntry.objects.filter(practice_id=bright.pk).delete()
    AuditHead.objects.filter(practice_id=bright.pk).delete()
    guard(connection, *TABLES)
    with pytest.raises(CommandError):
        call_command("verify_audit")
    assert f"{bright.pk}  BAD at entry 1: the chain ends at 0" in capsys.readouterr().out
