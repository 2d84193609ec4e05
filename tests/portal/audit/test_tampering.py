"""A thousand ways to touch the trail, drawn by seed: each is found at the entry that was touched."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Barrier, Thread
from time import process_time

import pytest
from django.db import DatabaseError, connection, transaction

from portal.audit import trail
from portal.audit.actor import system
from portal.audit.chain import next_hash
from portal.audit.guards import guard, unguard
from portal.audit.migrations import TABLES
from portal.audit.models import AuditEntry, AuditHead
from portal.audit.verify import verify
from portal.vault.encoding import canonical_json
from tests.cast import make_practice

ENTRIES = 40
QUICK, ALL = range(60), range(60, 1000)


def _write(practice, count: int) -> None:
    with transaction.atomic():
        for number in range(count):
            trail.record("patient.opened", actor=system(practice.pk), patient=practice.pk, number=number)


def _write_at_once(practice, count: int) -> None:
    """As `trail.record` would, in one go: one by one they take most of a minute."""
    _write(practice, 1)
    last = AuditEntry.objects.filter(practice_id=practice.pk).latest("n")
    event, previous, rows = json.loads(bytes(last.event)), bytes(last.hash), []
    for n in range(last.n + 1, last.n + 1 + count):
        raw = canonical_json({**event, "n": n})
        digest = next_hash(practice.pk, n, previous, raw)
        facts = {"at": last.at, "code": last.code, "outcome": last.outcome, "patient_id": last.patient_id}
        rows.append(
            AuditEntry(practice_id=practice.pk, n=n, event=raw, previous=previous, hash=digest, **facts)
        )
        previous = digest
    AuditEntry.objects.bulk_create(rows, batch_size=1000)
    AuditHead.objects.filter(practice_id=practice.pk).update(n=rows[-1].n, hash=previous)


@contextmanager
def _undone() -> Iterator[None]:
    """What is done in it is taken back at its end."""
    point = transaction.savepoint()
    yield
    transaction.savepoint_rollback(point)


def _flip_a_bit(chance: random.Random, blob: bytes) -> bytes:
    place = chance.randrange(len(blob) * 8)
    changed = bytearray(blob)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def _tamper(chance: random.Random, entry: AuditEntry) -> None:
    """Touch one entry in one way."""
    row = AuditEntry.objects.filter(pk=entry.pk)
    column = chance.choice(["event", "previous", "hash", "code", "outcome", "at", "actor_id", "patient_id",
                            "study_id", "share_id", "n", "gone"])  # fmt: skip
    if column == "gone":
        row.delete()
    elif column in {"event", "previous", "hash"}:
        row.update(**{column: _flip_a_bit(chance, bytes(getattr(entry, column)))})
    elif column in {"code", "outcome"}:
        row.update(**{column: "x"})
    elif column == "at":
        row.update(at=entry.at.replace(microsecond=(entry.at.microsecond + 1000) % 1_000_000))
    elif column == "n":
        row.update(n=entry.n + 1000)
    else:
        row.update(**{column: entry.practice_id if column != "patient_id" else None})


def _each_is_found(practice, seeds: range) -> None:
    _write(practice, ENTRIES)
    entries = list(AuditEntry.objects.filter(practice_id=practice.pk, n__gt=1).order_by("n"))
    unguard(connection, *TABLES)
    for seed in seeds:
        chance = random.Random(seed)
        entry = chance.choice(entries)
        with _undone():
            _tamper(chance, entry)
            finding = verify(practice.pk).finding
            assert finding is not None, seed
            assert finding.n == entry.n, (seed, finding.sentence)
    guard(connection, *TABLES)
    assert verify(practice.pk).finding is None


def test_each_of_sixty_tamperings_is_found_where_it_was_done(smile):
    _each_is_found(smile, QUICK)


@pytest.mark.slow
def test_each_of_a_thousand_tamperings_is_found_where_it_was_done(smile):
    _each_is_found(smile, ALL)


@pytest.mark.parametrize(
    "change",
    [
        "n = 'three'",
        "at = 'never'",
        "at = 5",
        "event = 'text'",
        "hash = 'text'",
        "actor_id = 'text'",
        "code = x'00'",
    ],
)
def test_a_value_of_the_wrong_kind_is_found_and_does_not_end_the_walk(smile, change):
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite lets any value into any column")
    _write(smile, 5)
    unguard(connection, *TABLES)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE audit_auditentry SET {change} WHERE n = 3")
    assert verify(smile.pk).finding.n == 3


def test_a_whole_new_chain_of_nonsense_is_found_by_its_content(smile):
    """Whoever computes the hashes anew still has to write events that say what the columns say."""
    from portal.audit.chain import GENESIS, next_hash

    unguard(connection, *TABLES)
    AuditEntry.objects.filter(practice_id=smile.pk, n__gt=1).delete()
    for event in (b"[]", b"not json", b"{}", b'{"n":1,"at":"x","code":"","outcome":"","actor":{}}'):
        digest = next_hash(smile.pk, 1, GENESIS, event)
        AuditEntry.objects.filter(practice_id=smile.pk, n=1).update(
            event=event, previous=GENESIS, hash=digest
        )
        AuditHead.objects.filter(practice_id=smile.pk).update(n=1, hash=digest)
        assert verify(smile.pk).finding.n == 1


def test_replacing_an_entry_is_refused_like_changing_it(smile):
    if connection.vendor != "sqlite":
        pytest.skip("INSERT OR REPLACE is SQLite's")
    _write(smile, 3)
    with (
        pytest.raises(DatabaseError, match="only be added to"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("INSERT OR REPLACE INTO audit_auditentry SELECT * FROM audit_auditentry WHERE n = 2")


def test_twenty_who_write_at_once_leave_one_chain_without_a_gap(transactional_db):
    practice, start = make_practice(), Barrier(20)

    def write() -> None:
        start.wait()
        for _ in range(5):
            trail.record_alone("patient.opened", actor=system(practice.pk))
        connection.close()

    threads = [Thread(target=write) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = AuditEntry.objects.filter(practice_id=practice.pk).order_by("n").values_list("n", flat=True)
    assert list(numbers) == list(range(1, 102))
    assert verify(practice.pk).finding is None


def test_a_chain_that_grows_while_it_is_read_is_sound(transactional_db, monkeypatch):
    from portal.audit import verify as verifying

    practice = make_practice()
    _write(practice, 10)
    rows = verifying._rows

    def growing(of):
        found = list(rows(of))
        _write(practice, 3)  # after the walk has read its last row, before it asks where the head stands
        return found

    monkeypatch.setattr(verifying, "_rows", growing)
    verdict = verify(practice.pk)
    assert (verdict.finding, verdict.entries) == (None, 11)


@pytest.mark.slow
def test_a_hundred_thousand_entries_are_verified(smile, record_property):
    _write_at_once(smile, 100_000)
    started = process_time()
    verdict = verify(smile.pk)
    assert verdict.finding is None
    assert verdict.entries > 100_000
    record_property("entries_per_cpu_second", round(100_000 / (process_time() - started)))
