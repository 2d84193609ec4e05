"""Writing the trail: an act and its entry stand or fall together.

`record` must run inside the act's transaction; outside one it refuses, because an entry that outlives a
rolled-back act, or an act that outlives a lost entry, would both be lies.

Source: 45 CFR 164.312(b), audit controls; design section 6.
"""

from __future__ import annotations

import base64
import uuid
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from portal.audit.actor import Actor
from portal.audit.chain import GENESIS, next_hash
from portal.audit.events import EVENTS, OK
from portal.audit.models import AuditEntry, AuditHead
from portal.clock import expression, moment
from portal.sealed.keys import practice_key
from portal.vault.columns import seal_value
from portal.vault.encoding import canonical_json, lp
from portal.vault.keyring import derive_key

_SEAL_TABLE = "audit_event"


def record(
    code: str,
    *,
    actor: Actor,
    outcome: str = OK,
    patient: uuid.UUID | None = None,
    study: uuid.UUID | None = None,
    series: uuid.UUID | None = None,
    share: uuid.UUID | None = None,
    private: dict[str, Any] | None = None,
    **facts: Any,
) -> AuditEntry:
    """Append one entry to the actor's practice's chain, in the act's transaction.

    `private` holds what identifies people (names, addresses); it is sealed under the practice key, and the
    hash covers the ciphertext, so destroying the key never breaks the chain. `facts` are counts, ids and
    short words, stored as they are.

    Raises `KeyError` for an unknown code, `RuntimeError` outside a transaction.
    """
    EVENTS[code]
    if actor.practice is None:
        raise RuntimeError("an entry needs the practice it belongs to")
    if not connection.in_atomic_block:
        raise RuntimeError("an entry is written in the transaction of its act")
    last, previous, at = _locked_head(actor.practice)
    n = last + 1
    refs = {"patient": patient, "study": study, "series": series, "share": share}
    event = canonical_json(
        {
            "n": n,
            "at": at.isoformat(),
            "code": code,
            "outcome": outcome,
            "actor": _actor_facts(actor),
            **{name: str(value) for name, value in refs.items() if value},
            **({"facts": facts} if facts else {}),
            **_sealed_part(actor, actor.practice, n, private),
        }
    )
    digest = next_hash(actor.practice, n, previous, event)
    entry = AuditEntry.objects.create(
        practice_id=actor.practice,
        n=n,
        at=at,
        code=code,
        outcome=outcome,
        actor_id=actor.id,
        patient_id=patient,
        study_id=study,
        share_id=share,
        event=event,
        previous=previous,
        hash=digest,
    )
    AuditHead.objects.filter(practice_id=actor.practice).update(n=n, hash=digest)
    return entry


def hold(practice: uuid.UUID) -> None:
    """Make everyone else who writes to this chain wait for the end of the caller's transaction."""
    _locked_head(practice)


def record_alone(code: str, *, actor: Actor, **facts: Any) -> AuditEntry:
    """Record something that is no change of its own: a refusal, a page that was read."""
    with transaction.atomic():
        return record(code, actor=actor, **facts)


def _locked_head(practice: uuid.UUID) -> tuple[int, bytes, datetime]:
    """Where the chain stands (n, hash) and the time, in one question: each one less is one wait less in every act.

    SQLite's IMMEDIATE transactions already exclude every other writer; PostgreSQL locks the row, and asks for the time
    again when it had to wait for somebody who moved the head.
    """
    lock = "" if connection.vendor == "sqlite" else " FOR UPDATE"
    question = f"SELECT n, hash, {expression()} FROM audit_audithead WHERE practice_id = %s{lock}"  # noqa: S608 (no value in it)
    with connection.cursor() as cursor:
        cursor.execute(question, [practice.hex if connection.vendor == "sqlite" else practice])
        row = cursor.fetchone()
    if row is None:
        AuditHead.objects.get_or_create(practice_id=practice, defaults={"n": 0, "hash": GENESIS})
        return _locked_head(practice)
    n, head, answer = row
    return n, bytes(head), moment(answer)


def _actor_facts(actor: Actor) -> dict[str, str]:
    facts = {
        "kind": actor.kind,
        "id": str(actor.id) if actor.id else "",
        "role": actor.role,
        "session": actor.session,
        "method": actor.method,
    }
    return {name: value for name, value in facts.items() if value}


def sealed_aad(practice: uuid.UUID, n: int) -> bytes:
    """What binds an entry's sealed part to its place in the chain."""
    return lp(_SEAL_TABLE.encode()) + lp(practice.bytes) + n.to_bytes(8, "big")


def _sealed_part(actor: Actor, practice: uuid.UUID, n: int, private: dict[str, Any] | None) -> dict[str, str]:
    known = {"actor": actor.label, "address": actor.address, **(private or {})}
    known = {name: value for name, value in known.items() if value}
    if not known:
        return {}
    version, key = practice_key(practice)
    sealing = derive_key(key, "col", _SEAL_TABLE, "private", str(version))
    blob = seal_value(sealing, canonical_json(known), aad=sealed_aad(practice, n), version=version)
    return {"sealed": base64.b64encode(blob).decode()}
