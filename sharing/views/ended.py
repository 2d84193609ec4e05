"""A link that has ended: why, to whom gave the right date of birth, and the way to a new one."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import formats
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.addresses import client_address
from portal.accounts.permissions import recipient
from portal.clock import now
from portal.errors import Gone
from sharing.access import SessionOver, Step, next_step, require_share_session
from sharing.actors import recipient as recipient_of
from sharing.answers import onward
from sharing.liveness import state_for_newcomer
from sharing.models import DeskTask, Share, ShareSession
from sharing.renew import ask_renewal


def ending(share: Share | None) -> Gone:
    """What became of the share, in a sentence for its recipient."""
    if share is None:
        return Gone()
    names = {"practice": share.practice.name, "phone": share.practice.phone}
    state = state_for_newcomer(share, now())
    if state == "expired":
        day = formats.date_format(
            share.expires_at.astimezone(ZoneInfo(share.practice.time_zone)), "DATE_FORMAT"
        )
        sentence = _("This link ended on %(day)s. You can ask %(practice)s for a new one.") % {
            **names,
            "day": day,
        }
    elif state == "used":
        sentence = (
            _("This link was opened as often as it can be. You can ask %(practice)s for a new one.") % names
        )
    elif state == "locked":
        sentence = (
            _("This link is locked after too many tries. Please call %(practice)s at %(phone)s.") % names
        )
    elif state == "suspended":
        sentence = _("%(practice)s has paused this link. Please call them at %(phone)s.") % names
    else:
        sentence = _("%(practice)s has ended this link. You can ask for a new one.") % names
    return Gone(sentence)


@recipient
@require_safe
def ended(request: HttpRequest) -> HttpResponse:
    """Which ending it was, and the button that asks the practice for a new link."""
    session = require_share_session(request, Step.MATCHED, ended=True)
    share = _ended_share(session)
    if share is None:
        return HttpResponseRedirect(next_step(session))
    asked = DeskTask.objects.filter(share=share, kind=DeskTask.Kind.RENEWAL, done_at=None).exists()
    context = {"practice": share.practice, "sentence": ending(share).sentence, "is_asked": asked}
    return render(request, "share/ended.html", context)


@recipient
@require_POST
def renew(request: HttpRequest) -> HttpResponse:
    """Ask the practice for a new link: one task for the desk, however often it is pressed."""
    session = require_share_session(request, Step.MATCHED, ended=True)
    if session.share is None or session.step == Step.DECOY:
        raise SessionOver
    ask_renewal(session.share, actor=recipient_of(session.share, session, address=client_address(request)))
    return onward(
        request, {"next": "wait", "practice": session.share.practice.name}, page="/s/ended", status=202
    )


def _ended_share(session: ShareSession) -> Share | None:
    if session.step == Step.DECOY:
        raise SessionOver
    share = session.share
    return share if share is not None and state_for_newcomer(share, now()) != "live" else None
