"""The ways messages leave. A gateway has one method, `deliver`; which one is used, the settings say."""

from __future__ import annotations

from django.conf import settings

from sharing.gateways.base import Gateway, Undeliverable
from sharing.gateways.console import ConsoleGateway
from sharing.gateways.email import EmailGateway
from sharing.gateways.memory import MemoryGateway
from sharing.gateways.outbox import OutboxGateway
from sharing.models import Channel

__all__ = ["Gateway", "Undeliverable", "choose"]


def choose(channel: str) -> Gateway:
    """The gateway for this channel. There is exactly one: a message never falls back to another vendor.

    Raises `Undeliverable` when the settings name none that exists.
    """
    if channel == Channel.EMAIL and settings.GATEWAY == "console":
        return EmailGateway()
    kinds: dict[str, type[Gateway]] = {
        "outbox": OutboxGateway,
        "console": ConsoleGateway,
        "memory": MemoryGateway,
    }
    if settings.GATEWAY not in kinds:
        raise Undeliverable("No service for text messages is set up. Set SCANPASS_GATEWAY.")
    return kinds[settings.GATEWAY]()
