"""Pieces of a page that ask every few seconds whether they have changed.

A piece carries the digest of what it showed; while that is still so, the answer is 204 and the page is left
alone: what has the keyboard's focus keeps it. Such requests say `X-Background: 1` and keep nobody signed in.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def digest_of(state: Any) -> str:
    """A short name of what is shown; equal states have equal names."""
    return hashlib.sha256(json.dumps(state, default=str, sort_keys=True).encode()).hexdigest()[:24]


def answer(request: HttpRequest, template: str, context: dict[str, Any], *, state: Any) -> HttpResponse:
    """The piece, or 204 when the page that asks shows it already."""
    seen = digest_of(state)
    if request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    return render(request, template, {**context, "seen": seen})
