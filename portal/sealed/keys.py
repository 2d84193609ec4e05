"""Opening and making keys: the keyring's provider, practice keys, study keys and what derives from them.

An unwrapped key is used for at most `settings.KEY_CACHE_S`; then it is dropped when the next one is asked for.
If a key can't be had, `portal.errors.Sealed` closes everything; there is no plaintext fallback.

Source: NIST SP 800-57 part 1 revision 5, 5.3.6 (cryptoperiods) and 6 (key hierarchy).
"""

from __future__ import annotations

import secrets
import time
import uuid
from dataclasses import dataclass, field
from functools import cache
from threading import Lock

from django.conf import settings
from django.db import IntegrityError, transaction

from portal.clock import now
from portal.errors import Sealed
from portal.sealed.models import PracticeKey, StudyKey
from portal.sealed.providers import chosen
from portal.vault.keyring import Wrapped, derive_key, practice_key_aad, study_key_aad, unwrap_key, wrap_key
from portal.vault.providers.base import Provider

INSTALLATION = uuid.UUID(int=0)
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Dek:
    """A study's data-encryption key, open: `id` is the 16 bytes that stand in object headers."""

    slot: uuid.UUID
    practice: uuid.UUID
    study: uuid.UUID
    generation: int
    key: bytes = field(repr=False)

    @property
    def id(self) -> bytes:
        return self.slot.bytes


class _Remembered:
    """Open keys by name, each for a few minutes."""

    KEPT_MAX = 2000

    def __init__(self) -> None:
        self._kept: dict[object, tuple[float, object]] = {}
        self._lock = Lock()

    def get(self, name: object) -> object | None:
        kept = self._kept.get(name)
        return kept[1] if kept and kept[0] > time.monotonic() else None

    def put(self, name: object, value: object) -> None:
        moment = time.monotonic()
        with self._lock:
            if len(self._kept) >= self.KEPT_MAX:
                self._kept.clear()
            self._kept = {name: kept for name, kept in self._kept.items() if kept[0] > moment}
            self._kept[name] = (moment + settings.KEY_CACHE_S, value)

    def forget(self, name: object | None = None) -> None:
        with self._lock:
            if name is None:
                self._kept.clear()
            else:
                self._kept.pop(name, None)


_open = _Remembered()


@cache
def provider() -> Provider:
    """The keyring's provider, as the settings name it."""
    return chosen()


def forget_keys() -> None:
    """Drop every open key of this process (tests, sealing, rotation)."""
    _open.forget()
    provider.cache_clear()


# --- practice keys ---------------------------------------------------------------------------------------------


def create_practice_key(practice: uuid.UUID, *, version: int = 1) -> PracticeKey:
    """Make and wrap a practice's key; call it in the transaction that makes the practice."""
    if practice != INSTALLATION:
        practice_key(INSTALLATION)
    wrapped = provider().wrap(secrets.token_bytes(KEY_BYTES), practice_key_aad(practice, version))
    return PracticeKey.objects.create(
        practice_id=practice,
        version=version,
        kek_version=wrapped.version,
        wrapped=wrapped.blob,
        created_at=now(),
    )


def practice_key(practice: uuid.UUID, version: int | None = None) -> tuple[int, bytes]:
    """The practice's key and its version: the active one, or the one named.

    Raises `Sealed` when the slot or the KEK version is missing.
    """
    name = ("practice", practice, version)
    known = _open.get(name)
    if known is None:
        row = _practice_key_row(practice, version)
        wrapped = Wrapped(row.kek_version, bytes(row.wrapped))
        known = (row.version, provider().unwrap(wrapped, practice_key_aad(practice, row.version)))
        _open.put(name, known)
    return known  # type: ignore[return-value]


def _practice_key_row(practice: uuid.UUID, version: int | None) -> PracticeKey:
    wanted = {"version": version} if version else {"is_active": True}
    rows = PracticeKey.objects.filter(practice_id=practice, **wanted)
    row = rows.first()
    if row is None and practice == INSTALLATION:
        # Asked again, because another thread may have been the first in the meantime.
        row = _first_installation_key() or rows.first()
    if row is None:
        raise Sealed
    return row


def _first_installation_key() -> PracticeKey | None:
    """Make the installation's key in a database that has no key at all; anywhere else it is missing: sealed."""
    try:
        with transaction.atomic():
            if not PracticeKey.objects.exists():
                return create_practice_key(INSTALLATION)
    except IntegrityError:
        pass
    # Another process was first, between the two questions: its key is everyone's.
    return PracticeKey.objects.filter(practice_id=INSTALLATION, is_active=True).first()


def installation_key(label: str, *parts: str) -> bytes:
    """A key of the whole installation for one use: `tok` (links), `otp` (codes), `session`."""
    _, key = practice_key(INSTALLATION)
    return derive_key(key, label, *parts)


# --- study keys ------------------------------------------------------------------------------------------------


def make_study_key(
    practice: uuid.UUID, *, patient: uuid.UUID, study: uuid.UUID, generation: int = 1
) -> tuple[StudyKey, Dek]:
    """A new key and its slot, not yet stored: objects may be sealed under it before the study's rows are written."""
    version, wrapping = practice_key(practice)
    key = secrets.token_bytes(KEY_BYTES)
    aad = study_key_aad(practice, patient, study, generation)
    row = StudyKey(
        practice_id=practice,
        patient_id=patient,
        study_id=study,
        generation=generation,
        practice_key_version=version,
        wrapped=wrap_key(wrapping, key, aad=aad),
        created_at=now(),
    )
    return row, Dek(slot=row.pk, practice=practice, study=study, generation=generation, key=key)


def create_study_key(
    practice: uuid.UUID, *, patient: uuid.UUID, study: uuid.UUID, generation: int = 1
) -> Dek:
    """Make a study's (or an upload's) key slot, in the caller's transaction."""
    row, dek = make_study_key(practice, patient=patient, study=study, generation=generation)
    row.save(force_insert=True)
    return dek


def study_key(practice: uuid.UUID, study: uuid.UUID, generation: int) -> Dek:
    """The open key of a study's generation. Raises `Sealed` when the slot is shredded or can't be opened."""
    name = ("study", practice, study, generation)
    known = _open.get(name)
    if known is None:
        row = StudyKey.objects.filter(practice_id=practice, study_id=study, generation=generation).first()
        if row is None:
            raise Sealed("The key of this study has been destroyed, so it can't be opened any more.")
        _, wrapping = practice_key(practice, row.practice_key_version)
        aad = study_key_aad(practice, row.patient_id, study, generation)
        key = unwrap_key(wrapping, bytes(row.wrapped), aad=aad)
        known = Dek(slot=row.pk, practice=practice, study=study, generation=generation, key=key)
        _open.put(name, known)
    return known  # type: ignore[return-value]


def shred_study_key(practice: uuid.UUID, study: uuid.UUID) -> int:
    """Delete every key slot of a study or upload: what was sealed under it is gone. Returns the number of slots."""
    deleted, _ = StudyKey.objects.filter(practice_id=practice, study_id=study).delete()
    _open.forget()
    return deleted
