"""What the trail costs: an entry inside an act, and walking a chain again.

    python -m bench.audit [--entries 100000] [--acts 300]
    DATABASE_URL=postgres://... python -m bench.audit

Processor time of one core. An act is a share made at the desk, with its disclosure, message and entry; the entry's
part is what `trail.record` takes of it, waiting for the database included.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import numpy as np

from bench.state import make_state

WRITERS, EACH = 8, 250


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--acts", type=int, default=200)
    options = parser.parse_args()
    with make_state():
        from django.db import connection

        print(f"database: {connection.vendor}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        verifying(options.entries)
        sharing(options.acts)
        appending()


def verifying(count: int) -> None:
    """Write `count` entries like a day's at the desk, then walk the chain three times."""
    from uuid import uuid4

    from django.db import transaction

    from portal.audit import trail
    from portal.audit.actor import Actor
    from portal.audit.verify import verify
    from tests.cast import make_practice

    practice = make_practice("Bench Dental")
    actor = Actor("staff", practice.pk, uuid4(), "front_desk", "Dana Desk", "5e55", "totp", "192.0.2.1")
    for start in range(0, count, 5000):
        with transaction.atomic():
            for number in range(start, min(start + 5000, count)):
                trail.record("patient.opened", actor=actor, patient=uuid4(), number=number)
    rates = []
    for _ in range(3):
        began = time.process_time()
        verdict = verify(practice.pk)
        rates.append(verdict.entries / (time.process_time() - began))
        assert verdict.finding is None, verdict.finding
    print(f"verify: {max(rates):,.0f} entries/s of one core, best of 3 walks of {count:,}")


def sharing(count: int) -> None:
    """Make shares at the desk, and time the entries in them apart."""
    from portal.accounts.models import Role
    from portal.clock import now
    from portal.records.models import Series
    from sharing.issue import issue
    from tests.cast import actor_of, make_patient, make_practice, make_staff
    from tests.viewer.stored_study import MadeSeries, store_study

    practice = make_practice("Sharing Dental")
    actor, patient = actor_of(make_staff(practice, Role.FRONT_DESK)), make_patient(practice)
    study = store_study(patient, [MadeSeries(np.zeros((2, 16, 16), np.uint16))])
    series = list(Series.objects.filter(study=study))
    with timed_entries() as entries:
        began = time.perf_counter()
        for number in range(count):
            issue(
                patient, series=series, recipient_kind="patient", recipient_name="", channel="text",
                address=f"+1206555{number:04}", language="en", purpose="patient-request", consent=True,
                allows_download=False, expires_at=now() + timedelta(days=7), actor=actor,
            )  # fmt: skip
        whole = time.perf_counter() - began
    print(
        f"share: {whole / count * 1e3:.1f} ms an act, of which the trail {sum(entries) / count * 1e3:.2f} ms:"
        f" {sum(entries) / whole:.1%}"
    )


@contextmanager
def timed_entries() -> Iterator[list[float]]:
    """Every entry's seconds, while the block lasts."""
    from portal.audit import trail

    taken: list[float] = []
    record = trail.record

    def timed(*args: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return record(*args, **named)
        finally:
            taken.append(time.perf_counter() - began)

    trail.record = timed
    try:
        yield taken
    finally:
        trail.record = record


def appending() -> None:
    """Acts that are nothing but their entry, by several writers in one process, each in a practice of its own."""
    from django.db import connection

    from portal.audit.actor import system
    from portal.audit.trail import record_alone
    from tests.cast import make_practice

    practices = [make_practice(f"Practice {number}") for number in range(WRITERS)]
    start = Barrier(WRITERS + 1)

    def write(practice: Any) -> None:
        start.wait()
        for _ in range(EACH):
            record_alone("patient.opened", actor=system(practice.pk))
        connection.close()

    threads = [Thread(target=write, args=(practice,)) for practice in practices]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    rate = WRITERS * EACH / (time.perf_counter() - began)
    print(f"append: {rate:,.0f} acts/s committed, {WRITERS} writers in one process")


if __name__ == "__main__":
    main()
