"""Destroying a study: two people, one transaction, a certificate.

The key goes, and with it every copy of the images, wherever it lies. Backups keep the key's slot in a set of their own
for 35 days; after that the destruction is final, and the certificate says on which day. The record keeps that there
was a study, to whom it was disclosed, and why it was destroyed.

Source: NIST SP 800-88 revision 2 (cryptographic erase); 45 CFR 164.310(d)(2)(i); OWASP ASVS 5.0, 2.3.5.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from portal.accounts.models import User
from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import AccessDenied, Conflict, NotFound
from portal.records.models import Patient, Study, VaultPack
from portal.records.retention_rows import LegalHold
from portal.records.rights import AccessRequest
from portal.records.shredding_rows import Shredding
from portal.records.vault import vault
from portal.sealed.keys import shred_study_key

State = Shredding.State


def get_study(practice: UUID, study_id: UUID) -> Study:
    """A stored study of the practice. Raises NotFound."""
    study = Study.objects.select_related("patient").filter(
        practice_id=practice, pk=study_id, state=Study.State.STORED
    )
    found = study.first()
    if found is None:
        raise NotFound
    return found


def get_shredding(practice: UUID, shredding_id: UUID) -> Shredding:
    """A wish of the practice, whatever became of it. Raises NotFound."""
    rows = Shredding.objects.select_related("study__patient", "asked_by", "decided_by")
    found = rows.filter(practice_id=practice, pk=shredding_id).first()
    if found is None:
        raise NotFound
    return found


def shreddings_of(practice: UUID) -> list[Shredding]:
    """Those that wait first, then the others, the newest first."""
    rows = Shredding.objects.select_related("study__patient", "asked_by", "decided_by")
    return list(rows.filter(practice_id=practice).order_by("state", "-asked_at")[:200])


def ask(study: Study, *, reason: str, actor: Actor) -> Shredding:
    """Ask for the destruction; nothing is destroyed yet. Raises Conflict when somebody has asked already."""
    if study.practice_id != actor.practice or actor.id is None:
        raise NotFound
    _refuse_while_needed(study)
    wish = Shredding(
        practice_id=study.practice_id, study=study, reason=reason, asked_by_id=actor.id, asked_at=now()
    )
    try:
        with transaction.atomic():
            wish.save(force_insert=True)
            trail.record(
                "study.shredding-asked", actor=actor, patient=study.patient_id, study=study.pk,
                private={"reason": reason},
            )  # fmt: skip
    except IntegrityError:
        raise Conflict("Somebody has asked for this already.") from None
    return wish


def withdraw(wish: Shredding, *, actor: Actor) -> None:
    """Take the wish back, or refuse it; either may. Raises Conflict when it was decided already."""
    with transaction.atomic():
        _decide(wish, State.WITHDRAWN, actor)
        trail.record(
            "study.shredding-withdrawn", actor=actor, patient=wish.study.patient_id, study=wish.study_id
        )


def shred(wish: Shredding, *, actor: Actor) -> Shredding:
    """Destroy the study's key, in the caller's transaction with what else must end; files go once it is committed.

    Raises AccessDenied for whoever asked, Conflict when it was decided already or a copy is owed to the patient.
    """
    if wish.asked_by_id == actor.id:
        raise AccessDenied("Destroying images takes two people: somebody else has to agree.")
    study = wish.study
    with transaction.atomic():
        # The lock that placing a legal hold takes too: of the two, the second sees the first.
        Patient.objects.select_for_update(no_key=True).get(pk=study.patient_id)
        _refuse_while_needed(study)
        _decide(wish, State.DONE, actor)
        if not Study.objects.filter(pk=study.pk, state=Study.State.STORED).update(state=Study.State.DELETED):
            raise Conflict("These images are gone already.")
        slots = shred_study_key(study.practice_id, study.pk)
        packs = list(VaultPack.objects.filter(study=study).values_list("name", flat=True))
        VaultPack.objects.filter(study=study).delete()
        entry = trail.record(
            "study.shredded", actor=actor, patient=study.patient_id, study=study.pk,
            private={"reason": wish.reason}, key_slots=slots, packs=len(packs), files=study.file_count,
            bytes=study.length_bytes, manifest_sha256=study.manifest_sha256,
        )  # fmt: skip
        wish.refresh_from_db()
        wish.certificate = {
            **_facts(wish, slots, len(packs)),
            "entry": entry.n,
            "entry_hash": entry.hash.hex(),
        }
        wish.save(update_fields=["certificate"])
    # A crash before this leaves packs without a row; the sweep of leftovers takes them.
    for name in packs:
        transaction.on_commit(partial(vault().delete, name), robust=True)
    return wish


def _decide(wish: Shredding, state: str, actor: Actor) -> None:
    if wish.practice_id != actor.practice or actor.id is None:
        raise NotFound
    rows = Shredding.objects.filter(pk=wish.pk, state=State.ASKED)
    if not rows.update(state=state, decided_by_id=actor.id, decided_at=now()):
        raise Conflict("This was decided already.")


def _refuse_while_needed(study: Study) -> None:
    """45 CFR 164.524: who has asked for a copy gets it first. And what a court may ask for stays."""
    if AccessRequest.objects.filter(patient_id=study.patient_id, state=AccessRequest.State.OPEN).exists():
        raise Conflict("Somebody has asked for a copy of this patient's images. Answer that request first.")
    if LegalHold.objects.filter(patient_id=study.patient_id, lifted_at=None).exists():
        raise Conflict("A legal hold stands: nothing of this patient is destroyed until it is lifted.")


def _facts(wish: Shredding, slots: int, packs: int) -> dict[str, Any]:
    """What the certificate says; people by name, for it is printed and kept."""
    study, decided_at = wish.study, wish.decided_at
    if decided_at is None or wish.decided_by is None:
        raise ValueError("a certificate is of what was decided")
    return {
        "patient": study.patient.name,
        "birthdate": study.patient.birthdate.isoformat(),
        "title": study.title,
        "study_date": study.study_date.isoformat() if study.study_date else "",
        "modalities": study.modalities,
        "files": study.file_count,
        "bytes": study.length_bytes,
        "manifest_sha256": study.manifest_sha256,
        "key_slots": slots,
        "packs": packs,
        "asked_by": _named(wish.asked_by),
        "agreed_by": _named(wish.decided_by),
        "final_on": (decided_at + timedelta(days=settings.SHRED_FINAL_AFTER_DAYS)).date().isoformat(),
    }


def _named(user: User) -> str:
    return f"{user.name} ({user.email})"
