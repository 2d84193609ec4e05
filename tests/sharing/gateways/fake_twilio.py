"""Twilio's Messages and Calls and their callbacks, as its documentation describes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from django.test import Client

from tests.sharing.gateways.vendor import Asked, Text, Vendor, WrongRequest, demand

ACCOUNT, TOKEN, SENDER = "AC" + "0" * 32, "twilio-secret-token-9f3a", "+12025550100"
CALLER = "+12025550188"
BASE = "https://scans.example.com"
VOICES = {"en-US", "es-MX"}
FIELDS = {"To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod"}
CALL_FIELDS = {"To", "From", "Twiml", "StatusCallback", "Timeout"}
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
        place, _, resource = asked.path.rpartition("/")
        demand(place == f"/2010-04-01/Accounts/{ACCOUNT}", 404, "not found")
        demand(resource in {"Messages.json", "Calls.json"}, 404, "not found")
        demand(
            asked.headers["Content-Type"] == "application/x-www-form-urlencoded", 415, "only forms are taken"
        )
        pairs = parse_qsl(asked.body.decode(), strict_parsing=True, keep_blank_values=True)
        form = dict(pairs)
        known = FIELDS if resource == "Messages.json" else CALL_FIELDS
        demand(len(form) == len(pairs) and set(form) <= known, 400, "a field twice, or one unknown")
        demand(re.fullmatch(r"\+[1-9]\d{6,14}", form.get("To", "")), 400, "To is not E.164")
        if resource == "Calls.json":
            return self.take_call(asked, form)
        demand(0 < len(form.get("Body", "")) <= 1600, 400, "a body of 1 to 1600 characters is needed")
        demand(("From" in form) != ("MessagingServiceSid" in form), 400, "one sender is needed")
        demand(1 <= int(form.get("ValidityPeriod", "1")) <= 36000, 400, "ValidityPeriod out of range")
        callback = form["StatusCallback"]
        demand(callback.startswith("https://scans.example.com/messages/twilio/"), 400, "callback elsewhere")
        return Text(form["To"], form["Body"], f"SM{len(self.texts):032x}", asked, callback.rsplit("/", 1)[1])

    def take_call(self, asked: Asked, form: dict[str, str]) -> Text:
        demand(form.get("From") == CALLER, 400, "From is no number that can call")
        demand(1 <= int(form.get("Timeout", "60")) <= 600, 400, "Timeout out of range")
        demand(0 < len(form.get("Twiml", "")) <= 4000, 400, "Twiml of 1 to 4000 characters is needed")
        callback = form.get("StatusCallback", "")
        demand(
            re.fullmatch(rf"{BASE}/messages/twilio/[0-9a-f-]{{36}}/call", callback), 400, "callback elsewhere"
        )
        action, words = asking(form["Twiml"])
        message = callback.split("/")[-2]
        demand(action == f"{BASE}/messages/twilio/{message}/pressed", 400, "the key is told elsewhere")
        return Text(form["To"], words, f"CA{len(self.texts):032x}", asked, message)

    def refusal(self, text: Text, trouble: str) -> tuple[int, Any]:
        status, code = CODES[trouble]
        return status, {"code": code, "message": f"The number {text.to} is no good", "status": status}

    def accepted(self, text: Text) -> tuple[int, Any]:
        return 201, {"sid": text.reference, "status": "queued", "error_code": None, "to": text.to}


# --- TwiML ----------------------------------------------------------------------------------------------------------


def asking(twiml: str) -> tuple[str, str]:
    """Where a pressed key is posted, and what is said before; anything else than that is refused."""
    try:
        response = ElementTree.fromstring(twiml)
    except ElementTree.ParseError:
        raise WrongRequest(400, "12100 document parse failure") from None
    demand(response.tag == "Response", 400, "no Response")
    demand(
        [verb.tag for verb in response] == ["Gather", "Hangup"], 400, "a key is asked for, then the call ends"
    )
    gather = response[0]
    demand(set(gather.attrib) <= {"numDigits", "timeout", "action"}, 400, "12200 unknown attribute")
    demand(gather.get("numDigits") == "1" and int(gather.get("timeout", "5")) > 0, 400, "one key")
    return gather.get("action", ""), words_of(gather)


def words_of(verbs: ElementTree.Element) -> str:
    """What is said: the same twice, with a pause between."""
    first, pause, again = verbs[:3]
    demand([first.tag, pause.tag, again.tag] == ["Say", "Pause", "Say"], 400, "said, and said again")
    demand(first.get("language") in VOICES and first.attrib == again.attrib, 400, "13512 invalid language")
    demand(first.text and first.text == again.text, 400, "13520 Say has no text")
    return str(first.text)


# --- what it reports back ------------------------------------------------------------------------------------------


def signature(url: str, fields: dict[str, str], token: str = TOKEN) -> str:
    """As documented: the URL, then each name and value in the order of the names."""
    text = url
    for name in sorted(fields):
        text += name + fields[name]
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def call_back(path: str, fields: dict[str, str], **changes: str) -> int:
    """Post a signed form as Twilio would; `signature` or `url` replace what it would have signed."""
    return post(path, fields, **changes)[0]


def post(path: str, fields: dict[str, str], **changes: str) -> tuple[int, str]:
    """The same, with what the voice would say to the answer."""
    signed = changes.get(
        "signature", signature(changes.get("url", f"https://scans.example.com{path}"), fields)
    )
    headers = {"X-Twilio-Signature": signed} if signed else {}
    client = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
    answer = client.post(path, fields, headers=headers)
    if answer.status_code != 200:
        return answer.status_code, ""
    assert answer["Content-Type"].startswith("text/xml")
    response = ElementTree.fromstring(answer.content)
    return 200, words_of(response) if len(response) else ""


def report(text: Text, status: str, code: str = "") -> int:
    """What becomes of one text."""
    fields = {"MessageSid": text.reference, "MessageStatus": status, "To": text.to, "From": SENDER}
    return call_back(f"/messages/twilio/{text.message}", {**fields, **({"ErrorCode": code} if code else {})})


def press(call: Text, key: str) -> tuple[int, str]:
    """Somebody took the call and pressed this key: the status, and what the voice says then."""
    fields = {"CallSid": call.reference, "CallStatus": "in-progress", "To": call.to, "Digits": key}
    return post(f"/messages/twilio/{call.message}/pressed", fields)


def end_call(call: Text, status: str) -> int:
    """How one call ended."""
    fields = {"CallSid": call.reference, "CallStatus": status, "To": call.to, "From": CALLER}
    return call_back(f"/messages/twilio/{call.message}/call", fields)
