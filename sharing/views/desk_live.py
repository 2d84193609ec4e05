"""All shares of the practice on one page, and ending many at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.permissions import Action, may
from portal.errors import InvalidInput
from portal.records.models import Disclosure
from portal.records.views import live
from sharing.live_shares import ENDINGS, STATES, Filters, Page, find_shares, issuers
from sharing.revoke import revoke_many


@may(Action.FIND_PATIENTS)
@require_safe
def live_shares(request: HttpRequest) -> HttpResponse:
    """The shares that fit the filters, as a page or as a piece that keeps itself up to date."""
    practice = request.actor.practice  # type: ignore[attr-defined]
    filters = Filters.of(request.GET)
    page = find_shares(practice, filters)
    shown = {
        "section": "shares",
        "filters": filters,
        "page": page,
        "query": filters.query(),
        **_pages(filters),
    }
    if request.htmx:  # type: ignore[attr-defined]
        return live.answer(request, "sharing/_live.html", shown, state=_state(page))
    choices = {
        "states": STATES,
        "kinds": Disclosure.Recipient.choices,
        "endings": ENDINGS,
        "issuers": issuers(practice),
    }
    seen = live.digest_of(_state(page))
    return render(request, "sharing/live.html", {**shown, **choices, "seen": seen})


@may(Action.REVOKE)
@require_POST
def revoke_shares(request: HttpRequest) -> HttpResponse:
    """End every share that was ticked."""
    ids = _ids(request.POST.getlist("share"))
    ended = revoke_many(ids, actor=request.actor)  # type: ignore[attr-defined]
    messages.success(request, _told(ended, len(set(ids))))
    return HttpResponseRedirect(f"{reverse('live_shares')}?{Filters.of(request.POST).query()}")


def _pages(filters: Filters) -> dict[str, str]:
    return {"before": filters.query(page=filters.page - 1), "after": filters.query(page=filters.page + 1)}


def _state(page: Page) -> list[Any]:
    return [page.total, [(row.share.pk, row.state, row.share.expires_at, row.last_at) for row in page.rows]]


def _ids(texts: list[str]) -> list[UUID]:
    try:
        ids = [UUID(text) for text in texts]
    except ValueError:
        raise InvalidInput from None
    if not ids:
        raise InvalidInput("Tick the shares that should end.")
    return ids


def _told(ended: int, asked: int) -> str:
    sentence = f"{ended} share{'' if ended == 1 else 's'} ended. Open viewers close within seconds."
    over = asked - ended
    return sentence + (f" {over} had ended before." if over else "")
