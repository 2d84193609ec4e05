"""Which vendors the messages of this installation go to, for the list of agreements."""

from __future__ import annotations

from sharing.gateways import Undeliverable, choose
from sharing.models import Channel


def vendors_of_messages() -> list[str]:
    """The adapters that need an agreement and are switched on."""
    found = []
    for channel in Channel.values:
        try:
            gateway = choose(channel)
        except Undeliverable:
            continue
        if gateway.needs_agreement:
            found.append(gateway.name)
    return found
