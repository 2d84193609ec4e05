"""The owner's pages about the staff: who works here, and each person's account."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.forms import posted
from portal.accounts.models import Role
from portal.accounts.permissions import Action, may
from portal.errors import InvalidInput
from portal.practice import staff as verbs
from portal.practice.forms import MemberForm, RoleForm
from portal.practice.models import Membership


@may(Action.MANAGE_STAFF)
@require_safe
def staff(request: HttpRequest) -> HttpResponse:
    """Everybody who works here, or did."""
    members = verbs.members_of(request.actor.practice)  # type: ignore[attr-defined]
    return render(request, "practice/staff.html", {"section": "staff", "members": members})


@may(Action.MANAGE_STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
def new_member(request: HttpRequest) -> HttpResponse:
    """The form for somebody new; its answer shows their link."""
    form = MemberForm(posted(request))
    if form.is_valid():
        given = {**form.cleaned_data, "role": Role(form.cleaned_data["role"])}
        try:
            member, link = verbs.hire(**given, actor=request.actor)  # type: ignore[attr-defined]
            return _link_once(request, member, link)
        except InvalidInput as refusal:
            form.add_error("email", refusal.sentence)
    page = {"section": "staff", "form": form}
    return render(request, "practice/new_member.html", page, status=422 if form.errors else 200)


@may(Action.MANAGE_STAFF)
@require_safe
def member(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """One person's account."""
    found = _member(request, member_id)
    return _member_page(request, found, RoleForm(initial={"role": found.role}))


@may(Action.MANAGE_STAFF)
@require_POST
def change_role(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Give another role."""
    found, form = _member(request, member_id), RoleForm(request.POST)
    if not form.is_valid():
        return _member_page(request, found, form)
    role = Role(form.cleaned_data["role"])
    verbs.change_role(found, role=role, actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, f"The role is now: {role.label.lower()}.")
    return redirect("member", found.pk)


@may(Action.MANAGE_STAFF)
@require_POST
def new_invitation(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """A new link for someone whose link was lost or has ended."""
    found = _member(request, member_id)
    return _link_once(request, found, verbs.invite_again(found, actor=request.actor))  # type: ignore[attr-defined]


@may(Action.MANAGE_STAFF)
@require_POST
def deactivate_member(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Somebody has left."""
    found = _member(request, member_id)
    verbs.deactivate(found, actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, "The account is closed, and whoever was signed in with it is out.")
    return redirect("member", found.pk)


@may(Action.MANAGE_STAFF)
@require_POST
def activate_member(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Somebody is back."""
    found = _member(request, member_id)
    verbs.activate(found, actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, "The account is open again.")
    return redirect("member", found.pk)


@may(Action.MANAGE_STAFF)
@require_POST
def reset_password(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Somebody has forgotten their password."""
    found = _member(request, member_id)
    return _link_once(request, found, verbs.reset_password(found, actor=request.actor))  # type: ignore[attr-defined]


@may(Action.MANAGE_STAFF)
@require_POST
def reset_second_factor(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Somebody has lost their phone."""
    found = _member(request, member_id)
    verbs.reset_second_factor(found, actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, "Done. The next sign-in with the password sets up a new app.")
    return redirect("member", found.pk)


def _member(request: HttpRequest, member_id: UUID) -> Membership:
    return verbs.get_member(request.actor.practice, member_id)  # type: ignore[attr-defined]


def _member_page(request: HttpRequest, found: Membership, form: RoleForm) -> HttpResponse:
    is_self = found.user_id == request.actor.id  # type: ignore[attr-defined]
    page: dict[str, Any] = {"section": "staff", "member": found, "form": form, "is_self": is_self}
    return render(request, "practice/member.html", page, status=422 if form.errors else 200)


def _link_once(request: HttpRequest, found: Membership, link: str) -> HttpResponse:
    """The only page that shows a link; its token is in no session and no database."""
    page = {"section": "staff", "member": found, "link": link}
    return render(request, "practice/invitation_link.html", page)
