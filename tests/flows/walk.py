"""The walk as one command: `python -m tests.flows.walk [STATE]` beside a `manage.py demo` that has just begun.

It knows what a person would: demo.json, outbox.jsonl, and what the site answers over HTTP; never the database.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

try:
    import pytest
except ModuleNotFoundError:
    sys.exit(
        "The walk needs what the tests need. Run `python3 manage.py test --version` once: it is set up then."
    )

from tests.flows import test_http_walk as walk
from tests.flows.desk import Desk
from tests.flows.installation import Installation
from tests.flows.invented import new_person, small_cbct, stored


class Running(Installation):
    """A demo that somebody else has started, known by its state directory; `scratch` is for this walk's own files."""

    def __init__(self, state: Path, scratch: Path) -> None:
        self._state = state
        super().__init__(scratch, environment={"DATABASE_URL": ""}, port=0)
        self.port = urlsplit(self.facts["base_url"]).port or 80

    @property
    def state(self) -> Path:
        return self._state


def steps(demo: Installation, place: Path) -> dict[str, Callable[[], None]]:
    """The scenarios in the order of their numbers; the first sign-in and upload are part of P12."""
    desk = Desk(demo, "omar").sign_in()
    person = new_person("Okafor", "Adaeze", 1979)
    case = stored(desk, person, small_cbct(person, place / "P12"))
    return {
        "P0": lambda: walk.test_p0_a_patient_walks_from_the_text_to_the_slices(demo),
        "P1": lambda: walk.test_p1_a_stranger_locks_the_link_and_the_sheet_says_that_nothing_left(
            demo, desk, place / "P1"
        ),
        "P2": lambda: walk.test_p2_siblings_on_one_telephone_cost_each_other_nothing(
            demo, desk, place / "P2"
        ),
        "P5": lambda: walk.test_p5_an_expired_link_says_so_asks_in_one_tap_and_never_revives(demo, desk),
        "P6": lambda: walk.test_p6_a_friend_with_link_and_birth_date_needs_the_code_on_the_patients_phone(
            demo, desk, place / "P6"
        ),
        "P12": lambda: walk.test_p12_a_revoked_link_ends_an_open_viewer_and_asks_for_a_new_one(
            demo, desk, case
        ),
    }


def main(state: Path) -> int:
    """Walk, say how each went, and return how many did not go well."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, step in steps(Running(state, Path(folder)), Path(folder)).items():
            since = time.monotonic()
            try:
                step()
            except (AssertionError, pytest.fail.Exception) as error:
                failed += 1
                print(f"{name:4} failed: {error}", flush=True)
            else:
                print(f"{name:4} ok, {time.monotonic() - since:.1f} s", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "var").resolve()))
