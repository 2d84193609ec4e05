"""Who is faster than a limit: a hundred at once against every counter, and a revoke against fifty viewers.

    python -m bench.races [--runs 1000]
    DATABASE_URL=postgres://... python -m bench.races     (needs 130 connections)

Prints a table and ends with 1 if any limit was passed once.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np

from bench.races.crowd import SIZE, Crowd, gathered
from bench.races.ending import GRACE_S, VIEWERS, revoke_under_load
from bench.state import make_state


class Row(NamedTuple):
    """One line of the table."""

    race: str
    runs: int
    wanted: str
    seen: str
    is_good: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="of the guesses; the other races take a tenth")
    runs = parser.parse_args().runs
    with make_state():
        from django.db import connection

        print(f"database: {connection.vendor}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        desk = Desk()
        few = max(1, runs // 10)
        races: list[Callable[[Crowd], Row]] = [
            lambda crowd: guesses(crowd, desk, runs),
            lambda crowd: dates(crowd, desk, few),
            lambda crowd: opens(crowd, desk, few),
            lambda crowd: right_codes(crowd, desk, few),
            lambda crowd: asks(crowd, desk, few),
            lambda crowd: calls(crowd, desk, few),
            lambda crowd: keys(crowd, desk, few),
            lambda crowd: resends(crowd, desk, few),
        ]
        with gathered() as crowd:
            rows = [told(race(crowd), began) for race in races for began in [time.monotonic()]]
        rows.append(told(endings(desk, max(1, runs // 100)), time.monotonic()))
    sys.exit(0 if all(row.is_good for row in rows) else 1)


def told(row: Row, began: float) -> Row:
    verdict = "" if row.is_good else "   PASSED A LIMIT"
    print(
        f"{row.race:<58} {row.runs:>5} runs   wanted {row.wanted:<22} seen {row.seen}{verdict}"
        f"   ({time.monotonic() - began:.0f} s)",
        flush=True,
    )
    return row


class Desk:
    """A practice that shares a small study as often as it is asked, each time with another number."""

    def __init__(self) -> None:
        from portal.accounts.models import Role
        from portal.records.models import Series
        from tests.cast import actor_of, make_patient, make_practice, make_staff
        from tests.viewer.stored_study import MadeSeries, store_study

        practice = make_practice("Racing Dental")
        self.patient = make_patient(practice)
        self.actor = actor_of(make_staff(practice, Role.FRONT_DESK))
        noise = np.random.default_rng(7).integers(0, 4096, (40, 256, 256), np.uint16)
        originals = [noise.tobytes() for _ in range(16)]
        self.made = MadeSeries(noise, originals=originals)
        self.study = store_study(self.patient, [self.made])
        self.series = list(Series.objects.filter(study=self.study))
        self._numbers: Iterator[int] = itertools.count(2_000_000)

    def share(self, **more: Any) -> Any:
        from portal.clock import now
        from sharing.issue import issue
        from sharing.models import SendCount

        SendCount.objects.all().delete()  # the caps of a day, which are not what is tried here
        return issue(
            self.patient, series=self.series, recipient_kind="patient", recipient_name="", channel="text",
            address=f"+1206{next(self._numbers)}", language="en", purpose="patient-request", consent=True,
            allows_download=True, expires_at=now() + timedelta(days=7), actor=self.actor, **more,
        )  # fmt: skip


def guesses(crowd: Crowd, desk: Desk, runs: int) -> Row:
    from bench.races.acts import with_code

    most = 0
    for _ in range(runs):
        share = desk.share()
        answers = crowd.at_once("guess", with_code(share))
        share.refresh_from_db()
        most = max(most, answers.compared, share.code_failures, answers.told.count("done"))
    return Row(f"{SIZE} guesses of a code", runs, "at most 5 compared", f"at most {most}", most == 5)


def dates(crowd: Crowd, desk: Desk, runs: int) -> Row:
    from sharing.models import ShareSession
    from sharing.sessions import begin

    most = 0
    for _ in range(runs):
        session, _key = begin(desk.share(), ShareSession.Step.OPENED)
        most = max(most, crowd.at_once("give_date", session.pk).compared)
    return Row(f"{SIZE} guesses of a birth date", runs, "at most 5 compared", f"at most {most}", most == 5)


def opens(crowd: Crowd, desk: Desk, runs: int) -> Row:
    from bench.races.acts import with_code

    wrong = 0
    for number in range(runs):
        allowed = 1 + number % 10
        share = desk.share(opens_max=allowed)
        answers = crowd.at_once("give_code", *[with_code(share) for _ in range(SIZE)])
        wrong += answers.told.count("done") != allowed
    return Row(
        f"{SIZE} opens of a share that allows 1 to 10", runs, "exactly as many", f"{wrong} others", not wrong
    )


def right_codes(crowd: Crowd, desk: Desk, runs: int) -> Row:
    from bench.races.acts import with_code
    from sharing.models import ShareSession

    counts = set()
    for _ in range(runs):
        share = desk.share()
        crowd.at_once("give_code", with_code(share))
        counts.add(share.sessions.filter(step=ShareSession.Step.VERIFIED).count())
    return Row(f"{SIZE} times the right code", runs, "1 session", f"{counts}", counts == {1})


def asks(crowd: Crowd, desk: Desk, runs: int) -> Row:
    from sharing.models import ShareSession
    from sharing.sessions import begin

    counts = set()
    for _ in range(runs):
        share = desk.share()
        session, _key = begin(share, ShareSession.Step.MATCHED)
        crowd.at_once("ask", session.pk)
        counts.add(share.messages.filter(kind="code").count())
    return Row(f"{SIZE} asks for a code", runs, "1 text", f"{counts}", counts == {1})


def calls(crowd: Crowd, desk: Desk, runs: int) -> Row:
    from bench.races.acts import after_two_texts

    counts = set()
    for _ in range(runs):
        share = desk.share()
        crowd.at_once("ask_call", after_two_texts(share))
        counts.add(share.messages.filter(kind="call").count())
    return Row(f"{SIZE} asks to be called with a code", runs, "1 call", f"{counts}", counts == {1})


def keys(crowd: Crowd, desk: Desk, runs: int) -> Row:
    from bench.races.acts import ringing

    counts = set()
    for _ in range(runs):
        counts.add(crowd.at_once("press_key", ringing(desk.share())).told.count("done"))
    return Row(f"{SIZE} times the key of one call", runs, "1 hears the code", f"{counts}", counts == {1})


def resends(crowd: Crowd, desk: Desk, runs: int) -> Row:
    counts = set()
    for _ in range(runs):
        share = desk.share()
        share.messages.update(state="sent")
        crowd.at_once("send_again", share.pk)
        counts.add(share.messages.exclude(state="sent").count())
    return Row(f"{SIZE} times “send again” at the desk", runs, "1 text", f"{counts}", counts == {1})


def endings(desk: Desk, runs: int) -> Row:
    found = []
    for _ in range(runs):
        share = desk.share()
        frames = f"/studies/{desk.study.pk}/series/{desk.made.id}/levels/0/frames/0-3"
        found.append(revoke_under_load(share, frames, f"/studies/{desk.study.pk}/download", desk.actor))
    late = sum(one.late for one in found)
    batch, piece = max(one.last_batch_ms for one in found), max(one.last_piece_ms for one in found)
    seen = f"{late}; last batch {batch:+.0f} ms, last piece of the download {piece:+.0f} ms"
    race = f"revoked under {VIEWERS} viewers and a download"
    return Row(race, runs, f"nothing after {GRACE_S:.0f} s", seen, not late)


if __name__ == "__main__":
    main()
