"""What every request passes: headers, the language and the staff door. Errors: `portal.problems`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from whitenoise.middleware import WhiteNoiseFileResponse

from portal.accounts import chairside
from portal.accounts.addresses import client_address
from portal.accounts.models import User
from portal.accounts.permissions import Action, can, check
from portal.accounts.sessions import session_name
from portal.accounts.step_up import check_fresh
from portal.accounts.unsent import put_back, sign_out_keeping
from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import AccessDenied, ScanpassError, SignInRequired
from portal.practice.models import Membership
from portal.problems import problem

Respond = Callable[[HttpRequest], HttpResponse]
View = Callable[..., HttpResponse]

UNUSED = "accelerometer camera geolocation gyroscope interest-cohort magnetometer microphone payment usb"
PERMISSIONS_POLICY = ", ".join(f"{feature}=()" for feature in UNUSED.split())
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "Permissions-Policy": PERMISSIONS_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class HeadersMiddleware:
    """The headers that no view may forget. It stands first, so that what others refuse has them too."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.respond(request)
        for name, value in HEADERS.items():
            response[name] = value
        # Only the files of the checkout, the same for everyone, may be kept.
        if not isinstance(response, WhiteNoiseFileResponse):
            response["Cache-Control"] = "no-store"
        return response


class LanguageMiddleware:
    """The reader's language: chosen on the page (a cookie), else the browser's, of those we speak."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/studies/") or request.path.startswith("/desk/"):
            return self.respond(request)
        with translation.override(translation.get_language_from_request(request)):
            response = self.respond(request)
            response.setdefault("Content-Language", translation.get_language())
            return response


# --- the staff's door ----------------------------------------------------------------------------------------------


class StaffDoorMiddleware:
    """Login is required unless a view says otherwise; then the second factor, then the role's permission."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.respond(request)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        # Django asks process_exception only about views, so what is refused here is answered here.
        try:
            self._open(request, view, kwargs)
        except ScanpassError as error:
            return problem(request, error)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        """What a verb refuses to somebody signed in stands in the trail too: their own role, the second person."""
        actor = getattr(request, "actor", None)
        if isinstance(error, AccessDenied) and actor is not None and actor.kind == "staff":
            view = request.resolver_match.view_name if request.resolver_match else ""
            trail.record_alone("access.refused", actor=actor, outcome="refused", page=view)

    def _open(self, request: HttpRequest, view: View, place: dict[str, Any]) -> None:
        # Named here, so that a misspelt door is the staff's, which is closed.
        if getattr(view, "door", "staff") in {"public", "recipient"}:
            return
        request.actor = actor = staff_actor(request)  # type: ignore[attr-defined]
        action = getattr(view, "action", None)
        if action is None:
            raise AccessDenied  # a staff view without an action is a mistake: closed
        try:
            check(actor, Action(action))
        except AccessDenied:
            trail.record_alone("access.refused", actor=actor, outcome="refused", action=str(action))
            raise
        chairside.check(request, place)
        check_fresh(request, Action(action))


def staff_actor(request: HttpRequest) -> Actor:
    """Who is signed in here, with what role. Raises `SignInRequired` when nobody is, or idled out."""
    user = request.user
    if not isinstance(user, User) or not user.is_verified():  # type: ignore[attr-defined] # django-otp adds it
        raise SignInRequired
    _keep_alive(request)
    membership = _membership(request, user)
    return Actor(
        kind="staff",
        practice=membership.practice_id,
        id=user.pk,
        role=membership.role,
        label=user.name,
        session=session_name(request.session.session_key or ""),
        method=request.session.get("method", "totp"),
        address=client_address(request),
    )


def _membership(request: HttpRequest, user: User) -> Membership:
    memberships = Membership.objects.filter(user=user, is_active=True).select_related("practice")
    chosen = request.session.get("practice")
    membership = (memberships.filter(practice_id=chosen).first() if chosen else None) or memberships.first()
    if membership is None:
        raise AccessDenied("Your account belongs to no practice any more. Ask the practice owner.")
    request.practice = membership.practice  # type: ignore[attr-defined]
    return membership


def _keep_alive(request: HttpRequest) -> None:
    moment = now().timestamp()
    session = request.session
    started, seen = session.get("started", 0), session.get("seen", 0)
    if moment - seen > settings.STAFF_IDLE_S or moment - started > settings.STAFF_ABSOLUTE_S:
        raise SignInRequired(back=sign_out_keeping(request))
    if moment - seen > 30 and not _is_background(request):
        session["seen"] = moment


def _is_background(request: HttpRequest) -> bool:
    """Whether the page asked by itself: one that refreshes itself must not keep its reader signed in."""
    view = request.resolver_match.func if request.resolver_match else None
    return request.headers.get("X-Background") == "1" or getattr(view, "is_background", False)


# --- what every page knows ----------------------------------------------------------------------------------------


def page_context(request: HttpRequest) -> dict[str, object]:
    """What every page may show: who is signed in, where, and what the operator must know."""
    actor = getattr(request, "actor", None)
    return {
        "actor": actor,
        "practice": getattr(request, "practice", None),
        "keys_beside_data": settings.ACCEPT_COLOCATED_KEYS,
        "is_demo": settings.DEMO,
        "idle_s": settings.STAFF_IDLE_S,
        # Called by the desk's frame alone: what it hands out is gone afterwards.
        "unsent": lambda: put_back(request) if actor is not None and actor.kind == "staff" else None,
        "is_chairside": actor is not None and actor.kind == "staff" and chairside.is_chairside(request),
        "may": {str(action).replace("-", "_") for action in Action if actor and can(actor, action)},
    }
