"""Texts and calls through a gateway of the practice's own choice: one signed POST of JSON (docs/messages.md).

Whatever carrier, modem or integration there is, twenty lines on its side connect it.
"""

from __future__ import annotations

import json
from typing import Final

from django.conf import settings

from portal.clock import now
from sharing.gateways.base import Outgoing, Undeliverable
from sharing.gateways.http import post, refusal
from sharing.gateways.signature import signed
from sharing.troubles import NEEDS_ANOTHER_WAY, Trouble

# What the other side may give as its reason for 422.
REASONS: Final = {
    *NEEDS_ANOTHER_WAY,
    Trouble.UNREACHABLE,
    Trouble.UNHEARD,
    Trouble.BLOCKED,
    Trouble.UNKNOWN,
}
_UNPROCESSABLE: Final = 422


class WebhookGateway:
    """`{"id", "to", "body", "kind", "channel"}`, signed; 2xx takes it, 422 refuses it, else it is tried again."""

    name = "webhook"
    rings = True
    needs_agreement = True

    @property
    def speaks(self) -> bool:
        return settings.WEBHOOK_CALLS

    def deliver(self, outgoing: Outgoing) -> str:
        if not settings.WEBHOOK_URL or not settings.WEBHOOK_SECRET:
            raise Undeliverable(Trouble.NOT_SET_UP)
        wanted = {
            "id": str(outgoing.message),
            "to": outgoing.address,
            "body": outgoing.body,
            "kind": outgoing.kind,
            "channel": outgoing.channel,
        }
        if outgoing.language:
            wanted["language"] = outgoing.language
        body = json.dumps(wanted).encode()
        headers = {"Content-Type": "application/json", **signed(body, now())}
        answer = post(settings.WEBHOOK_URL, body, headers)
        if answer.is_accepted:
            return str(answer.document().get("reference", ""))
        if answer.status == _UNPROCESSABLE:
            raise Undeliverable(reason(answer.document().get("reason")))
        raise refusal(answer)


def reason(word: object) -> Trouble:
    """The trouble of this word; an unknown word is an unknown trouble."""
    return Trouble(word) if isinstance(word, str) and word in REASONS else Trouble.UNKNOWN
