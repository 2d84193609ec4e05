"""The database at one moment: a dump in a file, and what a backup must know of that same moment.

The dump leaves out the key slots (they have a set of their own) and the staff's sessions (a restore ends them all).
PHI in it is sealed, as it is in the database; the file is sealed again before it leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import connection

from portal.backups import postgresql, sqlite

LEFT_OUT: Final = ("sealed_studykey", "django_session")


@dataclass(frozen=True, slots=True)
class Frozen:
    """A dump and its moment. `packs` says whose each pack is: a study, or a group in quarantine."""

    dump: Path
    packs: dict[str, str]
    slots: list[list[Any]]
    heads: dict[str, list[Any]]
    kek_versions: list[int]


@contextmanager
def frozen(work: Path) -> Iterator[Frozen]:
    """Freeze the database into the folder `work`; the files are gone afterwards. Raises `StorageFull`."""
    engine = sqlite if connection.vendor == "sqlite" else postgresql
    with engine.moment(work) as (ask, dump):
        packs = ask("SELECT name, COALESCE(study_id, quarantined_id) FROM records_vaultpack")
        slots = ask(
            "SELECT id, practice_id, patient_id, study_id, generation, practice_key_version, wrapped, created_at"
            " FROM sealed_studykey"
        )
        heads = ask("SELECT practice_id, n, hash FROM audit_audithead")
        versions = ask("SELECT DISTINCT kek_version FROM sealed_practicekey")
        yield Frozen(
            dump=dump(LEFT_OUT),
            packs={name: _id(owner) for name, owner in packs},
            slots=[[*map(_id, row[:4]), row[4], row[5], bytes(row[6]).hex(), str(row[7])] for row in slots],
            heads={_id(practice): [n, bytes(digest).hex()] for practice, n, digest in heads},
            kek_versions=sorted(version for (version,) in versions),
        )


def _id(value: object) -> str:
    """A UUID in its one spelling; SQLite holds 32 digits, PostgreSQL gives the object."""
    return str(UUID(str(value)))


def thaw(dump: Path) -> None:
    """Load a dump into the database of the settings, which must be empty. Raises `Conflict`, `VaultDamaged`."""
    (sqlite if connection.vendor == "sqlite" else postgresql).load(dump)


def is_empty() -> bool:
    """Whether the database of the settings holds no table at all."""
    return not connection.introspection.table_names()
