"""What a process remembers of sessions and studies: only what can't change while it is true.

Whether a session or a share lives is never remembered. A study is asked for its version each time and read anew
when it has another one.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import Final, Generic, NamedTuple, TypeVar

from django.db import connection

from portal.audit.actor import Actor
from portal.errors import NotFound
from portal.records.models import Series, Study
from sharing.actors import recipient
from sharing.grants import SessionOver
from sharing.models import SharedSeries, ShareSession
from sharing.statements import GATE, STUDY_VERSION, at_once, bound, moment_of

KEPT_MAX: Final = 512
Name = TypeVar("Name")
Thing = TypeVar("Thing")


class Recent(Generic[Name, Thing]):
    """The last few hundred things, safe for threads."""

    def __init__(self, most: int = KEPT_MAX) -> None:
        self._most = most
        self._kept: OrderedDict[Name, Thing] = OrderedDict()
        self._lock = Lock()

    def get(self, name: Name) -> Thing | None:
        return self._kept.get(name)

    def put(self, name: Name, thing: Thing) -> None:
        with self._lock:
            self._kept[name] = thing
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


@dataclass(frozen=True, slots=True)
class Visit:
    """A verified session, as it stays until it ends: whose share, and which series of which studies."""

    session_id: uuid.UUID
    share_id: uuid.UUID
    disclosure_id: uuid.UUID
    practice: uuid.UUID
    allows_download: bool
    verified_at: datetime
    ends_at: datetime
    series: dict[uuid.UUID, frozenset[uuid.UUID]]
    _actor: Actor = field(repr=False)

    def actor(self, address: str) -> Actor:
        """The recipient, coming from this network address."""
        return replace(self._actor, address=address)


Version = tuple[int, str]
"""A study's generation and the hash of its manifest: what is remembered of it holds while they stay."""


class Alive(NamedTuple):
    """What the database says of a session, and of the study it asks for, right now."""

    moment: datetime
    session: bool
    share: bool
    share_expires_at: datetime
    idle_until: datetime
    version: Version | None


_visits: Recent[bytes, Visit] = Recent()
_studies: Recent[uuid.UUID, tuple[Study, frozenset[uuid.UUID]]] = Recent()


def forget() -> None:
    """Forget everything (tests)."""
    _visits.clear()
    _studies.clear()


def visit(key_hmac: bytes) -> Visit | None:
    """The verified session with this key, whether or not it still lives; None when there is none."""
    known = _visits.get(key_hmac)
    if known is None:
        session = (
            ShareSession.objects.select_related("share__disclosure")
            .filter(key_hmac=key_hmac, step=ShareSession.Step.VERIFIED)
            .first()
        )
        if session is None:
            return None
        known = _as_visit(session)
        _visits.put(key_hmac, known)
    return known


def _as_visit(session: ShareSession) -> Visit:
    share = session.share
    if share is None or session.verified_at is None:
        raise NotFound
    series: dict[uuid.UUID, set[uuid.UUID]] = {}
    for study_id, series_id in SharedSeries.objects.filter(share=share).values_list("study_id", "series_id"):
        series.setdefault(study_id, set()).add(series_id)
    return Visit(
        session_id=session.pk,
        share_id=share.pk,
        disclosure_id=share.disclosure_id,
        practice=share.practice_id,
        allows_download=share.allows_download,
        verified_at=session.verified_at,
        ends_at=session.ends_at,
        series={study: frozenset(ids) for study, ids in series.items()},
        _actor=recipient(share, session),
    )


def alive(visit: Visit, study_id: uuid.UUID) -> Alive:
    """Whether session and share live at this moment; asked of the database each time. Raises `SessionOver`."""
    with connection.cursor() as cursor:
        cursor.execute(at_once(GATE), (bound(study_id), bound(visit.session_id)))
        row = cursor.fetchone()
    if row is None:
        raise SessionOver
    moment, session, share, expires_at, idle_until, *version = row
    return Alive(
        moment_of(moment),
        bool(session),
        bool(share),
        moment_of(expires_at),
        moment_of(idle_until),
        None if version[0] is None else (version[0], version[1]),
    )


def version_of(study_id: uuid.UUID, practice: uuid.UUID) -> Version | None:
    """The version of a stored study of this practice, or None."""
    with connection.cursor() as cursor:
        cursor.execute(STUDY_VERSION, (bound(study_id), bound(practice)))
        row = cursor.fetchone()
    return row and (row[0], row[1])


def study(study_id: uuid.UUID, version: Version | None) -> Study:
    """The stored study with this version, which was read from the database just now. Raises `NotFound` without one."""
    if version is None:
        raise NotFound
    known = _studies.get(study_id)
    if known and (known[0].generation, known[0].manifest_sha256) == version:
        return known[0]
    row = Study.objects.select_related("patient").get(pk=study_id)
    ids = Series.objects.filter(study_id=study_id).values_list("pk", flat=True)
    _studies.put(study_id, (row, frozenset(ids)))
    return row


def has_series(study: Study, series_id: uuid.UUID) -> bool:
    """Whether the study has this series."""
    known = _studies.get(study.pk)
    ids = known[1] if known else Series.objects.filter(study=study).values_list("pk", flat=True)
    return series_id in ids
