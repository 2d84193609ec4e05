"""The gate: every byte of a scan passes here, for recipients and for staff.

What can't change while a session lasts is remembered in the process; whether share and session still live is asked
of the database each time, so that revoking bites at the next batch. Unknown, foreign and forbidden look alike.
"""

from __future__ import annotations

import uuid
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_noop as _

from portal.accounts.addresses import client_address
from portal.accounts.permissions import Action, can, check
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import AccessDenied, Conflict, NotFound
from portal.records.relation import check_related
from sharing import remembered
from sharing.finishing import may_finish
from sharing.grants import Grant, SessionOver, ShareEnded
from sharing.liveness import State, state_for_newcomer, state_of
from sharing.models import ShareSession
from sharing.paper import is_on_paper
from sharing.release import release, still_live
from sharing.sessions import ended_with_share, find, key_hmac

__all__ = [
    "Grant",
    "SessionOver",
    "ShareEnded",
    "next_step",
    "release",
    "require_access",
    "require_share_session",
    "session_of",
    "state_for",
    "still_live",
]

Step = ShareSession.Step
_ORDER: Final = {Step.OPENED: 0, Step.DECOY: 1, Step.MATCHED: 1, Step.VERIFIED: 2}


# --- the pages of a share ------------------------------------------------------------------------------------------


def session_of(request: HttpRequest) -> ShareSession:
    """The open session of this browser, at whatever step. Raises `SessionOver`, or `ShareEnded` for one let in."""
    key = request.COOKIES.get(settings.SHARE_COOKIE_NAME, "")
    session = find(key)
    if session is None:
        # Who was in when the share ended is told so, and not to open a link again that is dead.
        raise ShareEnded if ended_with_share(key) else SessionOver
    if session.step == Step.VERIFIED and (share := session.share) is not None:
        # Every page names the practice to call to who is in, one that tells of an error too.
        request.practice = SimpleLazyObject(lambda: share.practice)  # type: ignore[attr-defined]
    return session


def require_share_session(
    request: HttpRequest, step: str = Step.VERIFIED, *, ended: bool = False
) -> ShareSession:
    """The session of this browser, which has reached exactly `step` (a decoy passes for matched).

    `ended=True` lets a share through that is over: its recipient may read why and ask for a new link.
    Raises `SessionOver`, `AccessDenied` (a step is missing), `Conflict` (it was done), `ShareEnded`.
    """
    session = session_of(request)
    here, there = _ORDER[Step(session.step)], _ORDER[Step(step)]
    if here < there:
        raise AccessDenied(_BEFORE[Step(step)], next=next_step(session))
    if here > there:
        raise Conflict(next=next_step(session))
    if not ended and state_for(session) != "live":
        raise ShareEnded
    return session


_BEFORE: Final = {
    Step.OPENED: _("Please open the link in your message first."),
    Step.MATCHED: _("Please answer the first question first."),
    Step.VERIFIED: _("Please enter the code from your message first."),
}


def next_step(session: ShareSession) -> str:
    """The address of the page on which this session goes on."""
    if session.step == Step.VERIFIED:
        return "/s/view"
    if session.step in {Step.MATCHED, Step.DECOY}:
        if state_for(session) != "live":
            return "/s/ended"
        return "/s/slip" if session.share is not None and is_on_paper(session.share) else "/s/code"
    return "/s/address" if asks_address(session) else "/s/birthdate"


def asks_address(session: ShareSession) -> bool:
    """Whether the next step is the dentist's address. A link that doesn't live asks for the date of birth."""
    share = session.share
    return share is not None and share.disclosure.recipient_kind == "dentist" and state_for(session) == "live"


def state_for(session: ShareSession) -> State:
    """What became of the share, for this browser."""
    if session.share is None:
        return "expired"
    state = state_of if session.step == Step.VERIFIED else state_for_newcomer
    return state(session.share, now())


# --- the pixels ----------------------------------------------------------------------------------------------------


def require_access(
    request: HttpRequest, study_id: uuid.UUID, *, series_id: uuid.UUID | None = None, download: bool = False
) -> Grant:
    """What this request may open of a study: by the staff's door if the middleware let staff in, else by a share.

    Raises `SessionOver` without a verified session, `ShareEnded` once the share is over, `AccessDenied` for a
    role without the permission or a share without download, and `NotFound` for everything else.
    """
    actor = getattr(request, "actor", None)
    if actor is not None and actor.kind == "staff":
        grant = _staff_grant(actor, study_id, download=download)
    else:
        grant = _recipient_grant(request, study_id, download=download)
        if download and not grant.allows_download:
            raise AccessDenied(
                _("This link is for viewing. Ask the dental office for one that allows the download.")
            )
    if series_id is not None and not (
        grant.allows(series_id) and remembered.has_series(grant.study, series_id)
    ):
        raise NotFound
    return grant


def _staff_grant(actor: Actor, study_id: uuid.UUID, *, download: bool) -> Grant:
    check(actor, Action.DOWNLOAD if download else Action.VIEW_IMAGES)
    if actor.practice is None:
        raise NotFound
    study = remembered.study(study_id, remembered.version_of(study_id, actor.practice))
    check_related(actor, study.patient_id)
    return Grant(
        door="staff",
        practice=actor.practice,
        study=study,
        series=None,
        actor=actor,
        session_id=None,
        share_id=None,
        disclosure_id=None,
        allows_download=can(actor, Action.DOWNLOAD),
        code_age_s=None,
        expires_at=None,
    )


def _recipient_grant(request: HttpRequest, study_id: uuid.UUID, *, download: bool) -> Grant:
    key = request.COOKIES.get(settings.SHARE_COOKIE_NAME, "")
    visit = remembered.visit(key_hmac(key)) if key else None
    if visit is None:
        raise SessionOver
    alive = remembered.alive(visit, study_id)
    if not (alive.share and alive.session) and not (download and may_finish(visit.session_id, study_id)):
        # The share first: revoking ends the sessions too, and who had the scan open is told that the link has ended.
        raise SessionOver if alive.share else ShareEnded
    if study_id not in visit.series:
        raise NotFound
    return Grant(
        door="recipient",
        practice=visit.practice,
        study=remembered.study(study_id, alive.version),
        series=visit.series[study_id],
        actor=visit.actor(client_address(request)),
        session_id=visit.session_id,
        share_id=visit.share_id,
        disclosure_id=visit.disclosure_id,
        allows_download=visit.allows_download,
        code_age_s=(alive.moment - visit.verified_at).total_seconds(),
        expires_at=min(alive.share_expires_at, visit.ends_at),
        asked_at=alive.moment,
        idle_until=alive.idle_until,
    )
