"""The database refuses to change or remove what the record of disclosures says."""

from django.db import migrations

from portal.audit.guards import guard, unguard
from portal.records.migrations import TABLES


class Migration(migrations.Migration):
    dependencies = [("records", "0001_rows")]

    operations = [
        migrations.RunPython(
            lambda apps, editor: guard(editor.connection, *TABLES),
            lambda apps, editor: unguard(editor.connection, *TABLES),
        )
    ]
