"""The address of a target: a folder, or `s3://BUCKET/PREFIX?endpoint=https://…&region=…&profile=…`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import parse_qsl, urlsplit

from portal.backups.folder import FolderTarget
from portal.backups.target import Target
from portal.errors import Conflict, InvalidInput

SCHEME: Final = "s3://"
_KNOWN: Final = frozenset({"endpoint", "region", "profile"})
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class S3Address:
    """A bucket, the folder in it (`prefix`, empty or ending in a slash), and how it is reached.

    `endpoint` is empty for AWS itself; `profile` is one of AWS's own credentials file, empty for its usual chain.
    """

    text: str
    bucket: str
    prefix: str
    endpoint: str
    region: str
    profile: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `InvalidInput` for what can't be an address, or would be asked without TLS."""
        try:
            parts = urlsplit(text)
            said = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        except ValueError:
            raise InvalidInput(_SHAPE) from None
        if "@" in parts.netloc:
            raise InvalidInput(
                "Credentials don't belong into the address of the backups. Name a profile: ?profile=NAME"
            )
        if parts.scheme != "s3" or not parts.netloc or not set(said) <= _KNOWN:
            raise InvalidInput(_SHAPE)
        endpoint = said.get("endpoint", "").rstrip("/")
        if endpoint and not _is_safe(endpoint):
            raise InvalidInput("The store of the backups must be reached by https.")
        prefix = parts.path.strip("/")
        return cls(
            text=text,
            bucket=parts.netloc,
            prefix=f"{prefix}/" if prefix else "",
            endpoint=endpoint,
            # Signatures name a region; stores that have none take this one.
            region=said.get("region") or "us-east-1",
            profile=said.get("profile", ""),
        )

    @property
    def host(self) -> str:
        """Where the bucket is, for people."""
        return urlsplit(self.endpoint).hostname or f"AWS, {self.region}"


_SHAPE: Final = (
    "The address of the backups can't be read. It is a folder, or"
    " s3://BUCKET/FOLDER?endpoint=https://STORE&region=REGION"
)


def _is_safe(url: str) -> bool:
    """By TLS, or on this very machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


def is_bucket(address: str) -> bool:
    """Whether an address names a bucket and not a folder."""
    return address.startswith(SCHEME)


def target_at(address: str) -> Target:
    """The target of an address. Raises `InvalidInput`, `Conflict` where what a bucket needs isn't installed."""
    if not is_bucket(address):
        return FolderTarget(Path(address).resolve())
    parsed = S3Address.parse(address)
    # The package is an extra, so it is asked for where it is used.
    try:
        from portal.backups.s3 import S3Target
    except ModuleNotFoundError:
        raise Conflict("Backups into a bucket need botocore. Install the extra aws.") from None
    return S3Target(parsed)


def in_words(address: str) -> str:
    """Where backups go, for people; empty when they go nowhere."""
    if not is_bucket(address):
        return "a folder" if address else ""
    try:
        parsed = S3Address.parse(address)
    except InvalidInput:
        return "a bucket whose address can't be read"
    return f"the bucket {parsed.bucket} ({parsed.host})"
