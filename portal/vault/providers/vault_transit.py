"""Key-encryption keys in HashiCorp Vault (or OpenBao): its transit engine wraps, and never hands a key out.

The associated data travels as transit's own `associated_data`, so Vault itself refuses a blob in another's place. A
wrapped key is transit's text, `vault:v<version>:<base64>`; the version in it is the one that counts.

The token needs `encrypt`, `decrypt` and reading the key; rotating and retiring need two paths more, for the operator's
token alone.

Source: HashiCorp Vault HTTP API, transit secrets engine (/v1/transit/encrypt, decrypt, keys, rotate, config).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from portal.errors import InvalidInput
from portal.vault.object_key import KEY_BYTES
from portal.vault.providers.base import probe, sealed
from portal.vault.providers.https_json import Answer, HttpsJson
from portal.vault.reasons import Reason, damaged
from portal.vault.wrapping import Wrapped

_CIPHERTEXT: Final = re.compile(rb"vault:v([1-9][0-9]{0,8}):[A-Za-z0-9+/=]+")
# What Vault answers when a blob or its associated data isn't what was wrapped; anything else may pass again.
_NOT_WHAT_WAS_WRAPPED: Final = ("message authentication failed", "invalid ciphertext")


class VaultTransitProvider:
    """A `Provider` over the transit key `key` at `url`; the token is read from its file at each request."""

    def __init__(
        self, url: str, *, key: str, token_file: Path, mount: str = "transit", ca_file: str | None = None
    ) -> None:
        self._https = HttpsJson(url, ca_file=ca_file)
        self._key, self._mount, self._token_file = quote(key, safe=""), quote(mount), token_file

    def active_version(self) -> int:
        return int(self._described()["latest_version"])

    def versions(self) -> frozenset[int]:
        described = self._described()
        return frozenset(
            range(int(described["min_decryption_version"]), int(described["latest_version"]) + 1)
        )

    def wrap(self, key: bytes, aad: bytes) -> Wrapped:
        answer = self._post(f"encrypt/{self._key}", plaintext=_base64(key), associated_data=_base64(aad))
        blob = str(_data(answer).get("ciphertext", "")).encode()
        return Wrapped(_version(blob), blob)

    def unwrap(self, wrapped: Wrapped, aad: bytes) -> bytes:
        if not wrapped.blob:
            raise damaged(Reason.SHREDDED)
        if not _CIPHERTEXT.fullmatch(wrapped.blob) or _version(wrapped.blob) != wrapped.version:
            raise damaged(Reason.WRAP_SIZE)
        answer = self._post(
            f"decrypt/{self._key}", ciphertext=wrapped.blob.decode(), associated_data=_base64(aad)
        )
        if answer.status == 400 and _says(answer, *_NOT_WHAT_WAS_WRAPPED):
            raise damaged(Reason.WRAP_TAG)
        return _key_bytes(_data(answer).get("plaintext"))

    def health(self) -> None:
        probe(self)

    def rotate(self) -> int:
        """Add a version; transit makes it the active one."""
        self._post(f"keys/{self._key}/rotate", must_answer=False)
        return self.active_version()

    def retire(self, version: int) -> None:
        """Let transit open nothing any more that this version wrapped. Only the oldest one can go.

        Raises InvalidInput for any other. `vault write transit/keys/NAME/trim` then destroys it for good.
        """
        versions = self.versions()
        if version != min(versions) or version == max(versions):
            raise InvalidInput("Vault retires the oldest version only, and never the active one.")
        self._post(f"keys/{self._key}/config", must_answer=False, min_decryption_version=version + 1)

    # --- the exchange ----------------------------------------------------------------------------------------------

    def _described(self) -> dict[str, Any]:
        answer = self._ask("GET", f"keys/{self._key}", b"")
        described = _data(answer)
        try:
            int(described["latest_version"]), int(described["min_decryption_version"])
        except (KeyError, TypeError, ValueError):
            raise sealed("provider-answer") from None
        return described

    def _post(self, path: str, *, must_answer: bool = True, **fields: object) -> Answer:
        answer = self._ask("POST", path, json.dumps(fields).encode())
        if not must_answer and answer.status not in (200, 204):
            raise sealed(_why(answer))
        return answer

    def _ask(self, method: str, path: str, body: bytes) -> Answer:
        headers = {
            "X-Vault-Token": self._token(),
            "X-Vault-Request": "true",
            "Content-Type": "application/json",
        }
        return self._https.ask(method, f"/v1/{self._mount}/{path}", body, headers)

    def _token(self) -> str:
        try:
            return self._token_file.read_text().strip()
        except OSError:
            raise sealed("provider-token") from None


def _data(answer: Answer) -> dict[str, Any]:
    data = answer.body.get("data")
    if answer.status != 200 or not isinstance(data, dict):
        raise sealed(_why(answer))
    return data


def _why(answer: Answer) -> str:
    """A short word for the log; Vault's own sentences may hold names of paths."""
    words = {403: "provider-denied", 404: "provider-no-key", 503: "provider-sealed"}
    return words.get(answer.status, "provider-refused")


def _says(answer: Answer, *words: str) -> bool:
    said = " ".join(map(str, answer.body.get("errors") or ()))
    return any(word in said for word in words)


def _version(blob: bytes) -> int:
    found = _CIPHERTEXT.fullmatch(blob)
    if not found:
        raise sealed("provider-answer")
    return int(found[1])


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _key_bytes(encoded: object) -> bytes:
    try:
        key = base64.b64decode(str(encoded), validate=True)
    except (ValueError, binascii.Error):
        raise sealed("provider-answer") from None
    if len(key) != KEY_BYTES:
        raise sealed("provider-answer")
    return key
