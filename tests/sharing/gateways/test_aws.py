"""Events by SNS: Amazon's signature, its topic, its hosts, and what the events mean."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from django.test import Client

from sharing.gateways import sns
from sharing.models import Message, OptOut
from tests.sharing.conftest import PHONE, make_share, run_jobs

TOPIC = "arn:aws:sns:us-east-1:123456789012:texts"
CERTIFICATE = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123.pem"
CONFIRM = f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f"
ORDER = {
    "Notification": ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
    "SubscriptionConfirmation": [
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ],
}  # fmt: skip


class Amazon:
    """Its key, its certificate, and the addresses it was asked for."""

    def __init__(self, *, valid_days: int = 30) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.asked: list[str] = []
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(datetime.now(UTC) - timedelta(days=60))
            .not_valid_after(datetime.now(UTC) + timedelta(days=valid_days))
            .sign(self.key, hashes.SHA256())
        )
        self.pem = certificate.public_bytes(serialization.Encoding.PEM)

    def get(self, url: str) -> bytes:
        self.asked.append(url)
        return self.pem

    def envelope(self, message: Any, *, kind: str = "Notification", version: str = "2") -> dict[str, str]:
        text = message if isinstance(message, str) else json.dumps(message)
        body = {
            "Type": kind,
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Message": text,
            "Timestamp": "2026-05-02T00:54:06.655Z",
            "SignatureVersion": version,
            "SigningCertURL": CERTIFICATE,
        }
        if kind == "SubscriptionConfirmation":
            body |= {"Token": "2336412f", "SubscribeURL": CONFIRM}
        return self.signed(body)

    def signed(self, body: dict[str, str]) -> dict[str, str]:
        text = "".join(f"{name}\n{body[name]}\n" for name in ORDER[body["Type"]] if name in body)
        digest = hashes.SHA1() if body["SignatureVersion"] == "1" else hashes.SHA256()
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), digest)
        return {**body, "Signature": base64.b64encode(signature).decode()}


@pytest.fixture(scope="session")
def made() -> Amazon:
    return Amazon()


@pytest.fixture
def amazon(made, db, settings, monkeypatch):
    settings.AWS_SMS_TOPIC = TOPIC
    made.asked.clear()
    monkeypatch.setattr(sns, "fetch", made.get)
    sns._public_key.cache_clear()
    yield made
    sns._public_key.cache_clear()


@pytest.fixture
def text(pat, dana, set_up):
    vendor = set_up("aws")
    make_share(pat, dana)
    run_jobs()
    return vendor.texts[0]


def post(document: Any) -> int:
    client = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
    return client.post("/messages/aws", json.dumps(document), content_type="text/plain").status_code


def event(kind: str, message: str) -> dict[str, Any]:
    return {"eventType": kind, "eventVersion": "1.0", "isFinal": True, "context": {"message": message}}


@pytest.mark.parametrize("version", ["1", "2"])
def test_an_event_with_amazons_signature_is_taken(amazon, text, version):
    assert post(amazon.envelope(event("TEXT_DELIVERED", text.message), version=version)) == 204
    assert Message.objects.get().state == "delivered"


def test_the_certificate_is_asked_for_once(amazon, text):
    for kind in ("TEXT_SENT", "TEXT_SUCCESSFUL", "TEXT_DELIVERED"):
        post(amazon.envelope(event(kind, text.message)))
    assert amazon.asked == [CERTIFICATE]


@pytest.mark.parametrize(
    ("kind", "trouble"),
    [("TEXT_CARRIER_UNREACHABLE", "unreachable"), ("TEXT_INVALID", "bad-number"), ("TEXT_SPAM", "blocked")],
)
def test_what_went_wrong_has_its_reason(amazon, text, kind, trouble):
    assert post(amazon.envelope(event(kind, text.message))) == 204
    assert (Message.objects.get().state, Message.objects.get().trouble) == ("undelivered", trouble)


def test_accepted_by_the_carrier_is_not_delivered(amazon, text):
    assert post(amazon.envelope(event("TEXT_SUCCESSFUL", text.message))) == 204
    assert Message.objects.get().state == "sent"


def test_the_subscription_is_confirmed_at_amazons_own_address(amazon):
    assert post(amazon.envelope("You have chosen to subscribe", kind="SubscriptionConfirmation")) == 204
    assert amazon.asked == [CERTIFICATE, CONFIRM]


@pytest.mark.parametrize(
    "change",
    [
        {"Signature": ""},
        {"Signature": "AAAA"},
        {"Message": "another"},
        {"TopicArn": "arn:aws:sns:us-east-1:999999999999:texts"},
        {"SignatureVersion": "3"},
        {"Type": "UnsubscribeConfirmation"},
        {"Type": []},
        {"SigningCertURL": "https://sns.us-east-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef0123.pem"},
        {"SigningCertURL": "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123.pem"},
        {"SigningCertURL": "https://sns.us-east-1.amazonaws.com/other.pem"},
        {"SigningCertURL": None},
    ],
    ids=lambda change: "-".join(f"{name}={str(value)[:40]}" for name, value in change.items()),
)  # fmt: skip
def test_whatever_amazon_did_not_sign_for_our_topic_is_refused(amazon, text, change):
    assert post({**amazon.envelope(event("TEXT_DELIVERED", text.message)), **change}) == 403
    assert Message.objects.get().state == "sent"
    assert set(amazon.asked) <= {CERTIFICATE}


def test_another_key_is_refused_and_so_is_a_certificate_that_has_ended(amazon, text, monkeypatch):
    told = event("TEXT_DELIVERED", text.message)
    assert post(Amazon().envelope(told)) == 403
    ended = Amazon(valid_days=-1)
    monkeypatch.setattr(sns, "fetch", ended.get)
    sns._public_key.cache_clear()
    assert post(ended.envelope(told)) == 403


def test_a_signed_confirmation_that_points_elsewhere_is_not_followed(amazon):
    elsewhere = amazon.envelope("subscribe", kind="SubscriptionConfirmation")
    del elsewhere["Signature"]
    elsewhere["SubscribeURL"] = (
        "https://sns.us-east-1.amazonaws.com.evil.example/?Action=ConfirmSubscription&Token=1"
    )
    assert post(amazon.signed(elsewhere)) == 403
    assert amazon.asked == [CERTIFICATE]


def test_texts_of_others_in_the_same_account_are_left_alone(amazon, text):
    told = event("TEXT_DELIVERED", text.message)
    assert post(amazon.envelope({**told, "context": {"app": "other"}})) == 204
    assert post(amazon.envelope({**told, "context": None})) == 204
    assert Message.objects.get().state == "sent"


def test_p11_stop_comes_by_the_topic_too(amazon):
    told = {"originationNumber": PHONE, "destinationNumber": "+12025550100", "messageBody": "Stop"}
    assert post(amazon.envelope(told)) == 204
    assert OptOut.objects.count() == 1
