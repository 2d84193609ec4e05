"""Pages of signing in and out, and of one's own account."""

from __future__ import annotations

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts import own_sessions, second_factor, step_up
from portal.accounts import sign_in as verbs
from portal.accounts.forms import ChangePasswordForm, CodeForm, ConfirmForm, SignInForm, posted
from portal.accounts.known_browsers import keep_name
from portal.accounts.models import RecoveryDevice, Role, TotpDevice, User
from portal.accounts.passkeys import has_passkey, passkeys_of
from portal.accounts.permissions import Action, background, can, may, public
from portal.errors import CodeRefused

ask_or_take = require_http_methods(["GET", "HEAD", "POST"])


@public
@ask_or_take
def sign_in(request: HttpRequest) -> HttpResponse:
    """E-mail and password."""
    if request.user.is_authenticated and request.user.is_verified():  # type: ignore[attr-defined]
        return redirect("home")
    form = SignInForm(posted(request), initial={"next": request.GET.get("next", "")})
    if form.is_valid():
        given = form.cleaned_data
        try:
            user = verbs.check_password(
                request, email=given["email"], password=given["password"], next_page=given["next"]
            )
            return redirect("second_factor" if second_factor.is_enrolled(user) else "enrol")
        except CodeRefused as refusal:
            form.add_error(None, refusal.sentence)
    return render(request, "accounts/sign_in.html", {"form": form}, status=422 if form.errors else 200)


@public
@ask_or_take
def give_code(request: HttpRequest) -> HttpResponse:
    """The code of the authenticator app, or a recovery code."""
    user = verbs.pending_user(request)
    if not second_factor.is_enrolled(user):
        return redirect("enrol")
    next_page = request.session["pending"]["next"]
    form = CodeForm(posted(request))
    if form.is_valid():
        try:
            device = verbs.give_code(request, user, form.cleaned_data["code"])
            _warn_of_few_codes(request, device)
            return keep_name(request, redirect(next_page or "home"))
        except CodeRefused as refusal:
            form.add_error("code", refusal.sentence)
    return _second_factor_page(request, user, form)


@public
@ask_or_take
def enrol(request: HttpRequest) -> HttpResponse:
    """The first sign-in: set up an authenticator app, confirm it by a code, get the recovery codes."""
    user = verbs.pending_user(request)
    if second_factor.is_enrolled(user):
        return redirect("second_factor")
    form = CodeForm(posted(request), digits_only=True)
    if form.is_valid():
        try:
            codes = verbs.give_first_code(request, user, form.cleaned_data["code"])
            return keep_name(request, _codes_once(request, codes))
        except CodeRefused as refusal:
            form.add_error("code", refusal.sentence)
    device = second_factor.pending_enrolment(user)
    page = {"form": form, "qr": _qr(device), "secret": _readable(device), "email": user.email}
    return render(request, "accounts/enrol.html", page, status=422 if form.errors else 200)


@may(Action.SIGNED_IN)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Where the reader's work is."""
    return redirect("desk" if can(request.actor, Action.FIND_PATIENTS) else "account")  # type: ignore[attr-defined]


@may(Action.SIGNED_IN)
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """One's own account: who one is here, and how many recovery codes are left."""
    return _account_page(request, CodeForm(digits_only=True))


@may(Action.SIGNED_IN)
@require_POST
def new_recovery_codes(request: HttpRequest) -> HttpResponse:
    """A new sheet of recovery codes, for a code of the app: a screen left open must not give them away."""
    form = CodeForm(request.POST, digits_only=True)
    if form.is_valid():
        try:
            code, actor = form.cleaned_data["code"], request.actor  # type: ignore[attr-defined]
            return _codes_once(request, verbs.renew_recovery_codes(request, request.user, code, actor=actor))  # type: ignore[arg-type]
        except CodeRefused as refusal:
            form.add_error("code", refusal.sentence)
    return _account_page(request, form)


@may(Action.SIGNED_IN)
@ask_or_take
def confirm(request: HttpRequest) -> HttpResponse:
    """A new code of the app, before what needs one; then on to where the reader was going."""
    form = ConfirmForm(posted(request), initial={"next": request.GET.get("next", "")})
    if form.is_valid():
        given = form.cleaned_data
        try:
            step_up.confirm(request, request.user, given["code"], actor=request.actor)  # type: ignore[arg-type, attr-defined]
            return redirect(given["next"] if verbs.is_ours(given["next"]) else "home")
        except CodeRefused as refusal:
            form.add_error("code", refusal.sentence)
    page = {"form": form, "has_passkey": has_passkey(request.user)}  # type: ignore[arg-type]
    return render(request, "accounts/confirm.html", page, status=422 if form.errors else 200)


@may(Action.SIGNED_IN)
@ask_or_take
def change_password(request: HttpRequest) -> HttpResponse:
    """Another password, against the one there is; every other browser is signed out."""
    form = ChangePasswordForm(request.user, posted(request))  # type: ignore[arg-type]
    if form.is_valid():
        given = form.cleaned_data
        try:
            verbs.change_password(
                request,
                request.user,  # type: ignore[arg-type]
                current=given["current"],
                new=given["password"],
                actor=request.actor,  # type: ignore[attr-defined]
            )
            messages.success(request, "The password is changed. Other browsers are signed out.")
            return redirect("account")
        except CodeRefused as refusal:
            form.add_error("current", refusal.sentence)
    page = {"section": "account", "form": form}
    return render(request, "accounts/change_password.html", page, status=422 if form.errors else 200)


@may(Action.SIGNED_IN)
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    ended = own_sessions.end_others(request.user, actor=request.actor)  # type: ignore[arg-type, attr-defined]
    messages.success(request, f"Signed out in {ended} other browser{'s' if ended != 1 else ''}.")
    return redirect("account")


@may(Action.SIGNED_IN)
@require_POST
def stay(request: HttpRequest) -> HttpResponse:
    """ "I need more time": asking is using, so the session idles out later."""
    return HttpResponse(status=204)


@may(Action.SIGNED_IN)
@require_POST
@background
def idled_out(request: HttpRequest) -> HttpResponse:
    """Nobody has used the page for long: the session ends now, and what stood in its form waits for its writer."""
    verbs.end_idle_session(request, actor=request.actor)  # type: ignore[attr-defined]
    return HttpResponse(status=204)


@may(Action.SIGNED_IN)
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    verbs.end_session(request, actor=request.actor)  # type: ignore[attr-defined]
    return redirect("sign_in")


def _second_factor_page(request: HttpRequest, user: User, form: CodeForm) -> HttpResponse:
    page = {"form": form, "has_passkey": has_passkey(user)}
    return render(request, "accounts/second_factor.html", page, status=422 if form.errors else 200)


def _account_page(request: HttpRequest, form: CodeForm) -> HttpResponse:
    page = {
        "section": "account",
        "codes_left": second_factor.recovery_codes_left(request.user),  # type: ignore[arg-type]
        "form": form,
        "passkeys": passkeys_of(request.user),  # type: ignore[arg-type]
        "sessions": own_sessions.sessions_of(request.user, this=request.actor.session),  # type: ignore[arg-type, attr-defined]
        "role": Role(request.actor.role).label,  # type: ignore[attr-defined]
    }
    return render(request, "accounts/account.html", page, status=422 if form.errors else 200)


def _codes_once(request: HttpRequest, codes: list[str]) -> HttpResponse:
    """The only page that shows recovery codes; they are in no session and no database."""
    return render(request, "accounts/recovery_codes.html", {"codes": codes})


def _warn_of_few_codes(request: HttpRequest, device: object) -> None:
    if isinstance(device, RecoveryDevice):
        left = second_factor.recovery_codes_left(request.user)  # type: ignore[arg-type]
        messages.warning(
            request, f"You used a recovery code. You have {left} left; make new ones under Account."
        )


def _qr(device: TotpDevice) -> str:
    """The QR code as SVG markup inside the page: it then needs no address of its own."""
    svg = segno.make(second_factor.otpauth_uri(device), error="m").svg_inline(
        scale=5, border=4, svgclass="qr", lineclass=None, omitsize=True, title="QR code for your app"
    )
    return mark_safe(svg)  # noqa: S308 (made of our own digits, by segno)


def _readable(device: TotpDevice) -> str:
    return second_factor.groups_of_four(second_factor.secret_base32(device))
