"""What the privacy officer asks the trail, as a form."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms

from portal.audit.search import SUBJECTS, Wanted
from portal.practice.models import Membership, Practice

FORMATS = {"csv": "Table (CSV)", "fhir": "FHIR AuditEvent"}


class TrailForm(forms.Form):
    """All of it optional. Days are the practice's own; the last one counts whole."""

    since = forms.DateField(label="From", required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput({"type": "date"}))
    subject = forms.ChoiceField(label="What", required=False)
    actor = forms.ChoiceField(label="Who", required=False)
    # From a patient's page; an id tells nothing to whoever reads an access log.
    patient = forms.UUIDField(required=False, widget=forms.HiddenInput)
    before = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def __init__(self, practice: Practice, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.practice = practice
        members = Membership.objects.filter(practice=practice).select_related("user").order_by("user__name")
        subjects = [(name, words) for name, (words, _) in SUBJECTS.items()]
        self.fields["subject"].choices = [("", "Everything"), *subjects]  # type: ignore[attr-defined]
        staff = [(str(member.user_id), member.user.name) for member in members]
        self.fields["actor"].choices = [("", "Everybody"), *staff]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        since, until = given.get("since"), given.get("until")
        if since and until and until < since:
            self.add_error("until", "The last day is before the first.")
        return given

    def wanted(self) -> Wanted:
        """The question, for `portal.audit.search`."""
        given = self.cleaned_data
        until = given["until"]
        return Wanted(
            practice=self.practice.pk,
            since=self._start_of(given["since"]),
            until=self._start_of(until + timedelta(days=1)) if until else None,
            subject=given["subject"],
            actor=UUID(given["actor"]) if given["actor"] else None,
            patient=given["patient"],
            before=given["before"],
        )

    def _start_of(self, day: date | None) -> datetime | None:
        if day is None:
            return None
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.practice.time_zone))


class ExportForm(TrailForm):
    """The same question, and in which form the answer leaves."""

    format = forms.ChoiceField(choices=list(FORMATS.items()))
