"""The small forms on the page of one share: how long, to which number, which images."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms

from portal.clock import now
from portal.records.models import Series, Study
from sharing.models import Channel, Share


class ExtendForm(forms.Form):
    days = forms.IntegerField(
        label="Days from today",
        min_value=1,
        error_messages={
            "required": "Enter a number of days.",
            "invalid": "Enter a number of days.",
            "min_value": "At least one day.",
        },
        widget=forms.NumberInput({"inputmode": "numeric", "min": 1}),
    )

    def __init__(self, share: Share, data: Any = None) -> None:
        longest = share.practice.share_max_days
        super().__init__(data, initial={"days": longest})
        self.fields["days"].max_value = longest  # type: ignore[attr-defined]
        self.fields["days"].widget.attrs["max"] = longest
        self.fields["days"].help_text = f"At most {longest}. The link stays the same."

    def expires_at(self) -> datetime:
        """The new end."""
        return now() + timedelta(days=self.cleaned_data["days"])


class NumberForm(forms.Form):
    channel = forms.ChoiceField(
        label="How", choices=[(Channel.TEXT, "Text message"), (Channel.EMAIL, "E-mail")]
    )
    address = forms.CharField(
        label="Number or e-mail address",
        max_length=254,
        error_messages={"required": "Enter where the link goes."},
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, share: Share, data: Any = None) -> None:
        channel = share.channel if share.channel in {Channel.TEXT, Channel.EMAIL} else Channel.TEXT
        super().__init__(data, initial={"channel": channel})


class ImagesForm(forms.Form):
    series = forms.MultipleChoiceField(
        label="Images",
        error_messages={
            "required": "Leave at least one image, or revoke the share.",
            "invalid_choice": "One of the images is no longer there. Please reload the page.",
        },
    )

    def __init__(self, share: Share, data: Any = None) -> None:
        held = [str(pk) for pk in share.shared_series.values_list("series_id", flat=True)]
        super().__init__(data, initial={"series": held})
        rows = Series.objects.filter(study__patient_id=share.patient_id, study__state=Study.State.STORED)
        self.rows = list(rows.select_related("study").order_by("-study__created_at", "study_id", "position"))
        self.fields["series"].choices = [(str(row.pk), row.title) for row in self.rows]  # type: ignore[attr-defined]

    def studies(self) -> list[dict[str, Any]]:
        """The series by study, for the checkboxes."""
        ticked = set(self["series"].value() or ())
        grouped: dict[Study, list[dict[str, Any]]] = {}
        for row in self.rows:
            grouped.setdefault(row.study, []).append({"series": row, "is_ticked": str(row.pk) in ticked})
        return [{"study": study, "rows": rows} for study, rows in grouped.items()]

    def chosen(self) -> list[Series]:
        """The series that were ticked."""
        ids = set(self.cleaned_data["series"])
        return [row for row in self.rows if str(row.pk) in ids]
