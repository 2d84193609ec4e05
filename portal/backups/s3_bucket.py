"""A bucket of a store that speaks S3, asked through botocore: listing, in, out, and words for what goes wrong.

Only what every such store knows is used: objects in one piece or in parts, listings, ranges. Each body's SHA-256 is
signed, so the store itself refuses one that changed on the way. Redirects to other hosts are not followed.

Source: docs.aws.amazon.com/AmazonS3/latest/API (PutObject, UploadPart, GetObject, ListObjectsV2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)

from portal.backups.address import S3Address
from portal.backups.target import Refused
from portal.errors import NotFound, ScanpassError, StorageFull, Unavailable

PART_BYTES = 16 << 20  # in memory at once; 10,000 of them are the most an object may have: 160 GB
TRIES = 5
CONNECT_S, READ_S = 10, 60

_NO_ROOM: Final = frozenset(
    {"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "StorageCapExceeded"}
)
# A range past the end: the object has become shorter than it was listed.
_NO_KEY: Final = frozenset({"NoSuchKey", "404", "NotFound", "InvalidRange"})
_WITHOUT: Final = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound)
_LOSES_NOTHING: Final = " Nothing is lost: what was copied stays, and the next backup goes on from there."


@dataclass(frozen=True, slots=True)
class Listed:
    """An object: its path below the prefix, its bytes, and how long it has been there by the store's own clock."""

    path: str
    length: int
    age_s: float


class Bucket:
    """The bucket of an address; paths are below its prefix."""

    def __init__(self, address: S3Address) -> None:
        self.name, self._prefix, self._host = address.bucket, address.prefix, address.host
        with self._in_words():
            self._client = _client(address)

    def listed(self, folder: str) -> Iterator[Listed]:
        """Everything below a folder. Raises `Unavailable`, `Refused`, `NotFound` without such a bucket."""
        more: dict[str, str] = {}
        while True:
            answer = self._ask("list_objects_v2", Prefix=f"{self._prefix}{folder}", **more)
            moment = _moment(answer)
            for one in answer.get("Contents", ()):
                age = (moment - one["LastModified"]).total_seconds()
                yield Listed(one["Key"].removeprefix(self._prefix), one["Size"], age)
            if not answer.get("IsTruncated"):
                return
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def put(self, path: str, read: Callable[[int], bytes]) -> None:
        """Store what `read` gives, each byte asked for once. It isn't there before all of it is."""
        first = read(PART_BYTES)
        second = read(PART_BYTES) if len(first) == PART_BYTES else b""
        if not second:
            self._ask("put_object", Key=self._key(path), Body=first)
            return
        upload = {
            "Key": self._key(path),
            "UploadId": self._ask("create_multipart_upload", Key=self._key(path))["UploadId"],
        }
        try:
            self._put_parts(upload, _then(first, second, read))
        except BaseException:
            # What is left of it costs money and isn't an object. The next backup removes it where this can't.
            with suppress(ScanpassError):
                self._ask("abort_multipart_upload", **upload)
            raise

    def _put_parts(self, upload: dict[str, str], blocks: Iterator[bytes]) -> None:
        parts = [
            {
                "PartNumber": number,
                "ETag": self._ask("upload_part", **upload, PartNumber=number, Body=block)["ETag"],
            }
            for number, block in enumerate(blocks, 1)
        ]
        self._ask("complete_multipart_upload", **upload, MultipartUpload={"Parts": parts})

    def length(self, path: str) -> int:
        """The bytes of an object. Raises `FileNotFoundError`."""
        return int(self._ask("head_object", Key=self._key(path))["ContentLength"])

    def stream(self, path: str, start: int) -> Any:
        """The object's bytes from `start` on, to be read and closed. Raises `FileNotFoundError`."""
        return self._ask("get_object", Key=self._key(path), Range=f"bytes={start}-")["Body"]

    def delete(self, path: str) -> None:
        """Remove an object; one that is gone is no error. Raises `Refused` where the bucket keeps everything."""
        self._ask("delete_object", Key=self._key(path))

    def abort_unfinished(self) -> None:
        """Remove what interrupted uploads left. A store that can't list them drops them by a rule of its own."""
        with suppress(Refused, Unavailable):
            answer = self._ask("list_multipart_uploads", Prefix=self._prefix)
            for one in answer.get("Uploads", ()):
                self._ask("abort_multipart_upload", Key=one["Key"], UploadId=one["UploadId"])

    def _key(self, path: str) -> str:
        return f"{self._prefix}{path}"

    def _ask(self, deed: str, **said: Any) -> dict[str, Any]:
        with self._in_words():
            answer: dict[str, Any] = getattr(self._client, deed)(Bucket=self.name, **said)
            return answer

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise self._told(error) from None
        except _WITHOUT:
            raise Refused(
                "There are no credentials for the store of the backups. Name them as AWS's own tools do:"
                " a profile, AWS_SHARED_CREDENTIALS_FILE or the role of this machine."
            ) from None
        except BotoCoreError as error:
            raise Unavailable(
                f"The store of the backups ({self._host}) can't be reached: {type(error).__name__}.{_LOSES_NOTHING}"
            ) from None

    def _told(self, error: ClientError) -> Exception:
        code = re.sub(r"[^A-Za-z0-9]", "", str(error.response.get("Error", {}).get("Code", "")))[:40]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code == "NoSuchBucket":
            return NotFound(f"There is no bucket {self.name} at {self._host}. Make it first, then try again.")
        if code in _NO_KEY:
            return FileNotFoundError(code)
        if code in _NO_ROOM or status == 507:
            return StorageFull(
                f"The store of the backups is full or over its quota ({code}).{_LOSES_NOTHING}"
            )
        if code == "RequestTimeTooSkewed":
            return Refused(
                "The store of the backups finds this machine's clock wrong. Set the clock, then try again."
            )
        if status in (401, 403):
            return Refused(
                f"The store of the backups refused this machine's credentials ({code}). Ask its keeper for the right"
                f" to list, read and write in the bucket {self.name}.{_LOSES_NOTHING}"
            )
        return Unavailable(
            f"The store of the backups ({self._host}) answered {code or status}.{_LOSES_NOTHING}"
        )


def _moment(answer: dict[str, Any]) -> datetime:
    """The store's own clock, against which its own dates are held."""
    said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(said) if said else datetime.now(UTC)


def _then(first: bytes, second: bytes, read: Callable[[int], bytes]) -> Iterator[bytes]:
    yield first
    block = second
    while block:
        yield block
        block = read(PART_BYTES)


def _client(address: S3Address) -> Any:
    config = Config(
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        retries={"mode": "standard", "total_max_attempts": TRIES},
        # Checksums in newer headers are unknown to many stores; the signature covers the body's SHA-256 instead.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={
            "payload_signing_enabled": True,
            "addressing_style": "path" if address.endpoint else "auto",
        },
    )
    session = botocore.session.Session(profile=address.profile or None)
    return session.create_client(
        "s3", region_name=address.region, endpoint_url=address.endpoint or None, config=config
    )
