"""What every test stands on: a state directory of its own, a keyring, the cast, and a clock that can be moved."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

pytest_plugins = ["tests.cast", "tests.flows.installation"]


@pytest.hookimpl(trylast=True)  # once `-m` has left out what it leaves out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process starts the demo at once; the others find it standing when they come to the files that need it."""
    on_demo = dict.fromkeys(item.path for item in items if "demo" in getattr(item, "fixturenames", ()))
    first = next(iter(on_demo), None)

    def turn(item: pytest.Item) -> int:
        if item.path in on_demo:
            return 0 if item.path == first else 2
        return 1 if "portal" in item.path.parts else 3

    items.sort(key=turn)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The shared test images; without them a test is skipped, except in CI, where they must be there."""
    folder = Path(
        os.environ.get("SCANPASS_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
    )
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"the test images are missing: {folder}")
        pytest.skip("the test images (SCANPASS_TEST_DATA) are not on this machine")
    return folder


@pytest.fixture(autouse=True)
def _forget_open_keys() -> Iterator[None]:
    """A key opened in one test's database must not open another's."""
    from portal.sealed.keys import forget_keys

    forget_keys()
    yield
    forget_keys()


class MovableClock:
    """Moves the one clock of Scanpass; the machine's own stays."""

    def advance(self, **parts: float) -> None:
        from portal import clock

        clock._offset += timedelta(**parts)


@pytest.fixture
def clock() -> Iterator[MovableClock]:
    from portal import clock as module

    yield MovableClock()
    module._offset = timedelta(0)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database; at the end PostgreSQL would not drop it while a thread of some test is still connected."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(autouse=True, scope="session")
def _flush_passes_the_guards() -> Iterator[None]:
    """Tests with real transactions empty the tables afterwards, which the append-only triggers rightly refuse.

    For the whole session: pytest-django empties them after the fixtures of the test are gone.
    """
    from django.db.backends.base.operations import BaseDatabaseOperations

    from portal.audit.guards import guard, unguard
    from portal.audit.migrations import TABLES as AUDIT_TABLES
    from portal.records.migrations import TABLES as RECORDS_TABLES

    tables = (*AUDIT_TABLES, *RECORDS_TABLES)
    flush = BaseDatabaseOperations.execute_sql_flush

    def without_guards(self: BaseDatabaseOperations, statements: list[str]) -> None:
        unguard(connection, *tables)
        flush(self, statements)
        guard(connection, *tables)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", without_guards)
        yield


@pytest.fixture(autouse=True, scope="session")
def _passwords_hash_quickly() -> Iterator[None]:
    from django.test import override_settings

    with override_settings(PASSWORD_HASHERS=["tests.quick_hash.QuickArgon2"]):
        yield
