"""Complete answers leave in one piece, streams as streams, and Django hears the end of both."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse

from portal.serving.at_once import answered_at_once


class Noted(HttpResponse):
    """Says whether it was closed."""

    ended = False

    def close(self) -> None:
        self.ended = True
        super().close()


def ask(response: Any) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> Any:
        return response

    return answered_at_once(application)({}, print)


@pytest.mark.django_db  # the end of a request looks at the connection
def test_a_complete_answer_is_a_list_of_one_and_is_closed() -> None:
    response = Noted(b"frames")
    assert ask(response) == [b"frames"]
    assert response.ended


def test_a_stream_stays_a_stream() -> None:
    response = StreamingHttpResponse(iter([b"a", b"b"]))
    assert ask(response) is response
    assert b"".join(response) == b"ab"


def test_what_is_not_djangos_passes_untouched() -> None:
    assert ask([b"plain"]) == [b"plain"]
