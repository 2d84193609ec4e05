"""The vendors' local doubles, set up as the settings would, with an agreement in force and the sun up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from portal.clock import now
from portal.practice.models import Agreement, BusinessAssociate, Practice
from sharing.gateways import aws
from tests.cast import make_agreement
from tests.sharing.gateways import fake_aws, fake_twilio, fake_webhook
from tests.sharing.gateways.fake_aws import FakeAws
from tests.sharing.gateways.fake_twilio import FakeTwilio
from tests.sharing.gateways.fake_webhook import FakeWebhook
from tests.sharing.gateways.vendor import Vendor

NEW_YORK = ZoneInfo("America/New_York")
FAKES: dict[str, type[Vendor]] = {"twilio": FakeTwilio, "webhook": FakeWebhook, "aws": FakeAws}


def agree(practice: Practice, adapter: str, *, ends_on: date = date(2099, 1, 1)) -> Agreement:
    associate = BusinessAssociate.objects.create(practice=practice, name="Texts Ltd", adapter=adapter)
    return make_agreement(associate, ends_on=ends_on)


def until_local(hour: int, minute: int = 0) -> timedelta:
    """How far it is to the next time the clocks of New York show this."""
    local = now().astimezone(NEW_YORK)
    wanted = datetime.combine(local.date(), local.time().replace(hour, minute, 0, 0), tzinfo=NEW_YORK)
    return wanted - local if wanted > local else wanted + timedelta(days=1) - local


@pytest.fixture
def noon(clock: Any) -> None:
    clock.advance(seconds=until_local(12).total_seconds())


def point_at(vendor: Vendor, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set Scanpass up for this vendor, as its operator would."""
    settings.GATEWAY = vendor.name  # type: ignore[attr-defined]
    settings.PUBLIC_BASE_URL = "https://scans.example.com"
    settings.GATEWAY_TIMEOUT_S, settings.GATEWAY_INTERVAL_S = 5, 0
    settings.TWILIO_URL, settings.TWILIO_ACCOUNT = vendor.url, fake_twilio.ACCOUNT
    settings.TWILIO_TOKEN, settings.TWILIO_SENDER = fake_twilio.TOKEN, fake_twilio.SENDER
    settings.TWILIO_CALLER, settings.WEBHOOK_CALLS = fake_twilio.CALLER, True
    settings.WEBHOOK_URL, settings.WEBHOOK_SECRET = f"{vendor.url}/texts", fake_webhook.SECRET
    settings.AWS_SMS_URL, settings.AWS_SMS_REGION = vendor.url, fake_aws.REGION
    settings.AWS_SMS_SENDER, settings.AWS_SMS_CONFIGURATION = "+12025550100", "scanpass"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", fake_aws.KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fake_aws.SECRET)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def running() -> Iterator[dict[str, Vendor]]:
    """Each vendor once for all tests: its address stays, and with it the client that botocore takes long to make."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(kind()) for name, kind in FAKES.items()}
    aws._client.cache_clear()


@pytest.fixture
def set_up(
    running: dict[str, Vendor], settings: Any, monkeypatch: pytest.MonkeyPatch, smile: Practice, noon: None
) -> Callable[[str], Vendor]:
    """Set Scanpass up for the vendor of this name, at noon, with an agreement."""

    def set_up(name: str) -> Vendor:
        vendor = running[name]
        vendor.forget()
        agree(smile, name)
        point_at(vendor, settings, monkeypatch)
        return vendor

    return set_up


@pytest.fixture(params=sorted(FAKES))
def vendor(request: pytest.FixtureRequest, set_up: Callable[[str], Vendor]) -> Iterator[Vendor]:
    """Each of the vendors in turn."""
    vendor = set_up(request.param)
    yield vendor
    assert vendor.wrong == [], "the vendor refused what was sent as malformed"


@pytest.fixture
def twilio(set_up: Callable[[str], Vendor]) -> Vendor:
    return set_up("twilio")


@pytest.fixture
def webhook(set_up: Callable[[str], Vendor]) -> Vendor:
    return set_up("webhook")
