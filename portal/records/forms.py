"""Forms of the record. What the verbs refuse is shown beside its field by `refused`."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from portal.errors import InvalidInput


def refused(form: forms.Form, error: InvalidInput) -> None:
    """Put a verb's sentence beside the field it is about, or on top of the form."""
    field = str(error.details.get("field", ""))
    form.add_error(field if field in form.fields else None, error.sentence)


class PatientForm(forms.Form):
    family_name = forms.CharField(
        label="Last name",
        max_length=64,
        error_messages={"required": "Type the last name."},
        widget=forms.TextInput({"autocomplete": "off", "autofocus": True, "spellcheck": "false"}),
    )
    given_name = forms.CharField(
        label="First name",
        max_length=64,
        error_messages={"required": "Type the first name."},
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    birthdate = forms.DateField(
        label="Date of birth",
        input_formats=["%Y-%m-%d", "%m/%d/%Y"],
        help_text="The patient types it to open a scan, so it must be right.",
        error_messages={"required": "Enter the date of birth.", "invalid": "This is not a date."},
        widget=forms.DateInput({"type": "date", "autocomplete": "off"}, format="%Y-%m-%d"),
    )
    chart_number = forms.CharField(
        label="Chart number",
        max_length=64,
        required=False,
        help_text="As in your practice software.",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    mobile = forms.CharField(
        label="Mobile phone",
        max_length=32,
        required=False,
        help_text="Links and codes go to it.",
        widget=forms.TextInput({"type": "tel", "autocomplete": "off"}),
    )
    email = forms.EmailField(
        label="E-mail",
        required=False,
        help_text="The other way to send a link.",
        error_messages={"invalid": "This is not an e-mail address."},
        widget=forms.EmailInput({"autocomplete": "off"}),
    )
    language = forms.ChoiceField(label="Writes and reads in", choices=settings.LANGUAGES)
    is_confirmed = forms.BooleanField(label="This is another person", required=False)

    def deed(self) -> dict[str, Any]:
        """What `add_patient` takes."""
        return dict(self.cleaned_data)


class ReasonForm(forms.Form):
    """Why someone resolves a quarantined group; it stands in the trail."""

    reason = forms.CharField(
        label="Reason",
        max_length=300,
        min_length=5,
        error_messages={"required": "Write down why.", "min_length": "Write a few words more."},
        widget=forms.TextInput({"autocomplete": "off"}),
    )
