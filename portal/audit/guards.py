"""The database's own refusal to change what was written once: triggers on both engines.

They stop mistakes and a stolen application role, not the database's owner: against that stands the chain.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

_SENTENCE = "Scanpass: this record can only be added to"


def _sqlite_statements(table: str) -> list[str]:
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{_SENTENCE}'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def _postgresql_statements(table: str) -> list[str]:
    function = "scanpass_append_only"
    return [
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_SENTENCE}'; END $$",
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {function}()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
        # A plain trigger is passed over when session_replication_role is replica; ALWAYS holds.
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_change",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_truncate",
    ]


def guard(connection: BaseDatabaseWrapper, *tables: str) -> None:
    """Make the tables append-only."""
    statements = {"sqlite": _sqlite_statements, "postgresql": _postgresql_statements}[connection.vendor]
    with connection.cursor() as cursor:
        for table in tables:
            for statement in statements(table):
                cursor.execute(statement)


def unguard(connection: BaseDatabaseWrapper, *tables: str) -> None:
    """Take the guards away: only a reversed migration and the tests' own clean-up do this."""
    names = {"sqlite": ("no_update", "no_delete"), "postgresql": ("no_change", "no_truncate")}[
        connection.vendor
    ]
    with connection.cursor() as cursor:
        for table in tables:
            for name in names:
                on = "" if connection.vendor == "sqlite" else f" ON {table}"
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_{name}{on}")
