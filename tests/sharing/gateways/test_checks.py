"""The start says what is missing before the first patient waits for it."""

from __future__ import annotations

import pytest

from sharing.checks import messages_can_leave, night_has_hours


def ids() -> list[str]:
    return [str(found.id) for found in messages_can_leave(None)]


@pytest.mark.parametrize("name", ["outbox", "console", "memory"])
def test_a_gateway_of_this_machine_needs_nothing(settings, name):
    settings.GATEWAY = name
    assert ids() == []


def test_a_gateway_that_does_not_exist_is_named(settings):
    settings.GATEWAY = "pigeon"
    assert ids() == ["scanpass.E020"]
    assert "twilio" in messages_can_leave(None)[0].hint


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("twilio", ["TWILIO_ACCOUNT", "TWILIO_TOKEN", "TWILIO_SENDER"]),
        ("webhook", ["WEBHOOK_URL", "WEBHOOK_SECRET"]),
        ("aws", ["AWS_SMS_REGION", "AWS_SMS_SENDER"]),
    ],
)
def test_what_a_vendor_needs_is_asked_for_by_its_name(settings, name, needed):
    settings.GATEWAY = name
    (missing,) = messages_can_leave(None)
    assert missing.id == "scanpass.E021"
    for one in needed:
        assert f"SCANPASS_{one}" in missing.hint
        setattr(settings, one, "https://texts.example.com")
    assert ids() == []


def test_plain_http_is_for_this_machine_alone(settings):
    settings.GATEWAY, settings.WEBHOOK_SECRET = "webhook", "secret"
    settings.WEBHOOK_URL = "http://texts.example.com"
    assert ids() == ["scanpass.E022"]
    settings.WEBHOOK_URL = "http://127.0.0.1:9000/texts"
    assert ids() == []


@pytest.mark.parametrize(
    ("opens", "closes", "is_good"), [(8, 21, True), (0, 0, True), (8, 24, False), (-1, 21, False)]
)
def test_hours_are_hours(settings, opens, closes, is_good):
    settings.QUIET_UNTIL_HOUR, settings.QUIET_FROM_HOUR = opens, closes
    assert (night_has_hours(None) == []) == is_good
