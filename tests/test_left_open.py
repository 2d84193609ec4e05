"""What a test's threads leave open in PostgreSQL is ended, and said."""

from __future__ import annotations

from contextlib import closing

import pytest
from django.db import connection
from psycopg import OperationalError

from tests.left_open import end_what_was_left_open


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite waits for nobody's reading")
def test_a_transaction_left_open_is_ended_and_said() -> None:
    with closing(connection.get_new_connection(connection.get_connection_params())) as other:
        other.autocommit = False
        other.execute("SELECT 'left'")
        with pytest.warns(UserWarning, match="SELECT 'left'"):
            end_what_was_left_open(connection, wait_s=0.2)
        with pytest.raises(OperationalError):
            other.execute("SELECT 1")
