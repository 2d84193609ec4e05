"""Complete answers given to granian in one piece.

granian sends a list's bytes as they are, and draws anything else piece by piece through a channel, taking the
interpreter's lock again for every piece and once more for the end. Django's answers are not lists, complete or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpResponseBase

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def answered_at_once(application: Application) -> Application:
    """The application, whose complete answers are lists of one; streams stay streams."""

    def answering(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        response = application(environ, start_response)
        if not isinstance(response, HttpResponseBase) or response.streaming:
            return response
        try:
            return [response.content]  # type: ignore[attr-defined]
        finally:
            # What the server does with other answers: Django ends the request here.
            response.close()

    return answering
