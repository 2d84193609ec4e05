"""A browser without a screen: the standard library's HTTP, a jar of cookies, forms and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener

TIMEOUT_S = 60


@dataclass(frozen=True)
class Answer:
    """What came back; a refusal is an answer too."""

    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        assert "json" in self.headers.get_content_type(), self.headers.get_content_type()
        return json.loads(self.body)

    @property
    def location(self) -> str:
        return str(self.headers["Location"])


class _StayHere(HTTPRedirectHandler):
    """A redirect is an answer: where it leads is what the tests look at."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class Browser:
    """Cookies of one browser on one site."""

    # What proxies, histories and download folders get to see, of all browsers: addresses and names of files.
    on_the_way: ClassVar[list[str]] = []

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.jar = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self.jar), _StayHere)

    def cookie(self, name: str) -> str:
        """The cookie's value, "" when there is none."""
        return next((one.value or "" for one in self.jar if one.name == name), "")

    @contextmanager
    def open(
        self, method: str, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Iterator[HTTPResponse]:
        """The answer as a stream, to read some of and leave."""
        request = Request(f"{self.base_url}{path}", data=body, method=method, headers=headers or {})
        try:
            answer = self._opener.open(request, timeout=TIMEOUT_S)
        except HTTPError as error:
            answer = error
        told = (answer.headers[name] for name in ("Location", "Content-Disposition"))
        self.on_the_way.append(" ".join([request.full_url, *filter(None, told)]))
        with answer:
            yield answer

    def ask(self, method: str, path: str, **more: Any) -> Answer:
        with self.open(method, path, **more) as answer:
            return Answer(answer.status, answer.headers, answer.read())

    def get(self, path: str, **headers: str) -> Answer:
        """`get("/download", Range="bytes=0-9")`."""
        return self.ask(
            "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    def post_json(self, path: str, body: Any = None) -> Answer:
        headers = {"Content-Type": "application/json", "Accept": "application/json", **self._csrf()}
        return self.ask("POST", path, body=json.dumps(body or {}).encode(), headers=headers)

    def post_form(self, path: str, fields: list[tuple[str, str]] | dict[str, str] | None = None) -> Answer:
        pairs = list(fields.items()) if isinstance(fields, dict) else list(fields or [])
        body = urlencode([*pairs, ("csrfmiddlewaretoken", self._csrf()["X-CSRFToken"])]).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.base_url}
        return self.ask("POST", path, body=body, headers=headers)

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """A request of a script that knows the CSRF cookie."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask(method, path, body=body, headers={**self._csrf(), **named})

    def _csrf(self) -> dict[str, str]:
        return {"X-CSRFToken": self.cookie("csrftoken")}
