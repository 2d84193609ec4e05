"""What is kept: its encryption, its keys, and whether it would survive a fire."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection

from portal.audit import installation
from portal.backups.address import in_words as backup_in_words
from portal.backups.models import Run
from portal.backups.runs import latest
from portal.clock import now
from portal.compliance.safeguard import Safeguard, aged, ago, span
from portal.errors import Sealed
from portal.practice import adapters
from portal.records.models import Study
from portal.sealed.keys import provider
from portal.sealed.models import PracticeKey, StudyKey


def encryption(practice: UUID) -> Safeguard:
    """At rest: whether keys can be had now, and what lies under them."""
    studies = Study.objects.filter(practice_id=practice, state=Study.State.STORED)
    evidence: list[tuple[str, object]] = [
        ("Method", "AES-256-GCM, a key for each study, wrapped by the practice's, wrapped by the key file's"),
        ("Where the keys are", settings.KEY_PROVIDER),
        ("Studies", studies.count()),
        ("Key slots", StudyKey.objects.filter(practice_id=practice).count()),
        ("Practice keys", PracticeKey.objects.filter(practice_id=practice).count()),
    ]
    try:
        provider().health()
    except Sealed:
        return Safeguard(
            "Encryption at rest",
            "164.312(a)(2)(iv)",
            "bad",
            "The keys can't be reached: all is closed.",
            evidence,
        )
    says = "Images, previews, uploads and every name in the database are sealed; a key was tried just now."
    return Safeguard("Encryption at rest", "164.312(a)(2)(iv)", "good", says, evidence)


def keys_apart(practice: UUID) -> Safeguard:
    """The breach safe harbour asks for keys held apart from the data, and a lost key for a copy that opens."""
    try:
        overdue = installation.escrow_is_overdue(provider().active_version())
    except Sealed:
        overdue = True
    act = installation.last("keyring.escrow-verified")
    evidence: list[tuple[str, object]] = [
        ("Escrow sheet last opened", f"{act.at:%b %-d, %Y}" if act else "never"),
        ("To be opened every", f"{settings.ESCROW_VERIFY_DAYS} days"),
    ]
    if settings.ACCEPT_COLOCATED_KEYS:
        says = "The key file may lie on the disk of the data: whoever takes that disk reads everything."
        return Safeguard("Keys held apart", "164.402, 74 FR 19006", "bad", says, evidence)
    if overdue:
        says = "No escrow sheet with the active key was opened lately. Run: manage.py keyring verify-escrow"
        return Safeguard("Keys held apart", "164.402, 74 FR 19006", "warn", says, evidence)
    return Safeguard(
        "Keys held apart", "164.402, 74 FR 19006", "good", "Keys and data lie on different disks.", evidence
    )


def backup(practice: UUID) -> Safeguard:
    """The last good backup, against what the settings promise."""
    moment, last, tried = now(), latest(Run.Kind.BACKUP), latest(Run.Kind.BACKUP, good_only=False)
    due = timedelta(seconds=settings.BACKUP_EVERY_S)
    evidence: list[tuple[str, object]] = [("At the most this old (RPO)", span(settings.BACKUP_EVERY_S))]
    if not settings.BACKUP_TARGET:
        says = "No place for backups is set. Set SCANPASS_BACKUP_DIR to a folder on another disk."
        return Safeguard("Backup", "164.308(a)(7)(ii)(A)", "bad", says, evidence)
    if last is None or last.finished_at is None:
        says = (
            f"No backup was good yet: {tried.sentence}"
            if tried
            else "No backup was made yet. Run: manage.py backup"
        )
        return Safeguard("Backup", "164.308(a)(7)(ii)(A)", "bad", says, evidence)
    evidence += [
        ("Where", backup_in_words(settings.BACKUP_TARGET)),
        ("Last good one", last.finished_at),
        ("Sealed files of images (packs)", last.facts.get("packs", 0)),
        ("Megabytes", last.facts.get("length_bytes", 0) >> 20),
        ("Its name", last.facts.get("snapshot", "")),
    ]
    state = aged(moment, last.finished_at, warn=due * 1.25, bad=due * 2)
    says = f"Made {ago(moment, last.finished_at)}: {last.sentence}"
    if tried and tried.finished_at and tried.outcome != Run.Outcome.OK:
        state = "bad" if state == "bad" or tried.outcome == Run.Outcome.DAMAGED else "warn"
        says += f" The last try, {ago(moment, tried.finished_at)}, did not end well: {tried.sentence}"
    return Safeguard("Backup", "164.308(a)(7)(ii)(A)", state, says, evidence)


def drill(practice: UUID) -> Safeguard:
    """The last time the backup was restored to see whether it can be."""
    moment, last = now(), latest(Run.Kind.DRILL, good_only=False)
    due = timedelta(days=settings.DRILL_EVERY_DAYS)
    if last is None or last.finished_at is None:
        says = "The backup was never tried. Run: manage.py drill"
        return Safeguard("Restore drill", "164.308(a)(7)(ii)(D)", "bad", says)
    if last.outcome != Run.Outcome.OK:
        return Safeguard("Restore drill", "164.308(a)(7)(ii)(D)", "bad", last.sentence)
    state = aged(moment, last.finished_at, warn=due * 1.25, bad=due * 3)
    evidence: list[tuple[str, object]] = [
        ("Last one", last.finished_at),
        ("Data was old (RPO)", span(last.facts.get("rpo_s", 0))),
        ("Took (RTO)", span(last.facts.get("rto_s", 0))),
        ("Studies opened to the last byte", last.facts.get("studies", 0)),
        ("Entries of the trail verified", last.facts.get("entries", 0)),
        ("To be tried every", f"{settings.DRILL_EVERY_DAYS} days"),
    ]
    if last.facts.get("rto_per_100gb_s"):
        evidence.append(("Would take for 100 GB", span(last.facts["rto_per_100gb_s"])))
    return Safeguard(
        "Restore drill",
        "164.308(a)(7)(ii)(D)",
        state,
        f"Tried {ago(moment, last.finished_at)}: {last.sentence}",
        evidence,
    )


def scrub(practice: UUID) -> Safeguard:
    """The last check of every stored object."""
    moment, last = now(), latest(Run.Kind.SCRUB, good_only=False)
    due = timedelta(days=settings.SCRUB_EVERY_DAYS)
    if last is None or last.finished_at is None:
        says = "Not checked yet. Run: manage.py scrub"
        return Safeguard(
            "Stored images checked", "164.312(c)", "warn" if Study.objects.exists() else "good", says
        )
    if last.outcome != Run.Outcome.OK:
        return Safeguard("Stored images checked", "164.312(c)", "bad", last.sentence)
    state = aged(moment, last.finished_at, warn=due * 1.25, bad=due * 3)
    evidence: list[tuple[str, object]] = [
        ("Last time", last.finished_at),
        ("To be checked every", f"{settings.SCRUB_EVERY_DAYS} days"),
        ("Objects", last.facts.get("objects", 0)),
    ]
    return Safeguard(
        "Stored images checked",
        "164.312(c)",
        state,
        f"Checked {ago(moment, last.finished_at)}: {last.sentence}",
        evidence,
    )


def places(practice: UUID) -> Safeguard:
    """Where data is kept, and with whom: what a practice must be able to say of every place."""
    here, kind = "this machine, a folder of the practice's own", connection.vendor
    place = backup_in_words(settings.BACKUP_TARGET) or "none"
    keeper = adapters.in_words(settings.BACKUP_VENDOR) if settings.BACKUP_VENDOR else "the practice's own"
    evidence: list[tuple[str, object]] = [
        ("Database", "SQLite, in the state folder" if kind == "sqlite" else "PostgreSQL"),
        ("Images", here),
        ("Backups", f"{place}; {keeper}" if settings.BACKUP_TARGET else place),
        ("Leaves to", ", ".join(map(adapters.in_words, adapters.in_use())) or "nobody"),
    ]
    says = "What a practice must be able to answer: where it is stored, and with whom."
    return Safeguard("Where data is kept", "164.310(d), 164.314(a)", "good", says, evidence)
