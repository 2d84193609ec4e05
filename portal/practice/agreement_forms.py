"""Forms of the business associates and their agreements."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from portal.practice.adapters import choices

DOCUMENT_MAX_BYTES: Final = 2 * 1024 * 1024


def _answer(label: str, hint: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=hint,
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 2}),
        error_messages={"max_length": "Please keep it to 500 letters."},
    )


class AnswersForm(forms.Form):
    """The vendor, and the questions to ask of it before any data goes there."""

    name = forms.CharField(
        label="Name of the vendor",
        max_length=120,
        error_messages={"required": "Enter the name of the vendor."},
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    contact = forms.CharField(
        label="Contact",
        help_text="Who to call or write to when something happens: name, phone, e-mail.",
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 2}),
    )
    stored_where = _answer("Where is the data stored?", "Country, region, and with whom.")
    encryption = _answer("How is it encrypted?", "On the way and where it lies.")
    access_controls = _answer("Who there can reach it?", "Roles, second factor, logs.")

    def clean_contact(self) -> str | None:
        return self.cleaned_data["contact"] or None


class NewAssociateForm(AnswersForm):
    adapter = forms.ChoiceField(
        label="What it does for the practice",
        error_messages={
            "required": "Choose what the vendor does.",
            "invalid_choice": "Choose one of the list.",
        },
    )
    field_order = ("name", "adapter", "contact", "stored_where", "encryption", "access_controls")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["adapter"].choices = choices()  # type: ignore[attr-defined]


def _day(label: str, hint: str = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        help_text=hint,
        widget=forms.DateInput({"type": "date"}),
        error_messages={"required": f"Enter the date: {label.lower()}.", "invalid": "This is not a date."},
    )


class AgreementForm(forms.Form):
    signed_on = _day("Signed on")
    starts_on = _day("First day")
    ends_on = _day("Last day", "From the next day on nothing goes to this vendor.")
    document = forms.FileField(
        label="Signed document",
        help_text="A PDF of at most 2 MB. It is stored sealed.",
        widget=forms.ClearableFileInput({"accept": "application/pdf,.pdf"}),
        error_messages={
            "required": "Choose the signed document: a PDF of at most 2 MB.",
            "empty": "This file is empty. Choose the signed document.",
        },
    )

    def clean_document(self) -> bytes:
        given: UploadedFile[Any] = self.cleaned_data["document"]
        if (given.size or 0) > DOCUMENT_MAX_BYTES:
            raise ValidationError("This file is larger than 2 MB. Scan it smaller, in black and white.")
        content: bytes = given.read()
        if not content.startswith(b"%PDF-"):
            raise ValidationError("This is not a PDF. Scan or print the agreement to a PDF.")
        return content
