"""Who can be reached how: what the share form fills in when the recipient changes."""

from __future__ import annotations

from typing import Any

from portal.records.dentists import dentists_of
from portal.records.guardians import guardians_of
from portal.records.models import Contact, Patient
from portal.records.templatetags.desk import phone
from sharing.sent_before import sent_before


def reachable(patient: Patient) -> dict[str, Any]:
    """What is known of the patient's contacts, of dentists, and of whom images went to before.

    `{"patient": {"name", "text", "email", "language"}, "guardian": {…}, "dentists": [{…}], "before": [{…}]}`
    """
    before = sent_before(patient)
    # The language somebody was last written to in; the newest comes first.
    spoken = {entry["kind"]: entry["language"] for entry in reversed(before)}
    contacts = list(patient.contacts.order_by("created_at"))
    guardians = _of_one_guardian(patient, contacts)
    own = [row for row in contacts if row.relationship == Contact.Relationship.SELF]
    return {
        "patient": {
            "name": patient.name,
            "language": spoken.get("patient", patient.language),
            **_ways(own),
        },
        "guardian": {
            "name": next((row.name for row in guardians if row.name), ""),
            "language": spoken.get("guardian", guardians[0].language if guardians else patient.language),
            **_ways(guardians),
        },
        "dentists": [
            {
                "name": row.name,
                "clinic": row.clinic or "",
                "npi": row.npi or "",
                "phone": phone(row.phone or ""),
                "text": phone(row.mobile or ""),
                "email": row.email or "",
            }
            for row in dentists_of(patient.practice_id)
        ],
        "before": before,
    }


def _of_one_guardian(patient: Patient, contacts: list[Contact]) -> list[Contact]:
    """The contacts of the guardian noted first who still acts: one person's name never meets another's number."""
    theirs = [row for row in contacts if row.relationship == Contact.Relationship.GUARDIAN]
    for guardian in guardians_of(patient):
        named = [row for row in theirs if row.name == guardian.name]
        if named:
            return named
    return []


def _ways(contacts: list[Contact]) -> dict[str, str]:
    def first(kind: str) -> str:
        return phone(next((row.value for row in contacts if row.kind == kind), ""))

    return {"text": first(Contact.Kind.MOBILE), "email": first(Contact.Kind.EMAIL)}
