"""Making checkpoints: every ten minutes or thousand entries, where all chains stand, signed and sent elsewhere.

The limit, said plainly: whoever takes the database and this machine at one moment can rewrite what is newer than the
last checkpoint that left. That is ten minutes at most while the places are in reach.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Sum

from portal.audit import checkpoint_text, delivery
from portal.audit.checkpoint_key import signing_key
from portal.audit.checkpoint_text import NONE_BEFORE, digest, encode
from portal.audit.models import AuditEntry, AuditHead, Checkpoint
from portal.audit.signed_note import sign
from portal.clock import now

log = logging.getLogger(__name__)


def sweep_checkpoints() -> None:
    """Make a checkpoint when one is due, and send what has not arrived yet."""
    try:
        if is_due():
            make()
    except PermissionError:
        # The key belongs to another user: `manage.py checkpoint`, run by a timer of theirs, does this.
        return
    delivery.deliver()


def is_due() -> bool:
    """Whether something was written since the last checkpoint that has waited long enough, or is enough."""
    entries = AuditHead.objects.aggregate(total=Sum("n"))["total"] or 0
    last = Checkpoint.objects.order_by("-sequence").first()
    if last is None:
        return entries > 0
    waited = now() - last.at >= timedelta(seconds=settings.CHECKPOINT_EVERY_S)
    # Fewer than before is the worst case of all: it must be noted too.
    news = entries - last.entries
    return news >= settings.CHECKPOINT_EVERY_ENTRIES or (news != 0 and waited)


def make() -> Checkpoint | None:
    """Sign where the chains stand now and keep the note. None when another process was first."""
    name, key = signing_key(settings.CHECKPOINT_KEY_PATH, name=origin())
    try:
        with transaction.atomic():
            last = Checkpoint.objects.order_by("-sequence").first()
            said = checkpoint_text.Checkpoint(
                origin=name,
                sequence=_next_sequence(last),
                at=now(),
                previous=digest(last.note) if last else NONE_BEFORE,
                # One question, so one moment for all chains.
                heads={head.practice_id: (head.n, bytes(head.hash)) for head in AuditHead.objects.all()},
            )
            note = sign(encode(said), name=name, key=key)
            return Checkpoint.objects.create(
                sequence=said.sequence, at=said.at, entries=said.entries, note=note
            )
    except IntegrityError:
        log.info("another process made this checkpoint")
        return None


def _next_sequence(last: Checkpoint | None) -> int:
    """One more than the last; after a restore the second of that restore.

    The machine before wrote on after its last backup: the places outside hold numbers of which this database knows
    nothing, and rightly refuse another note of the same number.
    """
    restored = AuditEntry.objects.filter(code="backup.restored").order_by("-at").first()
    number = last.sequence + 1 if last else 1
    if restored and (last is None or last.at < restored.at):
        return max(number, int(restored.at.timestamp()))
    return number


def origin() -> str:
    """The name of this installation's trail, and of its key: its address without a scheme."""
    return f"{urlsplit(settings.PUBLIC_BASE_URL).netloc}/scanpass/audit"
