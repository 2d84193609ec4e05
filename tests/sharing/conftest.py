"""A share in three lines, and a recipient who walks its whole way as a browser would."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from portal.accounts.models import User
from portal.clock import now
from portal.jobs.models import Job
from portal.jobs.run import run
from portal.records.models import Patient, Series, Study
from portal.sealed.fields import blind_index
from sharing import remembered
from sharing.gateways.memory import Kept, MemoryGateway
from sharing.issue import issue
from sharing.models import Share
from tests.cast import actor_of

PHONE = "+12015550123"


@pytest.fixture(autouse=True)
def _forget_visits() -> Iterator[None]:
    remembered.forget()
    yield
    remembered.forget()


@pytest.fixture
def sent(settings: Any) -> Iterator[list[Kept]]:
    """Every message that left, in order."""
    settings.GATEWAY = "memory"
    MemoryGateway.sent.clear()
    yield MemoryGateway.sent
    MemoryGateway.sent.clear()


def make_study(patient: Patient, *, series: int = 2, title: str = "Cone-beam CT") -> Study:
    """A study as ingest leaves its rows, without any sealed object behind them."""
    study = Study(
        practice_id=patient.practice_id,
        patient=patient,
        study_instance_uid=f"1.2.{uuid.uuid4().int}",
        title=title,
        study_date=None,
        modalities="CT",
        manifest_blob=uuid.uuid4().hex,
        manifest_length=1,
        manifest_sha256="0" * 64,
        file_count=series,
        length_bytes=1,
        created_at=now(),
    )
    study.uid_index = blind_index(patient.practice_id, "study", study.study_instance_uid)
    study.save()
    for position in range(series):
        Series.objects.create(
            practice_id=patient.practice_id,
            study=study,
            series_instance_uid=f"1.2.{uuid.uuid4().int}",
            title=f"Series {position + 1}",
            modality="CT",
            kind=Series.Kind.VOLUME,
            position=position,
            frame_count=100,
            file_count=1,
            length_bytes=1,
        )
    return study


def make_share(patient: Patient, user: User, **changes: Any) -> Share:
    """A share of the patient's newest study (made when there is none), as the desk makes it."""
    study = patient.studies.order_by("-created_at").first() or make_study(patient)
    wanted: dict[str, Any] = {
        "series": list(study.series.order_by("position")),
        "recipient_kind": "patient",
        "recipient_name": "",
        "channel": "text",
        "address": PHONE,
        "language": "en",
        "purpose": "patient-request",
        "consent": True,
        "allows_download": True,
        "expires_at": now() + timedelta(days=30),
        "actor": actor_of(user),
    }
    return issue(patient, **{**wanted, **changes})


def run_jobs() -> None:
    """Do what the worker would."""
    for job_id in (
        Job.objects.filter(state=Job.State.QUEUED).order_by("created_at").values_list("pk", flat=True)
    ):
        run(job_id)


def token_in(message: Kept) -> str:
    found = re.search(r"/s/#([1-9A-HJ-NP-Za-km-z]{22})\b", message.body)
    assert found, message.body
    return found[1]


def code_in(message: Kept) -> str:
    return message.body.rsplit("#", 1)[1]


def heard(message: Kept) -> str:
    """The code of a call, as whoever hears it writes it down."""
    digits = re.search(r"(?:code is|es): ((?:\d, ){5}\d)\.", message.body)
    assert digits, message.body
    return digits[1].replace(", ", "")


@dataclass
class Recipient:
    """A browser with cookies and CSRF, and the messages its owner gets."""

    sent: list[Kept]
    client: Client = field(
        default_factory=lambda: Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
    )

    def get(self, path: str, **extra: Any) -> HttpResponse:
        return self.client.get(path, **extra)

    def post(self, path: str, body: Any = None, **extra: Any) -> HttpResponse:
        """A step by JSON."""
        if "csrftoken" not in self.client.cookies:
            self.client.get("/s/")
        headers = {"X-CSRFToken": self.client.cookies["csrftoken"].value, **extra.pop("headers", {})}
        text = body if isinstance(body, str) else json.dumps(body or {})
        return self.client.post(path, text, content_type="application/json", headers=headers, **extra)

    def submit(self, path: str, **fields: Any) -> HttpResponse:
        """A step by a form."""
        self.client.get("/s/")
        token = self.client.cookies["csrftoken"].value
        return self.client.post(path, {**fields, "csrfmiddlewaretoken": token})

    @property
    def cookie(self) -> str:
        return self.client.cookies["share"].value

    def open(self, token: str) -> HttpResponse:
        return self.post("/s/open", {"token": token})

    def birthdate(self, year: int = 1986, month: int = 4, day: int = 12) -> HttpResponse:
        return self.post("/s/birthdate", {"year": year, "month": month, "day": day})

    def ask_code(self) -> str:
        """Ask for a code and read it on the phone."""
        assert self.post("/s/code").status_code == 202
        run_jobs()
        return code_in(self.sent[-1])

    def walk_in(self, token: str) -> None:
        """The whole way, from the link to the scan."""
        assert self.open(token).status_code == 200
        assert self.birthdate().status_code == 200
        answer = self.post("/s/code/verify", {"code": self.ask_code()})
        assert answer.status_code == 200, answer.content


@pytest.fixture
def phone(sent: list[Kept]) -> Recipient:
    return Recipient(sent)


@pytest.fixture
def share(pat: Patient, dana: User, sent: list[Kept]) -> Share:
    """A share of Pat's, whose link has been sent."""
    made = make_share(pat, dana)
    run_jobs()
    made.refresh_from_db()
    return made


@pytest.fixture
def token(share: Share, sent: list[Kept]) -> str:
    return token_in(sent[-1])
