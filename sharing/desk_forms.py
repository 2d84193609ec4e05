"""The share form: everything the desk decides, on one page; Enter sends."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import cached_property

from portal.clock import now
from portal.errors import InvalidInput
from portal.practice.models import Practice
from portal.records.folding import fold_chart_number
from portal.records.guardians import is_adult
from portal.records.models import Disclosure, Patient, Series, Study
from portal.records.namesakes import likeness_of
from sharing.add_person import asked_by
from sharing.addresses import address_for
from sharing.issue import OPENS_MAX
from sharing.models import Channel, Share
from sharing.reachable import reachable
from sharing.standing import standing_of


class ShareForm(forms.Form):
    # Drawn when the form is shown: a form that arrives twice makes one share.
    form_key = forms.UUIDField(required=False, widget=forms.HiddenInput)
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
        required=False,
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
    opens_max = forms.IntegerField(
        label="How often it may be opened",
        required=False,
        min_value=1,
        max_value=OPENS_MAX,
        help_text="Empty: as often as they like.",
        error_messages={"invalid": "Enter a number, or leave it empty."},
        widget=forms.NumberInput({"inputmode": "numeric", "min": 1, "max": OPENS_MAX}),
    )
    consent = forms.BooleanField(
        label="The patient agrees to this",
        error_messages={"required": "Ask for consent first, then tick the box."},
        # The page may begin here, so who it is about is said here too.
        widget=forms.CheckboxInput({"aria-describedby": "whose"}),
    )
    # Only where another patient has the same name.
    is_the_one = forms.BooleanField(
        error_messages={
            "required": "Another patient has this name. Ask for the birth date, then tick the box."
        }
    )
    chart_number = forms.CharField(
        label="Type the chart number",
        max_length=64,
        help_text="Another patient has the same name and birth date.",
        error_messages={"required": "Two patients have this name and birth date. Type the chart number."},
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(
        self,
        patient: Patient,
        practice: Practice,
        chosen: Study | None,
        data: Any = None,
        first: dict[str, Any] | None = None,
    ) -> None:
        self.patient, self.practice = patient, practice
        super().__init__(data, initial={**self._first_values(patient, practice, chosen), **(first or {})})
        longest = practice.share_max_days
        self.fields["series"].choices = [(str(series.pk), series.title) for series in self.shareable]  # type: ignore[attr-defined]
        self._ask_who_it_is()
        days = self.fields["days"]
        days.max_value = longest  # type: ignore[attr-defined]
        days.validators.append(_at_most(longest))
        days.widget.attrs |= {"max": longest, "min": 1}
        days.help_text = f"At most {longest}. After that the link is dead."

    def _ask_who_it_is(self) -> None:
        """Keep the questions that tell this patient from another of the same name; without one ask nothing."""
        likeness = likeness_of(self.patient)
        if likeness == "none":
            del self.fields["is_the_one"]
        if likeness != "name-and-birthdate" or not self.patient.chart_number:
            del self.fields["chart_number"]

    def clean_chart_number(self) -> str:
        typed = fold_chart_number(self.cleaned_data["chart_number"])
        if typed != fold_chart_number(self.patient.chart_number or ""):
            raise forms.ValidationError("This is not this patient's chart number. Make sure who it is.")
        return typed

    def clean(self) -> dict[str, Any]:
        """The address belongs to the channel, and a number that was checked long ago is checked again."""
        given: dict[str, Any] = self.cleaned_data
        channel, address = given.get("channel"), given.get("address", "")
        if channel != Channel.LETTER and not address:
            self.add_error("address", "Enter where the link goes.")
        elif channel == Channel.TEXT:
            self._check_number(address)
        return given

    def _check_number(self, address: str) -> None:
        try:
            standing = standing_of(self.patient, address_for(Channel.TEXT, address))
        except InvalidInput as error:
            self.add_error("address", error.sentence)
            return
        if standing.word == "stale":
            self.add_error(
                "address",
                "This number was last checked long ago. Text a code to it and let the patient read it back.",
            )

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

    def key(self) -> uuid.UUID:
        """The form's own key; a form without one stands for itself."""
        return self.cleaned_data["form_key"] or uuid.uuid4()

    def expires_at(self) -> datetime:
        """When the link ends, for the days that were typed or the practice's own default."""
        given: Any = getattr(self, "cleaned_data", {}).get("days")
        return now() + timedelta(days=given or self.practice.share_default_days)

    def deed(self) -> dict[str, Any]:
        """What `sharing.issue.issue` takes."""
        asked_only = {"days", "form_key", "is_the_one", "chart_number"}
        given = {name: value for name, value in self.cleaned_data.items() if name not in asked_only}
        ids = set(given.pop("series"))
        chosen = [series for series in self.shareable if str(series.pk) in ids]
        return {**given, "series": chosen, "expires_at": self.expires_at()}

    def _first_values(self, patient: Patient, practice: Practice, chosen: Study | None) -> dict[str, Any]:
        ways = reachable(patient)
        # A child's images go to who acts for it, by whose number it is reached anyway.
        is_childs = bool(ways["guardian"]["name"]) and not is_adult(patient)
        kind = Disclosure.Recipient.GUARDIAN if is_childs else Disclosure.Recipient.PATIENT
        known = ways[str(kind)]
        channel = Channel.TEXT if known["text"] or not known["email"] else Channel.EMAIL
        newest = chosen or (self.shareable[0].study if self.shareable else None)
        # A study that came in several drops lies here in parts, and whoever shares it means all of them.
        uid = newest.study_instance_uid if newest else None
        return {
            "form_key": uuid.uuid4(),
            "series": [str(series.pk) for series in self.shareable if series.study.study_instance_uid == uid],
            "recipient_kind": kind,
            "recipient_name": known["name"],
            "channel": channel,
            "address": known[str(channel)],
            "language": known["language"],
            "allows_download": "no",
            "purpose": Disclosure.Purpose.PATIENT_REQUEST,
            "days": practice.share_default_days,
            "opens_max": "",
        }


def _at_most(longest: int) -> Any:
    def check(days: int) -> None:
        if days > longest:
            raise forms.ValidationError(f"A link of this practice works for at most {longest} days.")

    return check


def for_colleague(share: Share) -> dict[str, Any]:
    """What the form holds at first when a colleague of this share's recipient asked for a link of their own."""
    person = asked_by(share)
    if person is None:
        return {}
    return {
        "series": [str(pk) for pk in share.shared_series.values_list("series_id", flat=True)],
        "recipient_kind": Disclosure.Recipient.DENTIST,
        "recipient_name": person.name,
        "channel": person.channel,
        "address": person.address,
        "language": share.language,
        "allows_download": "yes" if share.allows_download else "no",
        "purpose": share.disclosure.purpose,
    }
