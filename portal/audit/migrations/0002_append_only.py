"""The database refuses to change or remove entries of the trail."""

from django.db import migrations

from portal.audit.guards import guard, unguard
from portal.audit.migrations import TABLES


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_rows")]

    operations = [
        migrations.RunPython(
            lambda apps, editor: guard(editor.connection, *TABLES),
            lambda apps, editor: unguard(editor.connection, *TABLES),
        )
    ]
