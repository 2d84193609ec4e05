"""Key-encryption keys in AWS KMS: each version of ours is one KMS key, and KMS never hands it out.

The associated data travels as the encryption context `{"scanpass": <base64>}`: KMS binds it to the blob, asks for it
again at decryption, and writes it to CloudTrail, so it holds ids and versions only.

A version is never guessed from a blob: the settings say which key is which version, and KMS is told which key to use.

Source: AWS KMS API reference, Encrypt and Decrypt (protocol AWS JSON 1.1).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from portal.errors import InvalidInput
from portal.vault.object_key import KEY_BYTES
from portal.vault.providers.aws_signature import Credentials, signed_headers
from portal.vault.providers.base import probe, sealed
from portal.vault.providers.https_json import Answer, HttpsJson
from portal.vault.reasons import Reason, damaged
from portal.vault.wrapping import Wrapped

_NOT_WHAT_WAS_WRAPPED: Final = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})


class AwsKmsProvider:
    """A `Provider` over KMS keys by version; the highest is the active one.

    `credentials_file` holds {"AccessKeyId", "SecretAccessKey", "SessionToken"?}, as AWS's own tools write them, and
    is read at each request, so that short-lived ones can be renewed beside us.
    """

    def __init__(
        self,
        region: str,
        *,
        keys: Mapping[int, str],
        credentials_file: Path,
        url: str | None = None,
        ca_file: str | None = None,
    ) -> None:
        if not keys or min(keys) < 1:
            raise InvalidInput("Name at least one KMS key, as SCANPASS_KMS_KEYS=1=arn:aws:kms:...")
        self._https = HttpsJson(url or f"https://kms.{region}.amazonaws.com", ca_file=ca_file)
        self._region, self._keys, self._credentials_file = region, dict(keys), credentials_file

    def active_version(self) -> int:
        return max(self._keys)

    def versions(self) -> frozenset[int]:
        return frozenset(self._keys)

    def wrap(self, key: bytes, aad: bytes) -> Wrapped:
        version = self.active_version()
        answer = self._ask("Encrypt", version, Plaintext=_base64(key), EncryptionContext=_context(aad))
        return Wrapped(version, _bytes(answer, "CiphertextBlob"))

    def unwrap(self, wrapped: Wrapped, aad: bytes) -> bytes:
        if not wrapped.blob:
            raise damaged(Reason.SHREDDED)
        if wrapped.version not in self._keys:
            raise sealed("keyring-version")
        blob = _base64(wrapped.blob)
        answer = self._ask("Decrypt", wrapped.version, CiphertextBlob=blob, EncryptionContext=_context(aad))
        if answer.status == 400 and _type(answer) in _NOT_WHAT_WAS_WRAPPED:
            raise damaged(Reason.WRAP_TAG)
        key = _bytes(answer, "Plaintext")
        if len(key) != KEY_BYTES:
            raise sealed("provider-answer")
        return key

    def health(self) -> None:
        probe(self)

    def rotate(self) -> int:
        """Refused in words: a KMS key is made in AWS, under the rights of whoever may do that."""
        raise InvalidInput(
            f"Make a new key in KMS and add it to SCANPASS_KMS_KEYS as version {self.active_version() + 1};"
            " then run: manage.py keyring rewrap"
        )

    def retire(self, version: int) -> None:
        """Refused in words, for the same reason."""
        raise InvalidInput(
            f"Nothing needs version {version} any more: take it out of SCANPASS_KMS_KEYS, then schedule its"
            " deletion in KMS."
        )

    # --- the exchange ----------------------------------------------------------------------------------------------

    def _ask(self, deed: str, version: int, **fields: object) -> Answer:
        body = json.dumps({"KeyId": self._keys[version], **fields}).encode()
        headers = signed_headers(
            "POST",
            self._https.host,
            body,
            {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"TrentService.{deed}"},
            credentials=self._credentials(),
            region=self._region,
            service="kms",
            at=datetime.now(UTC),
        )
        return self._https.ask("POST", "/", body, headers)

    def _credentials(self) -> Credentials:
        try:
            kept = json.loads(self._credentials_file.read_text())
            return Credentials(kept["AccessKeyId"], kept["SecretAccessKey"], kept.get("SessionToken", ""))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise sealed("provider-credentials") from None


def _context(aad: bytes) -> dict[str, str]:
    return {"scanpass": _base64(aad)}


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _type(answer: Answer) -> str:
    """The error's name, without the namespace that some answers put before it."""
    return str(answer.body.get("__type", "")).rpartition("#")[2]


def _bytes(answer: Answer, name: str) -> bytes:
    if answer.status != 200:
        raise sealed(_why(answer))
    value: Any = answer.body.get(name)
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise sealed("provider-answer") from None


def _why(answer: Answer) -> str:
    words = {
        "AccessDeniedException": "provider-denied",
        "NotFoundException": "provider-no-key",
        "DisabledException": "provider-disabled",
        "KMSInvalidStateException": "provider-disabled",
    }
    return words.get(_type(answer), "provider-refused")
