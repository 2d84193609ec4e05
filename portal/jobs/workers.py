"""Whose lease it is. Each supervised process has a mark, and the leases it takes begin with it.

The supervisor that has buried a process gives its jobs back at once, instead of after the lease's minute. A lease of
anybody else, on this machine or another, doesn't begin with that mark and is left alone.
"""

from __future__ import annotations

import re
import secrets
import uuid

from django.conf import settings

from portal.clock import now
from portal.jobs.models import Job

MARK_DIGITS = 16  # hexadecimal: half of a lease's token; the other half is drawn for each lease


def new_token() -> uuid.UUID:
    """A lease's token: this process's mark, and something nobody has."""
    return uuid.UUID(hex=(_checked(settings.WORKER_MARK) or secrets.token_hex(8)) + secrets.token_hex(8))


def release(mark: str) -> int:
    """Give back what the process of this mark was doing when it died; call it once the process is no more.

    A job that was tried before waits for its lease all the same: it may be what kills its worker, and at full speed it
    would end the whole site.
    """
    if not _checked(mark):
        return 0
    moment, rest = now(), 32 - MARK_DIGITS
    first, last = uuid.UUID(hex=mark + "0" * rest), uuid.UUID(hex=mark + "f" * rest)
    theirs = Job.objects.filter(state=Job.State.RUNNING, attempts=1, lease_token__range=(first, last))
    return theirs.update(
        state=Job.State.QUEUED, lease_until=None, lease_token=None, told_at=None, not_before=moment
    )


def _checked(mark: str) -> str:
    return mark if re.fullmatch(rf"[0-9a-f]{{{MARK_DIGITS}}}", mark) else ""
