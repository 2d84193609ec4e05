"""What must be set before messages can leave: found at the start and not by the first patient who waits."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from sharing.gateways import KINDS
from sharing.gateways.http import is_safe

# What each vendor can't do without, by the names in the environment (less SCANPASS_).
_NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "webhook": ("WEBHOOK_URL", "WEBHOOK_SECRET"),
    "twilio": ("TWILIO_ACCOUNT", "TWILIO_TOKEN", "TWILIO_SENDER"),
    "aws": ("AWS_SMS_REGION", "AWS_SMS_SENDER"),
}
_ADDRESS: Final = {"webhook": "WEBHOOK_URL", "twilio": "TWILIO_URL", "aws": "AWS_SMS_URL"}


@register(Tags.security)
def messages_can_leave(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The gateway is one that exists, with all it needs, and is asked over TLS (45 CFR 164.312(e))."""
    name = settings.GATEWAY
    if name not in KINDS:
        hint = f"Set SCANPASS_GATEWAY to one of {', '.join(sorted(KINDS))}."
        return [Error("SCANPASS_GATEWAY names no way out for messages.", hint=hint, id="scanpass.E020")]
    found: list[CheckMessage] = []
    missing = [f"SCANPASS_{one}" for one in _NEEDED.get(name, ()) if not getattr(settings, one)]
    if missing:
        sentence = f"The gateway {name} can't send anything yet."
        found.append(Error(sentence, hint=f"Set {', '.join(missing)}.", id="scanpass.E021"))
    address = getattr(settings, _ADDRESS[name]) if name in _ADDRESS else ""
    if address and not is_safe(address):
        hint = f"Set SCANPASS_{_ADDRESS[name]} to an https address."
        found.append(
            Error("Messages would leave without encryption, so none leaves.", hint=hint, id="scanpass.E022")
        )
    if (
        name == "twilio"
        and settings.TWILIO_CALLER
        and not re.fullmatch(r"\+\d{7,15}", settings.TWILIO_CALLER)
    ):
        hint = "Set SCANPASS_TWILIO_CALLER to a number of the account, like +12025550100, or leave it empty."
        found.append(Error("No call can come from this caller.", hint=hint, id="scanpass.E025"))
    if name == "aws" and find_spec("botocore") is None:
        found.append(
            Error("The gateway aws needs botocore.", hint="Install the extra aws.", id="scanpass.E023")
        )
    return found


@register(Tags.security)
def night_has_hours(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Hours of the day, or every link would be held, or fail, at some moment."""
    hours = (settings.QUIET_FROM_HOUR, settings.QUIET_UNTIL_HOUR)
    if all(0 <= hour <= 23 for hour in hours):
        return []
    hint = "Set SCANPASS_QUIET_FROM_HOUR and SCANPASS_QUIET_UNTIL_HOUR to hours from 0 to 23."
    return [Error("The quiet hours are not hours of the day.", hint=hint, id="scanpass.E024")]
