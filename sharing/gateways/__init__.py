"""The ways messages leave. A gateway has one method, `deliver`; which one is used, the settings say."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from sharing.gateways.aws import AwsGateway
from sharing.gateways.base import Gateway, Outgoing, Undeliverable
from sharing.gateways.console import ConsoleGateway
from sharing.gateways.email import EmailGateway
from sharing.gateways.memory import MemoryGateway
from sharing.gateways.outbox import OutboxGateway
from sharing.gateways.twilio import TwilioGateway
from sharing.gateways.webhook import WebhookGateway
from sharing.models import Channel
from sharing.troubles import Trouble

__all__ = ["KINDS", "Gateway", "Outgoing", "Undeliverable", "choose"]

KINDS: dict[str, Callable[[], Gateway]] = {
    "outbox": OutboxGateway,
    "console": ConsoleGateway,
    "memory": MemoryGateway,
    "webhook": WebhookGateway,
    "twilio": TwilioGateway,
    "aws": AwsGateway,
}
# These keep every message on this machine, e-mail as well.
_TAKES_ALL = frozenset({"outbox", "memory"})


def choose(channel: str) -> Gateway:
    """The gateway for this channel. There is exactly one: a message never falls back to another vendor.

    Raises `Undeliverable` when the settings name none that exists.
    """
    if channel == Channel.EMAIL and settings.GATEWAY not in _TAKES_ALL:
        return EmailGateway()
    if settings.GATEWAY not in KINDS:
        raise Undeliverable(Trouble.NOT_SET_UP)
    return KINDS[settings.GATEWAY]()
