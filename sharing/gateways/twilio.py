"""Texts and calls by Twilio: its Messages and Calls over plain HTTP, and its signature on what it reports back.

The vendor's package (51 MB) is left out: one form post and one HMAC are all that is needed of it
(docs/decisions/0009-vendors-of-messages.md).

Source: twilio.com/docs/messaging/api/message-resource, /docs/usage/security (validating requests), /docs/api/errors.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlencode

from django.conf import settings

from sharing.gateways.base import Outgoing, Undeliverable
from sharing.gateways.http import Answer, post, refusal
from sharing.gateways.twilio_voice import call_form
from sharing.troubles import Trouble

# The vendor's numbers, of an answer or of a later report, and what they mean to the desk.
_CODES: Final[dict[int, Trouble]] = {
    21211: Trouble.BAD_NUMBER,  # invalid 'To'
    21612: Trouble.BAD_NUMBER,  # no route to it
    21614: Trouble.LANDLINE,  # not a mobile number
    30006: Trouble.LANDLINE,  # landline or unreachable carrier
    21610: Trouble.OPTED_OUT,
    30003: Trouble.UNREACHABLE,  # switched off, no signal
    30005: Trouble.BAD_NUMBER,  # unknown handset
    30036: Trouble.UNREACHABLE,  # validity period over
    21408: Trouble.BLOCKED,  # region not allowed by the account
    30004: Trouble.BLOCKED,  # blocked by the owner or carrier
    30007: Trouble.BLOCKED,  # filtered as spam
    30034: Trouble.BLOCKED,  # sender not registered
    30450: Trouble.BLOCKED,  # sending has been blocked for fraud
    # Of calls.
    13224: Trouble.BAD_NUMBER,  # no carrier knows the number
    21214: Trouble.UNREACHABLE,  # can't be reached
    21217: Trouble.BAD_NUMBER,  # invalid number
    13227: Trouble.BLOCKED,  # region not allowed by the account
    21215: Trouble.BLOCKED,  # the same
    21216: Trouble.BLOCKED,  # blocked by Twilio
}
# Its queue is full, or an account problem: these pass.
_PASSING: Final = {
    20429: Trouble.DOWN,
    30001: Trouble.DOWN,
    30022: Trouble.DOWN,
    20003: Trouble.REFUSED,
    30002: Trouble.REFUSED,
    21606: Trouble.REFUSED,
    21210: Trouble.REFUSED,  # the caller isn't a number of the account
    21212: Trouble.REFUSED,
}
_CODE_VALID_S: Final = settings.CODE_LIFETIME_S
_LINK_VALID_S: Final = 4 * 3600


class TwilioGateway:
    """One resource for each text or call. A sender that begins with MG is a messaging service, which can't call."""

    name = "twilio"
    rings = True
    needs_agreement = True

    @property
    def speaks(self) -> bool:
        return bool(settings.TWILIO_CALLER)

    def deliver(self, outgoing: Outgoing) -> str:
        account, token = settings.TWILIO_ACCOUNT, settings.TWILIO_TOKEN
        if not (account and token and settings.TWILIO_SENDER):
            raise Undeliverable(Trouble.NOT_SET_UP)
        resource, form = (
            ("Calls", call_form(outgoing)) if outgoing.language else ("Messages", _form(outgoing))
        )
        url = f"{settings.TWILIO_URL}/2010-04-01/Accounts/{account}/{resource}.json"
        basic = base64.b64encode(f"{account}:{token}".encode()).decode()
        headers = {
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        answer = post(url, urlencode(form).encode(), headers)
        if not answer.is_accepted:
            raise _refused(answer)
        return str(answer.document().get("sid", ""))


def _form(outgoing: Outgoing) -> dict[str, str]:
    sender = settings.TWILIO_SENDER
    form = {
        "To": outgoing.address,
        "Body": outgoing.body,
        # After that nobody wants it any more: a code has ended, a link was sent again.
        "ValidityPeriod": str(_LINK_VALID_S if outgoing.kind == "link" else _CODE_VALID_S),
        "StatusCallback": f"{settings.PUBLIC_BASE_URL}/messages/twilio/{outgoing.message}",
    }
    form["MessagingServiceSid" if sender.startswith("MG") else "From"] = sender
    return form


def _refused(answer: Answer) -> Undeliverable:
    code = answer.document().get("code")
    if code in _PASSING:
        return Undeliverable(_PASSING[code])
    return Undeliverable(_CODES[code]) if code in _CODES else refusal(answer)


def trouble_of(code: str) -> Trouble:
    """The trouble behind the error code of a report."""
    return _CODES.get(int(code), Trouble.UNKNOWN) if code.isascii() and code.isdigit() else Trouble.UNKNOWN


def is_signed(url: str, fields: Iterable[tuple[str, str]], signature: str) -> bool:
    """Whether Twilio signed this form post: HMAC-SHA1 over the URL it called and the sorted names and values."""
    if not settings.TWILIO_TOKEN:
        return False
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    expected = base64.b64encode(hmac.digest(settings.TWILIO_TOKEN.encode(), text.encode(), "sha1"))
    return hmac.compare_digest(expected, signature.encode())
