"""The forms of the page about who acts for a patient and who must not have their images."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from portal.records.rights import Guardianship, Hold

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class GuardianForm(forms.Form):
    kind = forms.ChoiceField(label="Who they are", choices=Guardianship.Kind.choices)
    name = forms.CharField(
        label="Name",
        max_length=120,
        error_messages={"required": "Enter the name of the parent or guardian."},
        widget=forms.TextInput(_PLAIN),
    )
    documents = forms.CharField(
        label="Papers you saw",
        max_length=300,
        help_text="For example: driver's license and the birth certificate.",
        error_messages={"required": "Write down which papers you saw."},
        widget=forms.TextInput(_PLAIN),
    )
    ends_on = forms.DateField(
        label="Acts until",
        required=False,
        help_text="Empty: until the 18th birthday.",
        error_messages={"invalid": "This is not a date."},
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    mobile = forms.CharField(
        label="Mobile phone",
        max_length=32,
        required=False,
        widget=forms.TextInput({"type": "tel", "autocomplete": "off"}),
    )
    email = forms.CharField(
        label="E-mail", max_length=254, required=False, widget=forms.TextInput({"autocomplete": "off"})
    )
    language = forms.ChoiceField(label="Writes and reads in", choices=settings.LANGUAGES)

    def deed(self) -> dict[str, Any]:
        """What `add_guardian` takes."""
        return dict(self.cleaned_data)


class HoldForm(forms.Form):
    kind = forms.ChoiceField(label="What must not happen", choices=Hold.Kind.choices)
    name = forms.CharField(
        label="Name of the person",
        max_length=120,
        required=False,
        help_text="For “this person” only.",
        widget=forms.TextInput(_PLAIN),
    )
    address = forms.CharField(
        label="Their number or e-mail, if known",
        max_length=254,
        required=False,
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    reason = forms.CharField(
        label="Reason",
        max_length=300,
        help_text="Shown to whoever tries to share. For example: court order of May 3.",
        error_messages={"required": "Write down why, in a few words."},
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    def deed(self) -> dict[str, Any]:
        """What `hold_back` takes."""
        return dict(self.cleaned_data)
