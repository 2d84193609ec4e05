"""What stood in a form of the desk when the session ended: kept for who typed it, and put back once they are in again.

It waits on the server, in the browser's next session, sealed under the practice's key and bound to its writer, for an
hour. Nothing is done with it: the page fills its form in, and somebody looks at it and sends it.

Source: WCAG 2.2, 2.2.5 (re-authenticating); 45 CFR 164.312(a)(2)(iii) (automatic logoff clears the screen).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib.auth import SESSION_KEY, logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from portal.clock import now
from portal.errors import Sealed, VaultDamaged
from portal.sealed.cells import open_cell, seal_cell

PAGE, ACTION = "unsent-page", "unsent-action"
"""Fields by which a page that idles out says where the form stands and where it would have gone."""
_KEPT: Final = "unsent"
_KEPT_FOR_S: Final = 3600
_LENGTH_MAX: Final = 32 * 1024
# No form of the desk asks for a password or a code of the app; those of the account do.
_OF_THE_DESK: Final = "/desk/"
_NOT_TYPED: Final = frozenset({"csrfmiddlewaretoken", "form_key", PAGE, ACTION})


@dataclass(frozen=True, slots=True)
class Unsent:
    """A form as it stood: the page it is on, the path it goes to, its fields in order."""

    page: str
    action: str
    fields: list[tuple[str, str]]


def sign_out_keeping(request: HttpRequest) -> str:
    """End the session of whoever sends this, keeping what was typed. Returns the page to come back to, or nothing."""
    form, kept = _kept_form(request)
    logout(request)
    if kept:
        request.session[_KEPT] = kept
    return form.page if form else ""


def keep_of_older_page(request: HttpRequest) -> str:
    """The same for a form from before its reader signed in anew, in another tab: they stay signed in.

    Only where the browser itself says that the form came from this site.
    """
    if request.headers.get("Sec-Fetch-Site") != "same-origin":
        return ""
    form, kept = _kept_form(request)
    if form is None or kept is None:
        return ""
    request.session[_KEPT] = kept
    return form.page


def flush_but_keep(session: SessionBase) -> None:
    """A session under a new key with nothing in it but what waits for its writer."""
    kept = session.get(_KEPT)
    session.flush()
    if kept:
        session[_KEPT] = kept


def put_back(request: HttpRequest) -> dict[str, Any] | None:
    """What its writer typed on this very page before the session ended, once; nothing for anybody else."""
    kept = request.session.get(_KEPT)
    if not kept or request.method != "GET":
        return None
    if kept["until"] < now().timestamp() or kept["practice"] != str(request.actor.practice):  # type: ignore[attr-defined]
        del request.session[_KEPT]
        return None
    form = _opened(kept["sealed"], UUID(kept["practice"]), request.user.pk)  # type: ignore[arg-type]
    if form is not None and urlsplit(form.page).path != request.path:
        return None
    del request.session[_KEPT]
    return {"action": form.action, "fields": form.fields} if form else None


def _kept_form(request: HttpRequest) -> tuple[Unsent | None, dict[str, Any] | None]:
    """The form of this request, and how it is kept for whoever is signed in; nothing of what is too long to keep."""
    form = _form_of(request)
    user, practice = request.session.get(SESSION_KEY), request.session.get("practice")
    if form is None or not (user and practice):
        return None, None
    try:
        sealed = _seal(UUID(practice), UUID(user), form)
    except Sealed:
        return form, None
    until = now().timestamp() + _KEPT_FOR_S
    kept = {"sealed": sealed, "practice": practice, "until": until}
    return form, kept if len(sealed) <= _LENGTH_MAX else None


def _form_of(request: HttpRequest) -> Unsent | None:
    """The form this request carries: sent too late, or handed in by its page as it idles out."""
    # What a page asks by itself while somebody types isn't the form.
    if request.method != "POST" or "HX-Request" in request.headers:
        return None
    action = request.POST.get(ACTION, request.path)
    page = request.POST.get(PAGE) or _page_before(request) or action
    if not (page.startswith(_OF_THE_DESK) and action.startswith(_OF_THE_DESK)):
        return None
    fields = [
        (name, value) for name, values in request.POST.lists() if name not in _NOT_TYPED for value in values
    ]
    return Unsent(page, action, fields) if any(value for _, value in fields) else None


def _page_before(request: HttpRequest) -> str:
    referrer = urlsplit(request.headers.get("Referer", ""))
    return f"{referrer.path}?{referrer.query}".rstrip("?") if referrer.netloc == request.get_host() else ""


# --- sealing -------------------------------------------------------------------------------------------------------


def _seal(practice: UUID, user: UUID, form: Unsent) -> str:
    body = json.dumps([form.page, form.action, form.fields]).encode()
    return base64.b64encode(seal_cell(practice, _KEPT, "form", user, body)).decode()


def _opened(sealed: str, practice: UUID, user: UUID) -> Unsent | None:
    """The form, if it is this user's."""
    try:
        return Unsent(*json.loads(open_cell(practice, _KEPT, "form", user, base64.b64decode(sealed))))
    except (Sealed, VaultDamaged):
        return None
