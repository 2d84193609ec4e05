"""The database refuses to change or remove what the record of disclosures says."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from portal.audit.guards import guard, unguard
from portal.records.migrations import TABLES


def guard_tables(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    guard(editor.connection, *TABLES)


def unguard_tables(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    unguard(editor.connection, *TABLES)


class Migration(migrations.Migration):
    dependencies = [("records", "0001_rows")]

    operations = [migrations.RunPython(guard_tables, unguard_tables)]
