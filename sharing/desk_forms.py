"""The share form: everything the desk decides, on one page; Enter sends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import cached_property

from portal.clock import now
from portal.practice.models import Practice
from portal.records.models import Contact, Disclosure, Patient, ReferringDentist, Series, Study
from portal.records.templatetags.desk import phone
from sharing.models import Channel


class ShareForm(forms.Form):
    series = forms.MultipleChoiceField(
        label="Images", error_messages={"required": "Choose at least one image."}
    )
    recipient_kind = forms.ChoiceField(
        label="Who gets it", choices=Disclosure.Recipient.choices, widget=forms.RadioSelect
    )
    recipient_name = forms.CharField(
        label="Name",
        max_length=120,
        error_messages={"required": "Enter the name of the person who gets the link."},
        widget=forms.TextInput({"autocomplete": "off", "list": "dentists", "spellcheck": "false"}),
    )
    channel = forms.ChoiceField(label="How", choices=Channel.choices, widget=forms.RadioSelect)
    address = forms.CharField(
        label="Mobile number",
        max_length=254,
        error_messages={"required": "Enter where the link goes."},
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    language = forms.ChoiceField(label="Language of the message", choices=settings.LANGUAGES)
    allows_download = forms.TypedChoiceField(
        label="What they can do",
        choices=[("no", "View"), ("yes", "View and download")],
        coerce=lambda choice: choice == "yes",
        widget=forms.RadioSelect,
    )
    purpose = forms.ChoiceField(label="Reason", choices=Disclosure.Purpose.choices)
    days = forms.IntegerField(
        label="Works for, in days",
        min_value=1,
        error_messages={
            "required": "Enter a number of days.",
            "invalid": "Enter a number of days.",
            "min_value": "At least one day.",
        },
        widget=forms.NumberInput({"inputmode": "numeric"}),
    )
    consent = forms.BooleanField(
        label="The patient agrees to this",
        error_messages={"required": "Ask for consent first, then tick the box."},
    )

    def __init__(self, patient: Patient, practice: Practice, chosen: Study | None, data: Any = None) -> None:
        self.patient, self.practice = patient, practice
        super().__init__(data, initial=self._first_values(patient, practice, chosen))
        longest = practice.share_max_days
        self.fields["series"].choices = [(str(series.pk), series.title) for series in self.shareable]  # type: ignore[attr-defined]
        days = self.fields["days"]
        days.max_value = longest  # type: ignore[attr-defined]
        days.validators.append(_at_most(longest))
        days.widget.attrs |= {"max": longest, "min": 1}
        days.help_text = f"At most {longest}. After that the link is dead."

    @cached_property
    def shareable(self) -> list[Series]:
        """Every stored series of the patient, newest study first."""
        rows = Series.objects.filter(study__patient=self.patient, study__state=Study.State.STORED)
        return list(rows.select_related("study").order_by("-study__created_at", "study_id", "position"))

    def studies(self) -> list[dict[str, Any]]:
        """The series by study, for the checkboxes."""
        ticked = set(self["series"].value() or ())
        grouped: dict[Study, list[dict[str, Any]]] = {}
        for series in self.shareable:
            row = {"series": series, "is_ticked": str(series.pk) in ticked}
            grouped.setdefault(series.study, []).append(row)
        return [{"study": study, "rows": rows} for study, rows in grouped.items()]

    def expires_at(self) -> datetime:
        """When the link ends, for the days that were typed or the practice's own default."""
        given: Any = getattr(self, "cleaned_data", {}).get("days")
        return now() + timedelta(days=given or self.practice.share_default_days)

    def deed(self) -> dict[str, Any]:
        """What `sharing.issue.issue` takes."""
        given = dict(self.cleaned_data)
        given.pop("days")
        ids = set(given.pop("series"))
        chosen = [series for series in self.shareable if str(series.pk) in ids]
        return {**given, "series": chosen, "expires_at": self.expires_at()}

    def _first_values(self, patient: Patient, practice: Practice, chosen: Study | None) -> dict[str, Any]:
        known = reachable(patient)["patient"]
        channel = Channel.TEXT if known["text"] or not known["email"] else Channel.EMAIL
        newest = chosen or (self.shareable[0].study if self.shareable else None)
        # A study that came in several drops lies here in parts, and whoever shares it means all of them.
        uid = newest.study_instance_uid if newest else None
        return {
            "series": [str(series.pk) for series in self.shareable if series.study.study_instance_uid == uid],
            "recipient_kind": Disclosure.Recipient.PATIENT,
            "recipient_name": known["name"],
            "channel": channel,
            "address": known[str(channel)],
            "language": patient.language,
            "allows_download": "no",
            "purpose": Disclosure.Purpose.PATIENT_REQUEST,
            "days": practice.share_default_days,
        }


def _at_most(longest: int) -> Any:
    def check(days: int) -> None:
        if days > longest:
            raise forms.ValidationError(f"A link of this practice works for at most {longest} days.")

    return check


def reachable(patient: Patient) -> dict[str, Any]:
    """Who can be reached how: what the form fills in when the recipient changes.

    `{"patient": {"name", "text", "email", "language"}, "guardian": {…}, "dentists": [{…}]}`
    """
    contacts = list(patient.contacts.order_by("created_at"))
    guardians = [row for row in contacts if row.relationship == Contact.Relationship.GUARDIAN]
    own = [row for row in contacts if row.relationship == Contact.Relationship.SELF]
    dentists = ReferringDentist.objects.filter(practice_id=patient.practice_id).order_by("-created_at")[:200]
    return {
        "patient": {"name": patient.name, "language": patient.language, **_ways(own)},
        "guardian": {
            "name": next((row.name for row in guardians if row.name), ""),
            "language": guardians[0].language if guardians else patient.language,
            **_ways(guardians),
        },
        "dentists": [
            {
                "name": row.name,
                "clinic": row.clinic or "",
                "text": phone(row.mobile or ""),
                "email": row.email or "",
            }
            for row in dentists
        ],
    }


def _ways(contacts: list[Contact]) -> dict[str, str]:
    def first(kind: str) -> str:
        return phone(next((row.value for row in contacts if row.kind == kind), ""))

    return {"text": first(Contact.Kind.MOBILE), "email": first(Contact.Kind.EMAIL)}
