"""Who works in the practice: adding people, changing roles, closing and opening accounts.

Only an owner does any of it, never to themselves: the one who acts stays an owner, so a practice never loses
its last. Each deed locks the practice first, or two owners could close each other's accounts at the same moment.

Source: 45 CFR 164.308(a)(3)(ii)(C), termination procedures; 164.308(a)(4)(ii)(C), access modification.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from portal.accounts.known_browsers import forget_browsers
from portal.accounts.models import Role, TotpDevice, User
from portal.accounts.second_factor import forget_second_factor
from portal.accounts.sessions import end_sessions_of
from portal.audit import trail
from portal.audit.actor import Actor
from portal.errors import AccessDenied, Conflict, InvalidInput, NotFound
from portal.practice.invitations import make_invitation
from portal.practice.models import Invitation, Membership, Practice
from portal.practice.open_practice import add_staff

# The same words for one's own colleague and for someone of another practice: which, is not this owner's to know.
TAKEN = "This e-mail address can't be added. Use another one."


def members_of(practice_id: uuid.UUID) -> QuerySet[Membership]:
    """The practice's staff, those who may come in first; each with `has_second_factor`."""
    confirmed = TotpDevice.objects.filter(user=OuterRef("user"), confirmed=True)
    members = Membership.objects.filter(practice_id=practice_id).annotate(has_second_factor=Exists(confirmed))
    return members.select_related("user", "invitation").order_by("-is_active", "user__name", "pk")


def get_member(practice_id: uuid.UUID, member_id: uuid.UUID) -> Membership:
    """The practice's member of staff. Raises `NotFound` for anyone else's."""
    member = members_of(practice_id).filter(pk=member_id).first()
    if member is None:
        raise NotFound
    return member


def hire(*, name: str, email: str, role: Role, actor: Actor) -> tuple[Membership, str]:
    """Add someone to the practice: their membership, and the link to hand over to them, told only now.

    Raises `InvalidInput(field="email")` when the address has an account anywhere.
    """
    with transaction.atomic():
        practice = _lock_practice(actor)
        try:
            with transaction.atomic():
                user = User.objects.create_user(email, None, name=name)
        except IntegrityError:
            raise InvalidInput(TAKEN, field="email") from None
        member = add_staff(practice, user, role, actor=actor)
        return member, make_invitation(member, actor=actor)


@transaction.atomic
def invite_again(member: Membership, *, actor: Actor) -> str:
    """A new link for someone who hasn't used theirs. Raises `Conflict` when they have joined."""
    return make_invitation(_locked(member, actor), actor=actor)


@transaction.atomic
def change_role(member: Membership, *, role: Role, actor: Actor) -> None:
    """Give another role, from the next request on. The role they have already is no change and no entry."""
    before = _locked(member, actor).role
    if before != role:
        Membership.objects.filter(pk=member.pk).update(role=role)
        _record("staff.role-changed", member, actor, before=before, role=str(role))


@transaction.atomic
def deactivate(member: Membership, *, actor: Actor) -> None:
    """Close the account here: sessions, half-done sign-ins and the invitation end.

    Raises `Conflict` if it is closed already.
    """
    if Membership.objects.filter(pk=_locked(member, actor).pk, is_active=True).update(is_active=False) != 1:
        raise Conflict
    Invitation.objects.filter(membership=member).delete()
    end_sessions_of(member.user_id)
    _record("staff.deactivated", member, actor)


@transaction.atomic
def activate(member: Membership, *, actor: Actor) -> None:
    """Open the account again, with the password and second factor it had. Raises `Conflict` if it is open."""
    if Membership.objects.filter(pk=_locked(member, actor).pk, is_active=False).update(is_active=True) != 1:
        raise Conflict
    _record("staff.activated", member, actor)


@transaction.atomic
def reset_password(member: Membership, *, actor: Actor) -> str:
    """For a forgotten password: it and every session end, and a link lets them choose another.

    The second factor stays, so the link alone opens nothing. Raises `Conflict` for who never chose a password, or
    is deactivated.
    """
    user = _locked(member, actor).user
    if not user.has_usable_password() or not member.is_active:
        raise Conflict("There is no password to reset: this person was never in, or the account is closed.")
    user.set_unusable_password()
    user.save(update_fields=["password"])
    end_sessions_of(user.pk)
    forget_browsers(user)
    _record("staff.password-reset", member, actor)
    return make_invitation(get_member(member.practice_id, member.pk), actor=actor)


@transaction.atomic
def reset_second_factor(member: Membership, *, actor: Actor) -> None:
    """For a lost phone: authenticator, recovery codes and sessions end; the next sign-in sets up a new app.

    Raises `Conflict` when there is none.
    """
    if not forget_second_factor(_locked(member, actor).user):
        raise Conflict("This person has no second step to reset. The next sign-in sets one up.")
    end_sessions_of(member.user_id)
    forget_browsers(member.user)
    _record("staff.second-factor-reset", member, actor)


def _locked(member: Membership, actor: Actor) -> Membership:
    """The member as they are now, with the practice locked. Raises `AccessDenied` for oneself."""
    practice = _lock_practice(actor)
    if member.user_id == actor.id:
        raise AccessDenied("Nobody changes their own account here. Ask another owner.")
    return get_member(practice.pk, member.pk)


def _lock_practice(actor: Actor) -> Practice:
    """The actor's practice, locked; whoever acts must still be one of its owners once the lock is held."""
    if actor.practice is None or actor.id is None:
        raise AccessDenied
    # SQLite's IMMEDIATE transactions exclude every other writer already.
    practice = Practice.objects.select_for_update(no_key=True).get(pk=actor.practice)
    owners = Membership.objects.filter(practice=practice, role=Role.OWNER, is_active=True)
    if not owners.filter(user_id=actor.id).exists():
        raise AccessDenied
    return practice


def _record(code: str, member: Membership, actor: Actor, **facts: Any) -> None:
    private = {"name": member.user.name}
    trail.record(code, actor=actor, subject=str(member.user_id), private=private, **facts)
