"""What every request passes: headers, the language, the staff door, and errors turned into words once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation

from portal.accounts.addresses import client_address
from portal.accounts.permissions import Action, check
from portal.accounts.sessions import session_name
from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import AccessDenied, NotFound, ScanpassError, Sealed, SignInRequired, VaultDamaged
from portal.practice.models import Membership

log = logging.getLogger("portal")
Respond = Callable[[HttpRequest], HttpResponse]

PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in ("accelerometer", "camera", "geolocation", "gyroscope", "magnetometer", "microphone",
                    "payment", "usb", "interest-cohort")  # fmt: skip
)


class HeadersMiddleware:
    """The headers that no view may forget; static files keep their own caching."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.respond(request)
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Permissions-Policy"] = PERMISSIONS_POLICY
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["X-Frame-Options"] = "DENY"
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
        self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict
    ) -> HttpResponse | None:
        # Django asks process_exception only about views, so what is refused here is answered here.
        try:
            self._open(request, view)
        except ScanpassError as error:
            return problem(request, error)
        return None

    def _open(self, request: HttpRequest, view: Callable) -> None:
        if getattr(view, "door", "staff") != "staff":
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


def staff_actor(request: HttpRequest) -> Actor:
    """Who is signed in here, with what role. Raises `SignInRequired` when nobody is, or idled out."""
    user = request.user
    if not user.is_authenticated or not user.is_verified():  # type: ignore[union-attr]
        raise SignInRequired
    _keep_alive(request)
    membership = _membership(request)
    return Actor(
        kind="staff",
        practice=membership.practice_id,
        id=user.pk,
        role=membership.role,
        label=user.name,  # type: ignore[union-attr]
        session=session_name(request.session.session_key or ""),
        method="totp",
        address=client_address(request),
    )


def _membership(request: HttpRequest) -> Membership:
    memberships = Membership.objects.filter(user_id=request.user.pk, is_active=True).select_related("practice")
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
        logout(request)
        raise SignInRequired
    # Background polling is no use: a page that refreshes itself must not keep its reader signed in.
    if moment - seen > 30 and request.headers.get("X-Background") != "1":
        session["seen"] = moment


# --- errors --------------------------------------------------------------------------------------------------------


class ErrorsMiddleware:
    """Turns our families of errors into a page or problem details (RFC 9457), and hides every other error."""

    def __init__(self, respond: Respond) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.respond(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, ScanpassError):
            if isinstance(error, VaultDamaged):
                log.error("sealed object refused: %s", error.reason)
            return problem(request, error)
        log.error("unexpected error in %s", getattr(request.resolver_match, "view_name", "?"), exc_info=error)
        return problem(request, ScanpassError())


def wants_json(request: HttpRequest) -> bool:
    """Whether the client is a script: it sent JSON, or asks for it, or fetches image data."""
    return (
        request.content_type == "application/json"
        or "application/json" in request.headers.get("Accept", "")
        or request.headers.get("Sec-Fetch-Dest") == "empty"
        or request.path.startswith(("/studies/", "/desk/studies/", "/desk/uploads"))
    )


def problem(request: HttpRequest, error: ScanpassError) -> HttpResponse:
    """The error as problem details or as a page; someone who isn't signed in is sent to sign in."""
    headers = {}
    details = dict(error.details)
    if (retry := getattr(error, "retry_after_s", None)) is not None:
        headers["Retry-After"] = str(retry)
        details["retry_after_s"] = retry
    if wants_json(request):
        body = {"title": error.title, "status": error.status, "detail": error.sentence, **details}
        return JsonResponse(body, status=error.status, headers=headers, content_type="application/problem+json")
    if isinstance(error, SignInRequired):
        query = urlencode({"next": request.path}) if request.method == "GET" else ""
        return HttpResponseRedirect(f"{reverse('sign_in')}?{query}".rstrip("?"))
    page = "error_share.html" if request.path.startswith("/s/") else "error.html"
    context = {"title": error.title, "sentence": error.sentence, "status": error.status, **details}
    response = render(request, page, context, status=error.status)
    for name, value in headers.items():
        response[name] = value
    return response


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's view for a missing or wrong CSRF token."""
    return problem(request, AccessDenied("This page was open too long. Please reload it and try again."))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The one page for every address that isn't there."""
    return problem(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """The last resort, where not even the middleware could answer."""
    return problem(request, Sealed() if not settings.KEYRING_PATH.exists() else ScanpassError())


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A request that Django itself refused (a foreign Host, too many fields)."""
    return JsonResponse({"title": "Bad request", "status": 400}, status=400, content_type="application/problem+json")


def page_context(request: HttpRequest) -> dict[str, object]:
    """What every page may show: who is signed in, where, and what the operator must know."""
    from portal.accounts.permissions import can

    actor = getattr(request, "actor", None)
    return {
        "actor": actor,
        "practice": getattr(request, "practice", None),
        "keys_beside_data": settings.ACCEPT_COLOCATED_KEYS,
        "is_demo": settings.DEMO,
        "may": {str(action).replace("-", "_") for action in Action if actor and can(actor, action)},
    }
