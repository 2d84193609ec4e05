"""The third step of a printed letter: the code from the slip, by the same rule as the texted one.

A guess takes its place on the share by a conditional UPDATE that is committed before anything is compared; fifteen
failures in the life of the share lock it, however many letters were printed.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.clock import now
from portal.errors import CodeRefused, Conflict, Gone
from sharing import limits
from sharing.actors import recipient
from sharing.desk_code import is_desk_code
from sharing.grants import SessionOver
from sharing.liveness import live
from sharing.lock import note_wrong_code
from sharing.models import Share, ShareSession
from sharing.paper import DeskCode
from sharing.verify import Verified, enter, give_back


def verify_desk_code(session: ShareSession, code: str, *, address: str) -> Verified:
    """Open the scan if this is the code of the letter. Raises `CodeRefused` (with `tries_left`) or `Gone`.

    `Conflict` says that the link was not printed.
    """
    share = session.share
    if share is None:
        raise SessionOver
    kept = DeskCode.objects.filter(share=share, link_hmac=bytes(share.token_hmac or b"")).first()
    if kept is None:
        raise Conflict(next="/s/code")
    if not _take_try(share, address):
        raise _no_try_left(share)
    if not is_desk_code(code, bytes(kept.code_hmac), share=share.pk):
        raise _refuse(session, share, address=address)
    give_back(share)
    with transaction.atomic():
        return enter(session, share, address=address)


def _take_try(share: Share, address: str) -> bool:
    with transaction.atomic():
        limits.take_from(limits.MATCHES_HOUR, address)
        return bool(
            Share.objects.filter(
                live(now()), pk=share.pk, code_failures__lt=settings.CODE_FAILURES_MAX
            ).update(code_failures=F("code_failures") + 1)
        )


def _no_try_left(share: Share) -> Exception:
    if not Share.objects.filter(live(now()), pk=share.pk).exists():
        return Gone()
    return CodeRefused(_("There are no tries left. Please call your dental office."), tries_left=0)


def _refuse(session: ShareSession, share: Share, *, address: str) -> CodeRefused:
    """Write the miss down; the share's last one locks it. Returns the refusal."""
    failures = note_wrong_code(share, actor=recipient(share, session, address=address))
    left = max(0, settings.CODE_FAILURES_MAX - failures)
    if not left:
        return CodeRefused(_("There are no tries left. Please call your dental office."), tries_left=0)
    words = ngettext(
        "The code is wrong. You have %(n)s try left.", "The code is wrong. You have %(n)s tries left.", left
    )
    return CodeRefused(words % {"n": left}, tries_left=left)
