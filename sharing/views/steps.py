"""The steps between link and scan: the date of birth or the address, the code asked for, the code given back."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portal.accounts.addresses import client_address
from portal.accounts.permissions import recipient
from portal.clock import now
from portal.errors import AccessDenied, CodeRefused, Conflict, InvalidInput, ScanpassError
from portal.records.dentists import is_shared_mailbox
from sharing import limits
from sharing.access import Step, asks_address, next_step, require_share_session, session_of, state_for
from sharing.actors import recipient as recipient_of
from sharing.add_person import ask_to_be_added, asked_by, self_declared
from sharing.addresses import folded, hint
from sharing.answers import keep_cookie, onward, refused, with_page
from sharing.calls import can_be_called, may_call
from sharing.code_state import code_state
from sharing.desk_code import parsed_desk_code
from sharing.inputs import birthdate as read_birthdate
from sharing.inputs import code as read_code
from sharing.inputs import field
from sharing.matching import Matched, give_address, give_birthdate
from sharing.models import Challenge, Message, Share, ShareSession
from sharing.paper import is_on_paper
from sharing.slip import verify_desk_code
from sharing.verify import request_code, verify_code
from sharing.views.ended import ending
from sharing.views.landing import initials


def _page(
    request: HttpRequest, name: str, session: ShareSession, error: ScanpassError | None, **more: Any
) -> HttpResponse:
    """A step's page. It names practice and patient only while the link lives, or once the date matched."""
    context: dict[str, Any] = {
        "error": error,
        "error_field": error.details.get("field", "") if error else "",
        **more,
    }
    share = session.share
    if share is not None and state_for(session) == "live":
        context |= {"practice": share.practice, "share": share, "who": _who(session, share)}
    return render(request, f"share/{name}.html", context)


def _who(session: ShareSession, share: Share) -> str:
    return initials(share) if asks_address(session) else share.patient.short_name


def _elsewhere(session: ShareSession, *steps: str) -> HttpResponse | None:
    """A redirect to where this session goes on, if that is another page."""
    return None if session.step in steps else HttpResponseRedirect(next_step(session))


# --- is it you? ----------------------------------------------------------------------------------------------------


def _birthdate_page(request: HttpRequest, error: ScanpassError | None) -> HttpResponse:
    session = session_of(request)
    if asks_address(session):
        return HttpResponseRedirect("/s/address")
    if error:
        error.details.setdefault("field", "month")
    typed = {name: request.POST.get(name, "")[:12] for name in ("month", "day", "year")}
    return _elsewhere(session, Step.OPENED) or _page(request, "birthdate", session, error, typed=typed)


@recipient
@with_page(_birthdate_page)
def birthdate(request: HttpRequest) -> HttpResponse:
    """Take the date of birth."""
    session = require_share_session(request, Step.OPENED, ended=True)
    if asks_address(session):
        raise Conflict(next="/s/address")
    matched = give_birthdate(session, read_birthdate(request), address=client_address(request))
    share = matched.session.share
    if share is None or matched.state != "live":
        response = refused(request, ending(share), page="/s/ended", state=matched.state, next="/s/renew")
    else:
        step = "slip" if is_on_paper(share) else "code"
        facts = {"next": step, "sent_to": hint(share.channel, share.address)}
        response = onward(request, facts, page=f"/s/{step}")
    return keep_cookie(response, matched.key)


def _address_page(request: HttpRequest, error: ScanpassError | None) -> HttpResponse:
    session = session_of(request)
    if session.step == Step.OPENED and not asks_address(session):
        return HttpResponseRedirect("/s/birthdate")
    typed = {name: request.POST.get(name, "")[:200] for name in ("name", "role", "address")}
    return _elsewhere(session, Step.OPENED) or _page(request, "address", session, error, typed=typed)


@recipient
@with_page(_address_page)
def address(request: HttpRequest) -> HttpResponse:
    """Take the dentist's address. The answer never tells whether it was right."""
    session = require_share_session(request, Step.OPENED, ended=True)
    if not asks_address(session):
        raise Conflict(next="/s/birthdate")
    typed = field(request, "address")
    if not folded(typed):
        # Like a date that can't be: no try, whoever types it.
        raise InvalidInput(
            _("This is not an e-mail address or a mobile number. Please check it."), field="address"
        )
    said = ""
    if session.share is not None and is_shared_mailbox(session.share.practice_id, typed):
        said = _said(request)
    matched: Matched = give_address(session, typed, address=client_address(request), said=said)
    return keep_cookie(onward(request, {"next": "code"}, page="/s/code"), matched.key)


def _said(request: HttpRequest) -> str:
    """Who they say they are; several people read what goes to this address."""
    try:
        return self_declared(field(request, "name"), field(request, "role"))
    except InvalidInput as error:
        raise InvalidInput(
            _("Several people may read that address. Enter your name and what you do there."), **error.details
        ) from None


def _colleague_page(request: HttpRequest, error: ScanpassError | None) -> HttpResponse:
    session = session_of(request)
    if session.step == Step.OPENED and not asks_address(session):
        return HttpResponseRedirect("/s/birthdate")
    typed = {name: request.POST.get(name, "")[:200] for name in ("name", "role", "address")}
    is_asked = session.share is not None and asked_by(session.share) is not None
    away = _elsewhere(session, Step.OPENED)
    return away or _page(request, "colleague", session, error, typed=typed, is_asked=is_asked)


@recipient
@with_page(_colleague_page)
def colleague(request: HttpRequest) -> HttpResponse:
    """Somebody to whom a dentist's link was forwarded asks for one of their own."""
    session = require_share_session(request, Step.OPENED)
    if session.share is None or not asks_address(session):
        raise Conflict(next="/s/birthdate")
    limits.take_from(limits.MATCHES_HOUR, client_address(request))
    given = {name: field(request, name) for name in ("name", "role", "address")}
    actor = recipient_of(session.share, session, address=client_address(request))
    ask_to_be_added(session.share, actor=actor, **given)
    return onward(request, {"next": "wait"}, page="/s/colleague", status=202)


# --- the code ------------------------------------------------------------------------------------------------------


def _code_session(request: HttpRequest) -> ShareSession:
    """A session that may ask for a code: one that matched, or a verified one before a download."""
    if session_of(request).step == Step.VERIFIED:
        return require_share_session(request, Step.VERIFIED)
    return require_share_session(request, Step.MATCHED)


def _code_page(request: HttpRequest, error: ScanpassError | None) -> HttpResponse:
    session = session_of(request)
    if session.step == Step.OPENED:
        return HttpResponseRedirect(next_step(session))
    if session.share is not None and is_on_paper(session.share):
        return HttpResponseRedirect("/s/slip")
    return _page(request, "code", _code_session(request), error, **_code_words(session))


@recipient
@with_page(_code_page)
def code(request: HttpRequest) -> HttpResponse:
    """Send a code."""
    request_code(_code_session(request), address=client_address(request))
    facts = {"next": "verify", "resend_after_s": settings.CODE_RESEND_AFTER_S}
    return onward(request, facts, page="/s/code/verify", status=202)


def _verify_page(request: HttpRequest, error: ScanpassError | None) -> HttpResponse:
    session = session_of(request)
    if session.step == Step.OPENED:
        return HttpResponseRedirect(next_step(session))
    if not Challenge.objects.filter(session=session).exists():
        return HttpResponseRedirect("/s/code")
    words = _code_words(session)
    words |= {"code_state": code_state(session), "is_call": _is_call(session), **_call_words(session)}
    return _page(request, "verify", _code_session(request), error, **words)


def _is_call(session: ShareSession) -> bool:
    """Whether this browser's newest code is one that is spoken."""
    newest = Message.objects.filter(challenge__session=session).order_by("-created_at").first()
    return newest is not None and newest.kind == Message.Kind.CALL


def _call_words(session: ShareSession) -> dict[str, Any]:
    """Whether the page has the button for a call at all, and whether it shows already."""
    share = session.share
    return {
        "can_be_called": share is not None and can_be_called(share),
        "may_call": may_call(session),
    }


@recipient
@with_page(_verify_page)
def verify(request: HttpRequest) -> HttpResponse:
    """Take the code; the right one opens the scan."""
    session = _code_session(request)
    if session.share is None:
        raise AccessDenied
    try:
        verified = verify_code(session, read_code(request), address=client_address(request))
    except CodeRefused as error:
        error.details.setdefault("field", "code")
        raise
    return keep_cookie(onward(request, {"next": "/s/view"}, page="/s/view"), verified.key)


@recipient
@with_page(_verify_page)
def call(request: HttpRequest) -> HttpResponse:
    """Call with a code, for whom no text comes or who can't read one."""
    request_code(_code_session(request), address=client_address(request), by_call=True)
    facts = {"next": "verify", "resend_after_s": settings.CODE_RESEND_AFTER_S}
    return onward(request, facts, page="/s/code/verify", status=202)


@recipient
@require_safe
def code_news(request: HttpRequest) -> JsonResponse:
    """What has become of the code, for the page that waits for it, and whether a call may be asked for instead."""
    session = _code_session(request)
    told = code_state(session)
    return JsonResponse({"state": told.state, "words": str(told.words), "may_call": may_call(session)})


# --- the code of a letter ------------------------------------------------------------------------------------------


def _slip_page(request: HttpRequest, error: ScanpassError | None) -> HttpResponse:
    session = session_of(request)
    if session.step == Step.OPENED:
        return HttpResponseRedirect(next_step(session))
    if session.share is None or not is_on_paper(session.share):
        return HttpResponseRedirect("/s/code")
    is_step_up = session.step == Step.VERIFIED
    return _page(request, "slip", _code_session(request), error, is_step_up=is_step_up)


@recipient
@with_page(_slip_page)
def slip(request: HttpRequest) -> HttpResponse:
    """Take the code from the slip; the right one opens the scan."""
    session = _code_session(request)
    try:
        typed = parsed_desk_code(field(request, "code"))
        verified = verify_desk_code(session, typed, address=client_address(request))
    except CodeRefused as error:
        error.details.setdefault("field", "code")
        raise
    return keep_cookie(onward(request, {"next": "/s/view"}, page="/s/view"), verified.key)


def _code_words(session: ShareSession) -> dict[str, Any]:
    """Where the code goes, as far as this browser may know, and when the next may be asked for."""
    share = session.share
    if share is None:
        return {}
    knows = share.disclosure.recipient_kind != "dentist"
    wait = (
        (share.code_asked_at - now()).total_seconds() + settings.CODE_RESEND_AFTER_S
        if share.code_asked_at
        else 0
    )
    return {
        "sent_to": hint(share.channel, share.address) if knows else "",
        "is_text": share.channel == "text",
        "is_step_up": session.step == Step.VERIFIED,
        "resend_after_s": max(0, int(wait + 0.999)),
    }
