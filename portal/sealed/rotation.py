"""Turning keys over: a new KEK version, every practice key under it, and the old version gone. No object is touched.

Each row is its own transaction with its own entry in the trail, so whatever is killed in between leaves rows under the
old version and rows under the new one, all of them readable; running it again goes on.

Source: NIST SP 800-57 part 1 revision 5, 5.3.6 (cryptoperiods).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from django.db import transaction
from django.db.models import Count

from portal.errors import Conflict
from portal.sealed import keys
from portal.sealed.models import PracticeKey, StudyKey
from portal.vault.keyring import Keyring, Wrapped

Note = Callable[[uuid.UUID, dict[str, int]], object]
"""Writes the trail's entry for a practice, in the transaction of the change; this package stands left of the trail."""

# Who else may need a KEK version, named by string because they stand to the right: version in, sentences out.
NEEDERS: tuple[str, ...] = ("portal.backups.needs.needed_by_backups",)

_AT_ONCE = 200


def versions_in_use() -> dict[int, int]:
    """How many practice keys are wrapped under each KEK version."""
    rows = PracticeKey.objects.values("kek_version").annotate(count=Count("pk")).order_by("kek_version")
    return {row["kek_version"]: row["count"] for row in rows}


def rewrap(*, note: Note) -> Iterator[uuid.UUID]:
    """Wrap every practice key under the active KEK version; yields the practice of each that was changed."""
    provider = keys.provider()
    active = provider.active_version()
    for row in PracticeKey.objects.exclude(kek_version=active).order_by("pk"):
        wrapped = Wrapped(row.kek_version, bytes(row.wrapped))
        renewed = Keyring(provider).rewrap_practice_key(
            wrapped, practice=row.practice_id, version=row.version
        )
        with transaction.atomic():
            # Only the blob that was opened is replaced: two runs at once do each row once.
            rows = PracticeKey.objects.filter(pk=row.pk, kek_version=row.kek_version, wrapped=wrapped.blob)
            if not rows.update(kek_version=renewed.version, wrapped=renewed.blob):
                continue
            note(row.practice_id, {"from_version": wrapped.version, "to_version": renewed.version})
        yield row.practice_id


def needed_by(version: int) -> list[str]:
    """Why a KEK version can't go yet, in sentences; none when it can."""
    rows = versions_in_use().get(version, 0)
    reasons = [f"{rows} practice keys are wrapped under it: run manage.py keyring rewrap."] if rows else []
    for path in NEEDERS:
        module, _, name = path.rpartition(".")
        reasons += getattr(import_module(module), name)(version)
    return reasons


def retire(version: int) -> None:
    """Drop a KEK version for good. Raises Conflict while anything needs it, InvalidInput for the active one."""
    reasons = needed_by(version)
    if reasons:
        raise Conflict(f"Version {version} is still needed. {' '.join(reasons)}")
    keys.provider().retire(version)
    keys.forget_keys()


# --- a practice's own key ------------------------------------------------------------------------------------------


def rotate_practice_key(practice: uuid.UUID, *, note: Note) -> int:
    """Give a practice a new key for what is sealed from now on, and return its version.

    The older version stays: the trail and the record, which can only be added to, are sealed under it. Blind indexes
    keep to the first version for good, for what was stored must still be found.

    Raises Conflict for the installation, from whose key links and codes in people's hands derive.
    """
    if practice == keys.INSTALLATION:
        raise Conflict("The installation's own key can't be changed: every link that was sent would end.")
    with transaction.atomic():
        rows = PracticeKey.objects.select_for_update().filter(practice_id=practice)
        version = max(rows.values_list("version", flat=True)) + 1
        rows.filter(is_active=True).update(is_active=False)
        keys.create_practice_key(practice, version=version)
        note(practice, {"to_version": version})
    keys.forget_keys()
    return version


def rewrap_study_keys(practice: uuid.UUID, *, note: Note) -> int:
    """Wrap the practice's study keys under its active key, some hundred at a time; returns how many were."""
    version, wrapping = keys.practice_key(practice)
    done = 0
    while rows := list(
        StudyKey.objects.filter(practice_id=practice).exclude(practice_key_version=version)[:_AT_ONCE]
    ):
        with transaction.atomic():
            changed = sum(_rewrap_study_key(row, version, wrapping) for row in rows)
            note(practice, {"to_version": version, "study_keys": changed})
        done += changed
    return done


def _rewrap_study_key(row: StudyKey, version: int, wrapping: bytes) -> int:
    old = Wrapped(row.practice_key_version, bytes(row.wrapped))
    place: dict[str, Any] = {
        "practice": row.practice_id,
        "patient": row.patient_id,
        "study": row.study_id,
        "generation": row.generation,
    }
    _, under = keys.practice_key(row.practice_id, old.version)
    key = Keyring.unwrap_study_key(under, old, **place)
    renewed = Keyring.wrap_study_key(wrapping, key, version=version, **place)
    rows = StudyKey.objects.filter(pk=row.pk, practice_key_version=old.version)
    return rows.update(practice_key_version=version, wrapped=renewed.blob)
