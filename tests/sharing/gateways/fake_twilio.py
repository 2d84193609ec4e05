"""Twilio's Messages resource and its callbacks, as its documentation describes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Any
from urllib.parse import parse_qsl

from django.test import Client

from tests.sharing.gateways.vendor import Asked, Text, Vendor, demand

ACCOUNT, TOKEN, SENDER = "AC" + "0" * 32, "twilio-secret-token-9f3a", "+12025550100"
FIELDS = {"To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod"}
CODES = {
    "landline": (400, 21614),
    "opted-out": (400, 21610),
    "bad-number": (400, 21211),
    "blocked": (403, 21408),
}


class FakeTwilio(Vendor):
    name = "twilio"

    def take(self, asked: Asked) -> Text:
        basic = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        demand(asked.headers.get("Authorization") == f"Basic {basic}", 401, "Authenticate")
        demand(asked.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", 404, "not found")
        demand(
            asked.headers["Content-Type"] == "application/x-www-form-urlencoded", 415, "only forms are taken"
        )
        pairs = parse_qsl(asked.body.decode(), strict_parsing=True, keep_blank_values=True)
        form = dict(pairs)
        demand(len(form) == len(pairs) and set(form) <= FIELDS, 400, "a field twice, or one unknown")
        demand(re.fullmatch(r"\+[1-9]\d{6,14}", form.get("To", "")), 400, "To is not E.164")
        demand(0 < len(form.get("Body", "")) <= 1600, 400, "a body of 1 to 1600 characters is needed")
        demand(("From" in form) != ("MessagingServiceSid" in form), 400, "one sender is needed")
        demand(1 <= int(form.get("ValidityPeriod", "1")) <= 36000, 400, "ValidityPeriod out of range")
        callback = form["StatusCallback"]
        demand(callback.startswith("https://scans.example.com/messages/twilio/"), 400, "callback elsewhere")
        return Text(form["To"], form["Body"], f"SM{len(self.texts):032x}", asked, callback.rsplit("/", 1)[1])

    def refusal(self, text: Text, trouble: str) -> tuple[int, Any]:
        status, code = CODES[trouble]
        return status, {"code": code, "message": f"The number {text.to} is no good", "status": status}

    def accepted(self, text: Text) -> tuple[int, Any]:
        return 201, {"sid": text.reference, "status": "queued", "error_code": None, "to": text.to}


# --- what it reports back ------------------------------------------------------------------------------------------


def signature(url: str, fields: dict[str, str], token: str = TOKEN) -> str:
    """As documented: the URL, then each name and value in the order of the names."""
    text = url
    for name in sorted(fields):
        text += name + fields[name]
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def call_back(path: str, fields: dict[str, str], **changes: str) -> int:
    """Post a signed form as Twilio would; `signature` or `url` replace what it would have signed."""
    signed = changes.get(
        "signature", signature(changes.get("url", f"https://scans.example.com{path}"), fields)
    )
    headers = {"X-Twilio-Signature": signed} if signed else {}
    client = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
    return client.post(path, fields, headers=headers).status_code


def report(text: Text, status: str, code: str = "") -> int:
    """What becomes of one text."""
    fields = {"MessageSid": text.reference, "MessageStatus": status, "To": text.to, "From": SENDER}
    return call_back(f"/messages/twilio/{text.message}", {**fields, **({"ErrorCode": code} if code else {})})
