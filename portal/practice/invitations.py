"""The one-time link with which a new member of staff chooses their password.

The owner hands it over; Scanpass sends it nowhere. The token stands in the URL's fragment, which reaches no log,
and is kept as a keyed hash. It works for three days, once, and only while the person belongs to the practice.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from portal.accounts.models import User
from portal.accounts.second_factor import is_enrolled
from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import Conflict, Gone
from portal.practice.models import Invitation, Membership
from portal.sealed.keys import installation_key

LIFETIME: Final = timedelta(hours=72)  # over a weekend
TOKEN_BYTES: Final = 16
ENDED: Final = "This invitation has ended or was used already. Ask the practice owner for a new one."
JOINED: Final = "This person has chosen a password already, or is deactivated. No link was made."


@transaction.atomic
def make_invitation(member: Membership, *, actor: Actor) -> str:
    """A new link for someone who has no password yet; the one before stops working.

    Raises `Conflict` for someone who has one: the link would let its holder take the account over.
    """
    if member.user.has_usable_password() or not member.is_active:
        raise Conflict(JOINED)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    live = {"token_hmac": _hmac(token), "expires_at": now() + LIFETIME, "used_at": None}
    Invitation.objects.update_or_create(membership=member, defaults=live)
    trail.record("staff.invited", actor=actor, subject=str(member.user_id))
    return f"{settings.PUBLIC_BASE_URL}/invitation/#{token}"


def invited(token: str) -> User:
    """Who the link invites. Raises `Gone` unless it is live."""
    return _live(token).membership.user


def accept_invitation(token: str, *, password: str, address: str) -> User:
    """Use the link up and give the user their password; the second factor is still to be set up.

    `address` is the network address, for the trail. Raises `Gone` unless the link is live.
    """
    member = _live(token).membership
    hashed = make_password(password)  # before the transaction: it takes long, and others want to write
    actor = Actor(
        kind="staff",
        practice=member.practice_id,
        id=member.user_id,
        role=member.role,
        label=member.user.name,
        method="invitation",
        address=address,
    )
    with transaction.atomic():
        moment = now()
        unused = Invitation.objects.filter(token_hmac=_hmac(token), used_at=None, expires_at__gt=moment)
        if unused.update(used_at=moment) != 1:
            raise Gone(ENDED)
        User.objects.filter(pk=member.user_id).update(password=hashed)
        # Whoever has a second factor was in before: this is the link for a forgotten password.
        trail.record("staff.password-changed" if is_enrolled(member.user) else "staff.joined", actor=actor)
    return User.objects.get(pk=member.user_id)


def _live(token: str) -> Invitation:
    unused = Invitation.objects.filter(token_hmac=_hmac(token), used_at=None, expires_at__gt=now())
    found = unused.filter(membership__is_active=True).select_related("membership__user").first()
    if found is None:
        raise Gone(ENDED)
    return found


def _hmac(token: str) -> bytes:
    key = installation_key("tok", "invitation")
    return hmac.new(key, token.strip().encode(), hashlib.sha256).digest()
