"""AWS End User Messaging: SendTextMessage with Signature Version 4, checked by code of our own."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any

from tests.sharing.gateways.vendor import Asked, Text, Vendor, demand

KEY, SECRET, REGION = "AKIAEXAMPLEEXAMPLE00", "aws-secret-key-5b2d", "us-east-1"
FIELDS = {
    "DestinationPhoneNumber",
    "OriginationIdentity",
    "MessageBody",
    "MessageType",
    "TimeToLive",
    "Context",
    "ConfigurationSetName",
}
REASONS = {
    "opted-out": ("ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT"),
    "bad-number": ("ValidationException", "INVALID_PARAMETER"),
    "blocked": ("ConflictException", "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION"),
}


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def sigv4(asked: Asked, date: str, scope: str, signed_headers: str) -> str:
    """The signature of a request without a query. Source: AWS, Signature Version 4 signing process."""
    low = {name.lower(): " ".join(value.split()) for name, value in asked.headers.items()}
    lines = "".join(f"{name}:{low[name]}\n" for name in signed_headers.split(";"))
    payload = hashlib.sha256(asked.body).hexdigest()
    request = f"POST\n{asked.path}\n\n{lines}\n{signed_headers}\n{payload}"
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


class FakeAws(Vendor):
    name = "aws"

    def take(self, asked: Asked) -> Text:
        self._check_signature(asked)
        headers = asked.headers
        demand(headers.get("X-Amz-Target") == "PinpointSMSVoiceV2.SendTextMessage", 400, "operation")
        demand(headers["Content-Type"] == "application/x-amz-json-1.0", 400, "protocol")
        told = json.loads(asked.body)
        demand(set(told) <= FIELDS, 400, "unknown field")
        demand(re.fullmatch(r"\+[1-9]\d{6,14}", told["DestinationPhoneNumber"]), 400, "number")
        demand(told["MessageType"] == "TRANSACTIONAL", 400, "type")
        demand(5 <= told["TimeToLive"] <= 259200, 400, "time to live")
        number = f"aws-{len(self.texts)}"
        return Text(
            told["DestinationPhoneNumber"], told["MessageBody"], number, asked, told["Context"]["message"]
        )

    def _check_signature(self, asked: Asked) -> None:
        found = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8}/[^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})",
            asked.headers.get("Authorization", ""),
        )
        demand(found, 403, "no signature")
        assert found
        key, scope, names, given = found.groups()
        demand(key == KEY and scope.endswith(f"/{REGION}/sms-voice/aws4_request"), 403, "credential")
        demand({"host", "x-amz-date", "x-amz-target"} <= set(names.split(";")), 403, "unsigned headers")
        demand(given == sigv4(asked, asked.headers["X-Amz-Date"], scope, names), 403, "signature")

    def answer(self, asked: Asked) -> tuple[int, Any]:
        status, told = super().answer(asked)
        if status in (401, 403) and "__type" not in told:
            return 400, {"__type": "AccessDeniedException", "Reason": "ACCOUNT_DISABLED"}
        return status, told

    def refusal(self, text: Text, trouble: str) -> tuple[int, Any]:
        kind, reason = REASONS[trouble]
        return 400, {"__type": kind, "Message": f"{text.to} is no good", "Reason": reason}

    def accepted(self, text: Text) -> tuple[int, Any]:
        return 200, {"MessageId": text.reference}
