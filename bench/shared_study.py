"""A study in a fresh installation, shared with one recipient who has walked the whole way in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from bench.state import free_port


@dataclass(frozen=True)
class Shared:
    """The cookie opens the study at its addresses."""

    study_id: str
    series_id: str
    cookie: str
    originals: list[bytes]

    @property
    def root(self) -> str:
        return f"/studies/{self.study_id}"


def share_study(frames: np.ndarray, originals: list[bytes] | None = None) -> Shared:
    """Store `frames` (frames x rows x columns, unsigned) as a volume and share it."""
    from django.conf import settings

    from portal.accounts.models import Role
    from portal.clock import now
    from portal.records.models import Patient, Series
    from sharing.issue import issue
    from sharing.models import ShareSession
    from sharing.sessions import begin
    from tests.cast import actor_of, make_patient, make_practice, make_staff
    from tests.viewer.stored_study import MadeSeries, store_study

    practice = make_practice()
    user = make_staff(practice, Role.FRONT_DESK)
    patient: Patient = make_patient(practice)
    made = MadeSeries(frames, originals=originals or [])
    study = store_study(patient, [made])
    share = issue(
        patient, series=list(Series.objects.filter(study=study)), recipient_kind="patient", recipient_name="",
        channel="text", address="+12015550123", language="en", purpose="patient-request", consent=True,
        allows_download=True, expires_at=now() + timedelta(days=30), actor=actor_of(user),
    )  # fmt: skip
    _, key = begin(share, ShareSession.Step.VERIFIED)
    return Shared(str(study.pk), str(made.id), f"{settings.SHARE_COOKIE_NAME}={key}", made.originals)


def web_command() -> tuple[list[str], int]:
    """The command with which `manage.py serve` starts its web server, and its port."""
    from portal.serving.programs import web

    port = free_port()
    return list(web(port).command), port


def noisy_volume(frames: int, side: int = 512) -> np.ndarray:
    """Slices of 12 bits, noisy enough that each packs to about 190 kB."""
    random = np.random.default_rng(11)
    y, x = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side), indexing="ij")
    body = 1400 * (x**2 + y**2 < 0.8) + 400
    noise = random.normal(0, 8, (frames, side, side)).astype(np.float32)
    return np.clip(noise + body, 0, 4095).astype(np.uint16)
