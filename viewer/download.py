"""Sending a download: noted before its first byte, asked again each 1 MiB, with a receipt at its last.

What goes wrong on the way breaks the connection, so that no client takes a part for the whole. A part that is asked
for later goes on with the same row; once bytes from the first to the last have left, the row has its receipt.

`Download.sent_bytes` is how far the archive may have left without a gap. A client that fetches pieces out of order is
served, and each piece has its entry in the trail, but only what joins the beginning counts for the receipt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from portal.audit import trail
from portal.audit.events import FAILED
from portal.clock import now
from portal.errors import AccessDenied, NotFound, ScanpassError, VaultDamaged
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent
from sharing.access import Grant, ShareEnded, still_live
from sharing.finishing import may_finish
from sharing.models import Download
from viewer.byte_range import Wanted
from viewer.damage import recording_damage
from viewer.package import Package

STEP_UP_PAGE: Final = "/s/code"
CHECK_BYTES: Final = 1024 * 1024
# The row is raised this far ahead of the bytes, for each raise is synced to disk. A process that is killed leaves it
# too high, never too low; one that ends a download in order sets it right.
MARK_BYTES: Final = 8 * CHECK_BYTES
# What may have left here and not arrived there when a connection broke: buffers of ours, the proxy's, the network's.
ON_THE_WAY_BYTES: Final = 16 * CHECK_BYTES


class CodeTooOld(AccessDenied):
    """The session is verified, but not recently enough for taking the files away."""

    title = "Please enter a new code"
    sentence = "A download needs a new code. Please ask for one and enter it; then the download starts."


def check_code_is_fresh(grant: Grant, package: Package, wanted: Wanted) -> None:
    """A recipient's download needs a code not older than STEP_UP_S; one under way may go on where it stopped.

    Raises CodeTooOld with the address at which to get one.
    """
    if grant.code_age_s is None or grant.code_age_s <= settings.STEP_UP_S:
        return
    begun = _unfinished(grant, package).filter(
        session_id=grant.session_id, sent_bytes__gt=0, sent_bytes__lte=wanted.start + ON_THE_WAY_BYTES
    )
    if not (wanted.start > 0 and begun.exists()):
        raise CodeTooOld(next=STEP_UP_PAGE)


@dataclass(slots=True)
class Delivery:
    """One answer to one download request: bytes `start` to `stop` (exclusive) of the package."""

    grant: Grant
    package: Package
    row: Download
    start: int
    stop: int
    position: int
    marked_to: int = 0  # what this answer has raised the row to

    def pieces(self) -> Iterator[bytes | memoryview]:
        """The bytes. Raises what breaks the connection: ShareEnded, VaultDamaged."""
        try:
            with recording_damage(self.grant):
                yield from self._checked_pieces()
        except GeneratorExit:
            self._break("left")
            raise
        except ScanpassError as error:
            self._break("damaged" if isinstance(error, VaultDamaged) else "ended")
            raise

    def _checked_pieces(self) -> Iterator[bytes | memoryview]:
        allowed_to, mark_at = self.start, self.start
        for piece in self.package.read(self.start, self.stop):
            if self.position + len(piece) > allowed_to:
                if not self._may_go_on():
                    raise ShareEnded
                allowed_to = self.position + CHECK_BYTES
            if self.position + len(piece) > mark_at:
                mark_at = self.position + MARK_BYTES
                self._mark(min(mark_at, self.stop))
            # Counted before it is handed over: where the client leaves, it may have it or not.
            self.position += len(piece)
            yield piece
        self._finish()

    def _may_go_on(self) -> bool:
        session = self.grant.session_id
        return still_live(self.grant) or (session is not None and may_finish(session, self.grant.study.pk))

    def _mark(self, position: int) -> None:
        """Raise the row to what may leave next, if it joins what had left before."""
        joined = Download.objects.filter(pk=self.row.pk, sent_bytes__gte=self.start, sent_bytes__lt=position)
        if joined.update(sent_bytes=position, last_at=now()):
            self.marked_to = position

    def _finish(self) -> None:
        """The last byte of this part has left; if it was the archive's last, and none is missing: the receipt."""
        whole = Download.objects.filter(pk=self.row.pk, completed_at=None, sent_bytes=self.package.length)
        with transaction.atomic():
            if self.stop < self.package.length or not whole.update(completed_at=now()):
                return
            _record("study.downloaded", self.grant, self.row, length_bytes=self.package.length)
            if self.grant.disclosure_id:
                facts = {"study": str(self.grant.study.pk), "length_bytes": self.package.length}
                note(self.grant.disclosure_id, DisclosureEvent.Kind.DOWNLOADED, **facts)

    def _break(self, reason: str) -> None:
        """Say how far it came, and take back what was marked and hasn't left."""
        with transaction.atomic():
            Download.objects.filter(pk=self.row.pk, sent_bytes=self.marked_to).update(
                sent_bytes=self.position
            )
            sent = {"first": self.start, "length_bytes": self.position - self.start}
            _record("study.download-broken", self.grant, self.row, outcome=FAILED, reason=reason, **sent)


def begin(grant: Grant, package: Package, wanted: Wanted) -> Delivery:
    """Note that a download starts or goes on, before its first byte."""
    with transaction.atomic():
        row = _unfinished(grant, package).order_by("-started_at").first() or _new_row(grant, package)
        _record("study.download-started", grant, row, first=wanted.start, last=wanted.stop - 1)
    return Delivery(grant, package, row, wanted.start, wanted.stop, wanted.start)


def _unfinished(grant: Grant, package: Package) -> QuerySet[Download]:
    """The unfinished downloads of these very bytes, by this share or in this session of staff.

    A new code begins a new session of the share, and the download goes on in it.
    """
    rows = Download.objects.filter(study_id=grant.study.pk, etag=package.etag, completed_at=None)
    if grant.share_id:
        return rows.filter(practice_id=grant.practice, session__share_id=grant.share_id)
    return rows.filter(practice_id=grant.practice, session=None, staff_session=grant.actor.session)


def _new_row(grant: Grant, package: Package) -> Download:
    if grant.actor.id is None:
        raise NotFound
    moment = now()
    return Download.objects.create(
        practice_id=grant.practice,
        study_id=grant.study.pk,
        session_id=grant.session_id,
        staff_session="" if grant.session_id else grant.actor.session,
        actor_id=grant.actor.id,
        etag=package.etag,
        length_bytes=package.length,
        started_at=moment,
        last_at=moment,
    )


def _record(code: str, grant: Grant, row: Download, **facts: Any) -> None:
    trail.record(
        code,
        actor=grant.actor,
        patient=grant.study.patient_id,
        study=grant.study.pk,
        share=grant.share_id,
        download=str(row.pk),
        **facts,
    )
