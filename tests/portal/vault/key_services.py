"""Strict stand-ins for the two key services, over real TLS: what the real ones would refuse, these refuse.

They hold real AES-GCM keys and bind the associated data; the fake KMS computes every signature again by itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN, KEY_NAME = "hvs.operator", "scanpass"
ACCESS_KEY, SECRET, REGION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1"


class _Fake(BaseHTTPRequestHandler):
    """Answers JSON; `server.mood` makes it ill: a status to answer, or text instead of JSON."""

    def answer(self, status: int, body: object) -> None:
        raw = b"" if status == 204 else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def is_ill(self) -> bool:
        mood = getattr(self.server, "mood", None)
        if mood:
            self.body()
        if mood == "nonsense":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")
        elif mood == "list":
            self.answer(200, [])
        elif mood:
            self.answer(mood, {"errors": ["ill"], "__type": "InternalException"})
        return bool(mood)

    def log_message(self, *args: object) -> None:
        """Nothing: the test's output stays its own."""


class FakeVault(_Fake):
    """The transit engine of HashiCorp Vault with one key, `scanpass`."""

    @property
    def keys(self) -> dict[int, bytes]:
        if not hasattr(self.server, "keys"):
            self.server.keys, self.server.least = {1: os.urandom(32)}, 1  # type: ignore[attr-defined]
        return self.server.keys  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        if self.is_ill() or not self._is_allowed():
            return None
        if self.path != f"/v1/transit/keys/{KEY_NAME}":
            return self.answer(404, {"errors": []})
        known = {"latest_version": max(self.keys), "min_decryption_version": self.server.least}  # type: ignore[attr-defined]
        return self.answer(200, {"data": {"type": "aes256-gcm96", **known}})

    def do_POST(self) -> None:
        if self.is_ill() or not self._is_allowed():
            return None
        fields = json.loads(self.body() or b"{}")
        deeds = {
            f"/v1/transit/encrypt/{KEY_NAME}": (self._encrypt, {"plaintext", "associated_data"}),
            f"/v1/transit/decrypt/{KEY_NAME}": (self._decrypt, {"ciphertext", "associated_data"}),
            f"/v1/transit/keys/{KEY_NAME}/rotate": (self._rotate, set()),
            f"/v1/transit/keys/{KEY_NAME}/config": (self._config, {"min_decryption_version"}),
        }
        if self.path not in deeds:
            return self.answer(404, {"errors": ["no handler for route"]})
        deed, names = deeds[self.path]
        if set(fields) != names:
            return self.answer(400, {"errors": [f"fields {sorted(fields)}"]})
        return deed(**fields)

    def _is_allowed(self) -> bool:
        if self.headers.get("X-Vault-Token") == TOKEN:
            return True
        self.body()
        self.answer(403, {"errors": ["permission denied"]})
        return False

    def _encrypt(self, plaintext: str, associated_data: str) -> None:
        version, nonce = max(self.keys), os.urandom(12)
        aad = base64.b64decode(associated_data, validate=True)
        blob = nonce + AESGCM(self.keys[version]).encrypt(
            nonce, base64.b64decode(plaintext, validate=True), aad
        )
        text = f"vault:v{version}:{base64.b64encode(blob).decode()}"
        self.answer(200, {"data": {"ciphertext": text, "key_version": version}})

    def _decrypt(self, ciphertext: str, associated_data: str) -> None:
        _, version, blob = ciphertext.split(":")
        if int(version[1:]) < self.server.least:  # type: ignore[attr-defined]
            return self.answer(
                400, {"errors": ["ciphertext or signature version is disallowed by policy (too old)"]}
            )
        raw = base64.b64decode(blob)
        try:
            aad = base64.b64decode(associated_data)
            plain = AESGCM(self.keys[int(version[1:])]).decrypt(raw[:12], raw[12:], aad)
        except InvalidTag:
            return self.answer(400, {"errors": ["cipher: message authentication failed"]})
        return self.answer(200, {"data": {"plaintext": base64.b64encode(plain).decode()}})

    def _rotate(self) -> None:
        self.keys[max(self.keys) + 1] = os.urandom(32)
        self.answer(204, None)

    def _config(self, min_decryption_version: int) -> None:
        self.server.least = min_decryption_version  # type: ignore[attr-defined]
        self.answer(200, {"data": {}})


class FakeKms(_Fake):
    """AWS KMS with two keys; a request that isn't signed right gets what AWS answers to it."""

    KEYS: ClassVar = {
        "arn:aws:kms:us-east-1:1:key/one": b"1" * 32,
        "arn:aws:kms:us-east-1:1:key/two": b"2" * 32,
    }

    def do_POST(self) -> None:
        if self.is_ill():
            return None
        raw = self.body()
        if not self._is_signed(raw):
            return self._refuse("IncompleteSignatureException", 403)
        fields: dict[str, Any] = json.loads(raw)
        key = self.KEYS.get(fields.pop("KeyId"))
        if self.path != "/" or self.headers["Content-Type"] != "application/x-amz-json-1.1":
            return self._refuse("UnknownOperationException")
        if key is None:
            return self._refuse("NotFoundException")
        context = fields.pop("EncryptionContext")
        if not isinstance(context, dict) or not all(isinstance(value, str) for value in context.values()):
            return self._refuse("SerializationException")
        aad = json.dumps(context, sort_keys=True).encode()
        deed = self.headers["X-Amz-Target"]
        if deed == "TrentService.Encrypt" and set(fields) == {"Plaintext"}:
            return self._encrypt(key, aad, base64.b64decode(fields["Plaintext"], validate=True))
        if deed == "TrentService.Decrypt" and set(fields) == {"CiphertextBlob"}:
            return self._decrypt(key, aad, base64.b64decode(fields["CiphertextBlob"], validate=True))
        return self._refuse("UnknownOperationException")

    def _encrypt(self, key: bytes, aad: bytes, plain: bytes) -> None:
        nonce = os.urandom(12)
        blob = nonce + AESGCM(key).encrypt(nonce, plain, aad)
        self.answer(200, {"CiphertextBlob": base64.b64encode(blob).decode()})

    def _decrypt(self, key: bytes, aad: bytes, blob: bytes) -> None:
        try:
            plain = AESGCM(key).decrypt(blob[:12], blob[12:], aad)
        except InvalidTag:
            return self._refuse("InvalidCiphertextException")
        return self.answer(200, {"Plaintext": base64.b64encode(plain).decode()})

    def _refuse(self, kind: str, status: int = 400) -> None:
        self.answer(status, {"__type": f"com.amazonaws.kms#{kind}"})

    def _is_signed(self, raw: bytes) -> bool:
        given = self.headers.get("Authorization", "")
        date = self.headers.get("X-Amz-Date", "")
        names = "content-type;host;x-amz-date;x-amz-target"
        lines = "".join(f"{name}:{self.headers[name]}\n" for name in names.split(";"))
        request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(raw).hexdigest()}"
        scope = f"{date[:8]}/{REGION}/kms/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = ("AWS4" + SECRET).encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.new(key, text.encode(), "sha256").hexdigest()
        credential = f"Credential={ACCESS_KEY}/{scope}, SignedHeaders={names}, Signature={signature}"
        return given == f"AWS4-HMAC-SHA256 {credential}"
