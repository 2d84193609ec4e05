"""Migrations. `TABLES` are the tables that can only be added to."""

TABLES = ("records_disclosure", "records_disclosureevent")
