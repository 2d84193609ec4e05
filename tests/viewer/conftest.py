"""A stored study, a share of it, and browsers at both doors."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client

from portal.accounts.models import User
from portal.clock import now
from portal.practice.models import Practice
from portal.records.models import Patient, Study
from portal.records.vault import vault
from portal.vault.manifest import Entry
from sharing import remembered
from sharing.issue import issue
from sharing.models import Share, ShareSession
from sharing.sessions import begin
from tests.cast import actor_of, make_patient
from tests.viewer.stored_study import MadeSeries, colour_picture, store_study, volume
from viewer.stored import open_study


@pytest.fixture(autouse=True)
def _forget_what_is_remembered() -> Iterator[None]:
    from viewer import package, stored

    yield
    remembered.forget()
    stored._open.clear()
    package._packages.clear()


@dataclass
class Stored:
    """A study with what was put into it."""

    study: Study
    series: list[MadeSeries]

    @property
    def root(self) -> str:
        return f"/studies/{self.study.pk}"

    @property
    def volume(self) -> MadeSeries:
        return self.series[0]

    def frames(self, ranges: str, *, level: int = 0, series: int = 0, door: str = "") -> str:
        return f"{door}{self.root}/series/{self.series[series].id}/levels/{level}/frames/{ranges}"


def made_study(patient: Patient) -> Stored:
    """A volume, a colour picture and a report without pictures."""
    series = [
        MadeSeries(volume()),
        MadeSeries(colour_picture(), kind="image", title="Photograph", spacing_mm=None),
        MadeSeries(
            np.empty((0, 0, 0), np.uint16),
            kind="other",
            title="Report",
            originals=[b"\0" * 128 + b"DICM" + b"r" * 999],
        ),
    ]
    return Stored(store_study(patient, series), series)


def share_of(stored: Stored, user: User, *, series: list[int] | None = None, **changes: Any) -> Share:
    """A share of the study, or of some of its series."""
    chosen = stored.series if series is None else [stored.series[index] for index in series]
    wanted: dict[str, Any] = {
        "series": list(stored.study.series.filter(pk__in=[one.id for one in chosen])),
        "recipient_kind": "patient", "recipient_name": "", "channel": "text", "address": "+12015550123",
        "language": "en", "purpose": "patient-request", "consent": True, "allows_download": True,
        "expires_at": now() + timedelta(days=30), "actor": actor_of(user), **changes,
    }  # fmt: skip
    return issue(stored.study.patient, **wanted)


def browser_of(share: Share, *, step: str = ShareSession.Step.VERIFIED) -> Client:
    """A browser whose session has reached `step`."""
    _, key = begin(share, step)
    client = Client(headers={"host": "127.0.0.1"})
    client.cookies[django_settings.SHARE_COOKIE_NAME] = key
    return client


def body_of(response: HttpResponse) -> bytes:
    """The whole answer, streamed or not."""
    return b"".join(response.streaming_content) if response.streaming else response.content


def items_of(body: bytes) -> list[tuple[int, bytes]]:
    """A batch taken apart."""
    items, position = [], 0
    while position < len(body):
        index, length = struct.unpack_from(">II", body, position)
        items.append((index, body[position + 8 : position + 8 + length]))
        position += 8 + length
    return items


def entry_of(stored: Stored, item: int = 3) -> Entry:
    """Where an item of the volume lies."""
    return open_study(stored.study).entry(stored.volume.id, "frame", level=0, index=item)


def pack_path(name: str) -> Path:
    """The file of a pack, which nobody here keeps open."""
    vault()._cache.forget(name)
    return Path(django_settings.VAULT_DIR) / name[:2] / name


def flip(entry: Entry, at: int) -> None:
    """Change one bit of what is stored."""
    path = pack_path(entry.pack)
    raw = bytearray(path.read_bytes())
    raw[entry.offset + at] ^= 1
    path.write_bytes(raw)


@pytest.fixture
def stored(pat: Patient) -> Stored:
    return made_study(pat)


@pytest.fixture
def share(stored: Stored, dana: User) -> Share:
    return share_of(stored, dana)


@pytest.fixture
def phone(share: Share) -> Client:
    """Pat's browser, verified."""
    return browser_of(share)


@pytest.fixture
def theirs(bright: Practice, mallory: User) -> Stored:
    """A study of Mallory's own practice."""
    return made_study(make_patient(bright, "Mallory", "Other"))


@pytest.fixture
def mallory_phone(theirs: Stored, mallory: User) -> Client:
    """Mallory, with a valid, verified session for another share."""
    return browser_of(share_of(theirs, mallory))


@pytest.fixture
def unknown() -> str:
    return str(uuid.uuid4())
