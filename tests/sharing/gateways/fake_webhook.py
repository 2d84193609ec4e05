"""A practice's own gateway, written from docs/messages.md alone."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

from django.test import Client

from portal import clock
from portal.clock import now
from tests.sharing.gateways.vendor import Asked, Text, Vendor, demand

SECRET = "webhook-secret-7c1e"


def signature(timestamp: str, body: bytes, secret: str = SECRET) -> str:
    return "v1=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


class FakeWebhook(Vendor):
    name = "webhook"

    def take(self, asked: Asked) -> Text:
        timestamp = asked.headers.get("Scanpass-Timestamp", "")
        # Not by the database's clock: a connection opened in this thread would stay open.
        here = time.time() + clock._offset.total_seconds()
        demand(abs(here - int(timestamp)) < 300, 403, "an old request")
        demand(asked.headers.get("Scanpass-Signature") == signature(timestamp, asked.body), 403, "signature")
        demand(asked.headers["Content-Type"] == "application/json", 415, "only JSON is taken")
        told = json.loads(asked.body)
        is_call = told.get("channel") == "voice"
        demand(is_call or told.get("channel") == "text", 400, "an unknown channel")
        known = {"id", "to", "body", "kind", "channel", *(["language"] if is_call else [])}
        demand(set(told) == known, 400, "a field is missing or unknown")
        demand(
            told["kind"] in ({"call"} if is_call else {"link", "code", "check", "notice"}),
            400,
            "an unknown kind",
        )
        return Text(told["to"], told["body"], f"hook-{len(self.texts)}", asked, told["id"])

    def refusal(self, text: Text, trouble: str) -> tuple[int, Any]:
        return 422, {"reason": trouble, "message": f"{text.to} is no good"}

    def accepted(self, text: Text) -> tuple[int, Any]:
        return 202, {"reference": text.reference}


def call_back(document: Any, *, age_s: int = 0, secret: str = SECRET, **changes: str) -> int:
    """Post a signed report as such a gateway would."""
    return post(document, age_s=age_s, secret=secret, **changes).status_code


def post(document: Any, *, age_s: int = 0, secret: str = SECRET, **changes: str) -> Any:
    """The same, with the answer."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    timestamp = changes.get("timestamp", str(int(now().timestamp()) - age_s))
    headers = {
        "Scanpass-Timestamp": timestamp,
        "Scanpass-Signature": changes.get("signature", signature(timestamp, body, secret)),
    }
    client = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
    return client.post("/messages/webhook", body, content_type="application/json", headers=headers)


def report(text: Text, status: str, reason: str = "") -> int:
    return call_back({"id": text.message, "status": status, **({"reason": reason} if reason else {})})


def press(call: Text, key: str) -> tuple[int, str]:
    """Somebody took the call and pressed this key: the status, and what is to be said."""
    answer = post({"id": call.message, "pressed": key})
    told = answer.json() if answer.status_code == 200 else {"body": ""}
    assert set(told) <= {"body", "language"}
    return answer.status_code, told["body"]
