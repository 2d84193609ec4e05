"""Signing a request to AWS: Signature Version 4, for a POST of JSON with no query.

Pure functions: the moment and the credentials come in, headers go out.

Source: AWS General Reference, "Signature Version 4 signing process"; its published test suite is in the tests.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks; `session_token` comes with short-lived ones."""

    key_id: str
    secret: str = field(repr=False)
    session_token: str = field(default="", repr=False)


def signed_headers(
    method: str,
    host: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    credentials: Credentials,
    region: str,
    service: str,
    at: datetime,
) -> dict[str, str]:
    """`headers` with the host, the date and the signature over all of them, the path `/` and the body."""
    moment = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    own = {**headers, "Host": host, "X-Amz-Date": moment}
    if credentials.session_token:
        own["X-Amz-Security-Token"] = credentials.session_token
    canonical, names = _canonical(method, own, body)
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical).hexdigest()}"
    key = _signing_key(credentials.secret, moment[:8], region, service)
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    own["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return own


def _canonical(method: str, headers: Mapping[str, str], body: bytes) -> tuple[bytes, str]:
    """The one spelling of the request that both sides hash, and the names of the headers in it."""
    lowered = sorted((name.lower(), " ".join(value.split())) for name, value in headers.items())
    names = ";".join(name for name, _ in lowered)
    lines = "".join(f"{name}:{value}\n" for name, value in lowered)
    return f"{method}\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}".encode(), names


def _signing_key(secret: str, *parts: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (*parts, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
