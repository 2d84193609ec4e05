"""Texts by AWS End User Messaging (`pinpoint-sms-voice-v2`), signed by botocore: `pip install scanpass[aws]`.

Credentials come from AWS's own chain (instance role, web identity, profile), never from a setting of ours.

Source: docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2 (SendTextMessage).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from django.conf import settings

from sharing.gateways.base import Outgoing, Undeliverable
from sharing.gateways.http import is_safe
from sharing.troubles import Trouble

# Error code, then (where the code alone doesn't tell) its reason.
_OPTED_OUT: Final = "DESTINATION_PHONE_NUMBER_OPTED_OUT"
_BAD_NUMBER: Final = frozenset(
    {"INVALID_PHONE_NUMBER", "DESTINATION_COUNTRY_NOT_SUPPORTED", "INVALID_PARAMETER"}
)
_BLOCKED: Final = frozenset({"DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION"})
_BUSY: Final = frozenset({"ThrottlingException", "InternalServerException", "ServiceUnavailableException"})


class AwsGateway:
    """One SendTextMessage for each text; its context brings our id back in every event."""

    name = "aws"
    rings = True
    needs_agreement = True
    speaks = False  # its voice messages ask for no key, and would leave the code on an answering machine

    def deliver(self, outgoing: Outgoing) -> str:
        if not (settings.AWS_SMS_REGION and settings.AWS_SMS_SENDER):
            raise Undeliverable(Trouble.NOT_SET_UP)
        is_link = outgoing.kind == "link"
        wanted: dict[str, Any] = {
            "DestinationPhoneNumber": outgoing.address,
            "OriginationIdentity": settings.AWS_SMS_SENDER,
            "MessageBody": outgoing.body,
            "MessageType": "TRANSACTIONAL",
            "TimeToLive": 4 * 3600 if is_link else settings.CODE_LIFETIME_S,
            "Context": {"message": str(outgoing.message)},
        }
        if settings.AWS_SMS_CONFIGURATION:
            wanted["ConfigurationSetName"] = settings.AWS_SMS_CONFIGURATION
        return _send(wanted)


def _send(wanted: dict[str, Any]) -> str:
    # The package is an extra, so it is asked for where it is used.
    try:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
    except ImportError:
        raise Undeliverable(Trouble.NOT_SET_UP) from None
    try:
        answer = _client(settings.AWS_SMS_REGION, settings.AWS_SMS_URL).send_text_message(**wanted)
    except ClientError as error:
        raise Undeliverable(_trouble(error.response)) from None
    except NoCredentialsError:
        raise Undeliverable(Trouble.REFUSED) from None
    except BotoCoreError:
        raise Undeliverable(Trouble.DOWN) from None
    return str(answer.get("MessageId", ""))


@lru_cache(maxsize=1)
def _client(region: str, url: str) -> Any:
    """One client for the process: making it reads megabytes of the service's description."""
    import botocore.session
    from botocore.config import Config

    if url and not is_safe(url):
        raise Undeliverable(Trouble.NOT_SET_UP)
    # The job tries again by itself; a retry in here could send a second text.
    config = Config(
        connect_timeout=settings.GATEWAY_TIMEOUT_S,
        read_timeout=settings.GATEWAY_TIMEOUT_S,
        retries={"total_max_attempts": 1},
    )
    session = botocore.session.get_session()
    return session.create_client(
        "pinpoint-sms-voice-v2", region_name=region, endpoint_url=url or None, config=config
    )


def _trouble(response: dict[str, Any]) -> Trouble:
    code, reason = response.get("Error", {}).get("Code", ""), response.get("Reason", "")
    if reason == _OPTED_OUT:
        return Trouble.OPTED_OUT
    if reason in _BLOCKED:
        return Trouble.BLOCKED
    if reason in _BAD_NUMBER:
        return Trouble.BAD_NUMBER
    # Quotas, permissions, a sender that isn't registered: the account's, and they can be put right.
    return Trouble.DOWN if code in _BUSY else Trouble.REFUSED


# What an event says became of a text. Others (queued, pending, sent) are steps on its way.
DELIVERED: Final = frozenset({"TEXT_DELIVERED"})
FAILED: Final[dict[str, Trouble]] = {
    "TEXT_BLOCKED": Trouble.BLOCKED,
    "TEXT_CARRIER_BLOCKED": Trouble.BLOCKED,
    "TEXT_PROTECT_BLOCKED": Trouble.BLOCKED,
    "TEXT_SPAM": Trouble.BLOCKED,
    "TEXT_CARRIER_UNREACHABLE": Trouble.UNREACHABLE,
    "TEXT_UNREACHABLE": Trouble.UNREACHABLE,
    "TEXT_TTL_EXPIRED": Trouble.UNREACHABLE,
    "TEXT_INVALID": Trouble.BAD_NUMBER,
    "TEXT_INVALID_MESSAGE": Trouble.UNKNOWN,
    "TEXT_UNKNOWN": Trouble.UNKNOWN,
}
