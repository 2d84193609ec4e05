"""The one table of who may do what, and the doors of the site.

Every view has exactly one door: `staff` (the default: signed in, second factor, one action of the table),
`recipient` (a share's own cookie) or `public`. The middleware asks the door; a test walks every URL.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final, TypeVar

from portal.accounts.models import Role
from portal.audit.actor import Actor
from portal.errors import AccessDenied


class Action(StrEnum):
    """What a member of staff can do."""

    SIGNED_IN = "signed-in"  # pages every member of staff has: own account, sign-out
    FIND_PATIENTS = "find-patients"
    ADD_PATIENTS = "add-patients"
    UPLOAD = "upload"
    VIEW_IMAGES = "view-images"
    DOWNLOAD = "download"
    SHARE = "share"
    REVOKE = "revoke"
    RESOLVE_QUARANTINE = "resolve-quarantine"
    READ_TRAIL = "read-trail"
    LIFT_HOLDS = "lift-holds"  # decide about holds, and refuse a request for a copy
    ACCOUNT_DISCLOSURES = "account-disclosures"  # the six years' accounting, to hand out
    SHRED = "shred"  # destroy images for good; two people each time
    MANAGE_STAFF = "manage-staff"
    MANAGE_PRACTICE = "manage-practice"
    MANAGE_AGREEMENTS = "manage-agreements"
    READ_COMPLIANCE = "read-compliance"


_DESK: Final = {
    Action.SIGNED_IN,
    Action.FIND_PATIENTS,
    Action.ADD_PATIENTS,
    Action.UPLOAD,
    Action.VIEW_IMAGES,
    Action.SHARE,
    Action.REVOKE,
}

MAY: Final[dict[str, frozenset[Action]]] = {
    Role.OWNER: frozenset(Action),
    Role.PRIVACY_OFFICER: frozenset(
        {
            Action.SIGNED_IN,
            Action.FIND_PATIENTS,
            Action.REVOKE,
            Action.RESOLVE_QUARANTINE,
            Action.READ_TRAIL,
            Action.MANAGE_AGREEMENTS,
            Action.READ_COMPLIANCE,
            Action.LIFT_HOLDS,
            Action.ACCOUNT_DISCLOSURES,
            Action.SHRED,
        }
    ),
    Role.CLINICIAN: frozenset(_DESK | {Action.DOWNLOAD, Action.RESOLVE_QUARANTINE}),
    Role.FRONT_DESK: frozenset(_DESK),
    # A referring dentist sees what was shared with them, through the recipient's door only.
    Role.REFERRING_DENTIST: frozenset({Action.SIGNED_IN}),
}


# The same for people who choose a role for somebody.
IN_WORDS: Final[dict[str, str]] = {
    Role.OWNER: "May do everything, and decides who works here.",
    Role.PRIVACY_OFFICER: "Finds patients, ends shares, decides about quarantine, reads the trail,"
    " keeps the agreements. Opens no images.",
    Role.CLINICIAN: "Adds patients and images, opens and downloads them, shares, decides about quarantine.",
    Role.FRONT_DESK: "Adds patients and images, opens them, shares and ends shares.",
    Role.REFERRING_DENTIST: "Works elsewhere, and sees only what is shared with them.",
}


def can(actor: Actor, action: Action) -> bool:
    """Whether the actor's role allows the action. Unknown roles may do nothing."""
    return actor.kind == "staff" and action in MAY.get(actor.role, frozenset())


def check(actor: Actor, action: Action) -> None:
    """Raise `AccessDenied` unless the actor's role allows the action."""
    if not can(actor, action):
        raise AccessDenied


View = TypeVar("View", bound=Callable[..., object])


def may(action: Action) -> Callable[[View], View]:
    """Mark a staff view with the action it needs; the middleware asks `check` before the view runs."""

    def mark(view: View) -> View:
        view.door, view.action = "staff", action  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Mark a view that needs no session. The list of these is closed, in a test."""
    view.door = "public"  # type: ignore[attr-defined]
    return view


def recipient(view: View) -> View:
    """Mark a view that asks for a share session itself, by `sharing.access`."""
    view.door = "recipient"  # type: ignore[attr-defined]
    return view


def background(view: View) -> View:
    """Mark a view that an open page asks for by itself: it keeps nobody signed in."""
    view.is_background = True  # type: ignore[attr-defined]
    return view
