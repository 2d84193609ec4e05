"""The trail: an act without an entry can't be, and an entry that was touched is named."""

from __future__ import annotations

import base64
import json

import pytest
from django.db import DatabaseError, connection, transaction

from portal.audit import trail
from portal.audit.actor import system
from portal.audit.guards import guard, unguard
from portal.audit.migrations import TABLES
from portal.audit.models import AuditEntry, AuditHead
from portal.audit.verify import verify
from portal.practice.models import Practice


def _write(practice: Practice, count: int) -> None:
    with transaction.atomic():
        for number in range(count):
            trail.record("patient.opened", actor=system(practice.pk), number=number)


def _tamper(sql: str, *values: object) -> None:
    unguard(connection, *TABLES)
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
    guard(connection, *TABLES)


def _n(practice: Practice) -> int:
    return AuditHead.objects.get(practice_id=practice.pk).n


def test_a_fresh_chain_verifies(smile):
    _write(smile, 20)
    verdict = verify(smile.pk)
    assert verdict.finding is None
    assert verdict.entries == _n(smile) == 21  # the practice's own first entry, and ours


def test_an_entry_outside_a_transaction_is_refused(transactional_db):
    from tests.cast import make_practice

    practice = make_practice()
    with pytest.raises(RuntimeError, match="transaction"):
        trail.record("patient.opened", actor=system(practice.pk))


def test_an_act_that_is_rolled_back_takes_its_entry_along(smile):
    before = _n(smile)

    @transaction.atomic
    def act() -> None:
        trail.record("patient.opened", actor=system(smile.pk))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act()
    assert _n(smile) == before
    assert verify(smile.pk).finding is None


def test_an_unknown_code_is_refused(smile):
    with pytest.raises(KeyError):
        trail.record("patient.eaten", actor=system(smile.pk))


@pytest.mark.parametrize("verb", ["UPDATE audit_auditentry SET code = 'x'", "DELETE FROM audit_auditentry"])
def test_the_database_refuses_to_change_an_entry(smile, verb):
    with (
        pytest.raises(DatabaseError, match="only be added to"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(verb)


def test_postgresql_refuses_truncate_even_as_a_replica(smile):
    if connection.vendor != "postgresql":
        pytest.skip("TRUNCATE and session_replication_role are PostgreSQL's")
    for statement in ("TRUNCATE audit_auditentry CASCADE", "DELETE FROM audit_auditentry"):
        with transaction.atomic(), connection.cursor() as cursor:
            point = transaction.savepoint()
            cursor.execute("SET LOCAL session_replication_role = replica")
            with pytest.raises(DatabaseError, match="only be added to"):
                cursor.execute(statement)
            transaction.savepoint_rollback(point)


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("UPDATE audit_auditentry SET code = 'share.created' WHERE n = 5", "code was changed"),
        ("UPDATE audit_auditentry SET outcome = 'failed' WHERE n = 5", "outcome was changed"),
        ("UPDATE audit_auditentry SET event = '{\"n\":5}' WHERE n = 5", "not what was hashed"),
        ("UPDATE audit_auditentry SET previous = hash WHERE n = 5", "does not follow"),
        ("DELETE FROM audit_auditentry WHERE n = 5", "missing"),
    ],
)
def test_the_first_entry_that_was_touched_is_named(smile, sql, sentence):
    _write(smile, 10)
    _tamper(sql)
    finding = verify(smile.pk).finding
    assert finding is not None
    assert finding.n == 5
    assert sentence in finding.sentence


def test_entries_cut_off_the_end_are_seen_by_the_head_and_by_an_anchor(smile):
    _write(smile, 10)
    head = AuditHead.objects.get(practice_id=smile.pk)
    anchor = {head.n: bytes(head.hash)}
    _tamper("DELETE FROM audit_auditentry WHERE n > 8")
    assert verify(smile.pk).finding.n == 9
    kept = AuditEntry.objects.get(practice_id=smile.pk, n=8)
    AuditHead.objects.filter(practice_id=smile.pk).update(n=8, hash=kept.hash)
    assert verify(smile.pk).finding is None, "without an anchor a forged head hides the cut: the stated limit"
    assert verify(smile.pk, anchor).finding.n == 9


def test_a_rewritten_chain_differs_from_its_anchor(smile):
    _write(smile, 3)
    entry = AuditEntry.objects.get(practice_id=smile.pk, n=2)
    assert verify(smile.pk, {2: bytes(32)}).finding.n == 2
    assert verify(smile.pk, {2: bytes(entry.hash)}).finding is None


def test_names_and_addresses_are_sealed_in_the_entry(smile):
    with transaction.atomic():
        entry = trail.record("patient.added", actor=system(smile.pk), private={"name": "Maria Garcia"})
    event = bytes(AuditEntry.objects.get(pk=entry.pk).event)
    assert b"Garcia" not in event
    assert b"Garcia" not in base64.b64decode(json.loads(event)["sealed"])


def test_chains_of_practices_are_apart(smile, bright):
    _write(smile, 4)
    _write(bright, 2)
    _tamper("DELETE FROM audit_auditentry WHERE n = 2 AND practice_id = %s", smile.pk.hex
            if connection.vendor == "sqlite" else smile.pk)  # fmt: skip
    assert verify(smile.pk).finding is not None
    assert verify(bright.pk).finding is None
