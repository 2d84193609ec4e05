"""Migrations. `TABLES` are the tables that can only be added to."""

TABLES = ("audit_auditentry",)
