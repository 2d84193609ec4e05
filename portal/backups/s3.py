"""A target in a bucket of a store that speaks S3.

An object is there whole or not at all, so none has another name first. A set is there when its header is, which comes
last and goes first. The lock is this machine's; what another one may be writing into the same bucket is told by age.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, ClassVar, Final

from django.conf import settings

from portal.backups.address import S3Address
from portal.backups.folder import one_writer
from portal.backups.s3_bucket import Bucket, Listed
from portal.backups.s3_file import open_object
from portal.backups.sealed_set import HEADER, SetWriter
from portal.backups.target import FOLDERS, Refused, Target
from portal.vault.copies import Copied, Hashed
from portal.vault.disk import make_folder
from portal.vault.reasons import Reason, damaged
from portal.vault.store import Store

_DAY_S: Final = 24 * 3600


class S3Objects:
    """The packs, listed once: a request tells a thousand of them."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    @cached_property
    def _there(self) -> dict[str, Listed]:
        return {one.path.rpartition("/")[2]: one for one in self._bucket.listed("objects/")}

    def length(self, name: str) -> int | None:
        return self._there[name].length if name in self._there else None

    def names(self, *, older_than_s: float = 0) -> Iterator[str]:
        return (name for name, one in list(self._there.items()) if one.age_s >= older_than_s)

    def take(self, name: str, here: Store) -> Copied:
        with here.sealed(name) as file:
            hashed = Hashed(file)
            self._bucket.put(_path(name), hashed.read)
        copied = hashed.copied()
        self._there[name] = Listed(_path(name), copied.length, 0)
        return copied

    def give(self, name: str, here: Store) -> Copied:
        try:
            with open_object(self._bucket, _path(name), self.length(name)) as file:
                return here.adopt_stream(name, file)
        except FileNotFoundError:
            raise damaged(Reason.PACK_MISSING) from None

    def delete(self, name: str) -> None:
        self._bucket.delete(_path(name))
        self._there.pop(name, None)


def _path(name: str) -> str:
    return f"objects/{name[:2]}/{name}"


class S3Target(Target):
    """The backups in a bucket."""

    setting: ClassVar[str] = "SCANPASS_BACKUP_TARGET"
    spare_s: ClassVar[float] = _DAY_S

    def __init__(self, address: S3Address) -> None:
        self.address = address.text
        self._bucket = Bucket(address)

    @property
    def aside(self) -> Path:
        return Path(settings.STATE_DIR) / "backup-aside"

    @property
    def objects(self) -> S3Objects:
        return S3Objects(self._bucket)

    @contextmanager
    def locked(self) -> Iterator[None]:
        make_folder(Path(settings.STATE_DIR))
        with one_writer(Path(settings.STATE_DIR) / "backup-target.lock"):
            shutil.rmtree(self.aside, ignore_errors=True)
            self._tidy()
            try:
                yield
            finally:
                shutil.rmtree(self.aside, ignore_errors=True)

    def publish(self, written: SetWriter) -> str:
        for path in written.finish():
            with path.open("rb") as file:
                self._bucket.put(self.path_of(written.kind, written.name, path.name), file.read)
        return written.name

    def drop(self, kind: str, name: str) -> None:
        parts = [one.path for one in self._bucket.listed(f"{self.path_of(kind, name)}/")]
        for path in sorted(parts, key=lambda path: not path.endswith(f"/{HEADER}")):
            self._bucket.delete(path)

    def _tidy(self) -> None:
        """Remove what killed uploads and deletions left. A bucket that keeps everything keeps that too."""
        self._bucket.abort_unfinished()
        with suppress(Refused):
            for folder in FOLDERS.values():
                for parts in self._headless(folder):
                    for one in parts:
                        self._bucket.delete(one.path)

    def _headless(self, folder: str) -> Iterator[list[Listed]]:
        """Sets without a header that nobody can be writing any more."""
        sets: dict[str, list[Listed]] = defaultdict(list)
        for one in self._bucket.listed(f"{folder}/"):
            sets[one.path.rpartition("/")[0]].append(one)
        for parts in sets.values():
            is_whole = any(one.path.endswith(f"/{HEADER}") for one in parts)
            if not is_whole and min(one.age_s for one in parts) >= self.spare_s:
                yield parts

    def _listed(self, folder: str) -> list[str]:
        paths = (one.path.split("/") for one in self._bucket.listed(f"{folder}/"))
        return [path[1] for path in paths if len(path) == 3 and path[2] == HEADER]

    def _open(self, path: str) -> BinaryIO:
        return open_object(self._bucket, path)

    def _has_begun(self) -> bool:
        return any(True for _ in self._bucket.listed(""))
