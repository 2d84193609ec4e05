"""Messages of an SNS topic: believed only with Amazon's signature, and only from the topic of the settings.

Source: docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html.
"""

from __future__ import annotations

import base64
import re
import urllib.error
import urllib.request
from functools import lru_cache
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from django.conf import settings

from portal.clock import now

# Only these two hosts' paths are ever asked, so nobody can point us at a certificate, or an address, of their own.
_HOST: Final = r"https://sns\.[a-z]{2}(?:-[a-z]+){1,3}-\d\.amazonaws\.com(?:\.cn)?/"
_CERTIFICATE: Final = re.compile(_HOST + r"SimpleNotificationService-[0-9a-f]{16,64}\.pem")
_CONFIRMATION: Final = re.compile(_HOST + r"\?Action=ConfirmSubscription&[A-Za-z0-9=&:%_-]+")
# What is signed, in this order.
_SIGNED: Final = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
_DIGESTS: Final = {"1": SHA1, "2": SHA256}
_ANSWER_MAX_BYTES: Final = 16 * 1024


def is_signed(envelope: dict[str, Any]) -> bool:
    """Whether Amazon signed this for our topic. Never raises for what strangers may send."""
    names = _SIGNED.get(str(envelope.get("Type")))
    digest = _DIGESTS.get(str(envelope.get("SignatureVersion")))
    url = envelope.get("SigningCertURL")
    if not settings.AWS_SMS_TOPIC or envelope.get("TopicArn") != settings.AWS_SMS_TOPIC:
        return False
    if names is None or digest is None or not isinstance(url, str) or not _CERTIFICATE.fullmatch(url):
        return False
    text = "".join(f"{name}\n{envelope[name]}\n" for name in names if envelope.get(name) is not None)
    try:
        signature = base64.b64decode(str(envelope.get("Signature")), validate=True)
        _public_key(url).verify(signature, text.encode(), PKCS1v15(), digest())
    except (InvalidSignature, ValueError, OSError):
        return False
    return True


@lru_cache(maxsize=4)
def _public_key(url: str) -> RSAPublicKey:
    certificate = x509.load_pem_x509_certificate(fetch(url))
    if not certificate.not_valid_before_utc <= now() <= certificate.not_valid_after_utc:
        raise ValueError("the certificate is not in force")
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise ValueError("the certificate holds no RSA key")
    return key


def confirm(envelope: dict[str, Any]) -> bool:
    """Say yes to the subscription: once, by the address Amazon gave. Returns whether it was asked."""
    url = envelope.get("SubscribeURL")
    if not isinstance(url, str) or not _CONFIRMATION.fullmatch(url):
        return False
    try:
        fetch(url)
    except OSError:
        return False
    return True


def fetch(url: str) -> bytes:
    """GET an address that one of the patterns above has let through. Raises `OSError`."""
    try:
        with urllib.request.urlopen(url, timeout=settings.GATEWAY_TIMEOUT_S) as response:  # noqa: S310
            return bytes(response.read(_ANSWER_MAX_BYTES))
    except urllib.error.HTTPError as error:
        error.close()
        raise OSError from None
