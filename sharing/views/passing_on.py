"""The patient's page for sending a scan on to a dentist: whom, what, how long; and ending it."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.accounts.addresses import client_address
from portal.accounts.permissions import recipient
from portal.clock import now
from portal.errors import AccessDenied, InvalidInput, NotFound, ScanpassError
from portal.records.models import Disclosure
from sharing import pass_on as verbs
from sharing.access import require_share_session
from sharing.actors import recipient as recipient_of
from sharing.answers import onward, with_page
from sharing.inputs import digits, field
from sharing.liveness import state_of
from sharing.models import Share, ShareSession
from sharing.views.inside import shared_studies


def _page(request: HttpRequest, error: ScanpassError | None) -> HttpResponse:
    share = _own(_session(request))
    found = shared_studies(share)
    chosen = request.POST.getlist("study") if request.method == "POST" else [str(row.pk) for row in found]
    moment = now()
    sent = Share.objects.filter(reshare__parent=share).select_related("disclosure").order_by("-created_at")
    context = {
        "error": error,
        "error_field": error.details.get("field", "") if error else "",
        "practice": share.practice,
        "who": share.patient.short_name,
        "face": "patient",
        "share": share,
        "choices": [(study, str(study.pk) in chosen) for study in found],
        "days": [days for days in verbs.DAYS if days == 1 or days <= (share.expires_at - moment).days + 1],
        "typed": {name: request.POST.get(name, "")[:200] for name in ("name", "address", "days", "can")},
        "sent": [(one, state_of(one, moment)) for one in sent],
    }
    return render(request, "share/pass_on.html", context)


@recipient
@with_page(_page)
def pass_on(request: HttpRequest) -> HttpResponse:
    """Send it: the dentist gets a link, the practice's record says that the patient sent it."""
    session = _session(request)
    share = _own(session)
    days = digits(field(request, "days"))
    verbs.pass_on(
        share,
        studies=_studies(request),
        name=field(request, "name"),
        address=field(request, "address"),
        days=int(days) if days else 0,
        allows_download=field(request, "can") == "download",
        actor=recipient_of(share, session, address=client_address(request)),
    )
    return onward(request, {"next": "/s/dentist"}, page="/s/dentist", status=201)


@recipient
@require_POST
def end_passed_on(request: HttpRequest, share_id: uuid.UUID) -> HttpResponse:
    """The dentist's link ends now, for open viewers too."""
    session = _session(request)
    share = _own(session)
    actor = recipient_of(share, session, address=client_address(request))
    verbs.end_passed_on(share, share_id, actor=actor)
    return onward(request, {"next": "/s/dentist"}, page="/s/dentist")


def _session(request: HttpRequest) -> ShareSession:
    return require_share_session(request)


def _own(session: ShareSession) -> Share:
    share = session.share
    if share is None:
        raise NotFound
    if share.disclosure.recipient_kind == Disclosure.Recipient.DENTIST:
        raise AccessDenied(_("Only the patient can send the scan on."))
    return share


def _studies(request: HttpRequest) -> list[uuid.UUID]:
    """The ticked studies; a script names them in one field, with spaces between."""
    wanted = request.POST.getlist("study") or field(request, "studies").split()
    try:
        return [uuid.UUID(text) for text in wanted[:100]]
    except ValueError:
        raise InvalidInput(_("Choose at least one scan."), field="study") from None
