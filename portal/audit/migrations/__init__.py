"""Migrations. `TABLES` are the tables that can only be added to."""

TABLES = ("audit_auditentry", "audit_checkpoint")
