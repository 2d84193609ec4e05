"""Forms of setting up the practice and of its staff."""

from __future__ import annotations

from typing import Any, Final

import phonenumbers
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from portal.accounts.forms import NewPasswordForm
from portal.accounts.models import Role, User
from portal.accounts.permissions import IN_WORDS
from portal.practice.invitations import invited

TIME_ZONES: Final = (
    ("America/New_York", "Eastern"),
    ("America/Chicago", "Central"),
    ("America/Denver", "Mountain"),
    ("America/Phoenix", "Arizona"),
    ("America/Los_Angeles", "Pacific"),
    ("America/Anchorage", "Alaska"),
    ("Pacific/Honolulu", "Hawaii"),
    ("America/Puerto_Rico", "Puerto Rico, Atlantic"),
    ("America/Toronto", "Toronto"),
    ("America/Winnipeg", "Winnipeg"),
    ("America/Edmonton", "Edmonton"),
    ("America/Vancouver", "Vancouver"),
    ("America/Halifax", "Halifax"),
    ("Europe/London", "London"),
    ("Europe/Berlin", "Berlin"),
    ("UTC", "UTC"),
)


class SetupForm(NewPasswordForm):
    token = forms.CharField(
        label="Set-up key",
        max_length=64,
        help_text="The part of the link after the # sign. It is filled in for you when you open the link.",
        error_messages={
            "required": "Open the link that Scanpass printed when it started, or paste its last part here."
        },
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    practice_name = forms.CharField(
        label="Name of the practice",
        max_length=80,
        help_text="Patients see it in every text and on every page.",
        error_messages={"required": "Enter the name of the practice."},
        widget=forms.TextInput({"autocomplete": "organization"}),
    )
    practice_phone = forms.CharField(
        label="Phone of the front desk",
        max_length=24,
        help_text="The number patients call when something doesn't work.",
        error_messages={"required": "Enter the phone number of the front desk."},
        widget=forms.TextInput({"type": "tel", "autocomplete": "tel"}),
    )
    time_zone = forms.ChoiceField(label="Time zone", choices=TIME_ZONES)
    name = forms.CharField(
        label="Your name",
        max_length=120,
        error_messages={"required": "Enter your name."},
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label="Your e-mail",
        help_text="You sign in with it.",
        error_messages={
            "required": "Enter your e-mail address.",
            "invalid": "This is not an e-mail address.",
        },
        widget=forms.EmailInput({"autocomplete": "username"}),
    )
    field_order = (
        "token", "practice_name", "practice_phone", "time_zone", "name", "email", "password", "repeat",
    )  # fmt: skip

    def owner_of_password(self) -> User:
        return User(email=self.cleaned_data.get("email", ""), name=self.cleaned_data.get("name", ""))

    def clean_practice_phone(self) -> str:
        typed: str = self.cleaned_data["practice_phone"]
        try:
            number = phonenumbers.parse(typed, settings.PHONE_REGION)
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not phonenumbers.is_possible_number(number):
            raise ValidationError("This is not a phone number. Example: 555-010-0199.")
        return typed.strip()


class InvitationForm(NewPasswordForm):
    token = forms.CharField(
        label="Invitation key",
        max_length=64,
        help_text="The part of the link after the # sign. It is filled in for you when you open the link.",
        error_messages={"required": "Open the link you were given, or paste its last part here."},
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("token", "password", "repeat")

    def owner_of_password(self) -> User:
        """The invited person. Raises `Gone` when the link isn't live, before any password is weighed."""
        return invited(self.cleaned_data["token"]) if "token" in self.cleaned_data else User()


class RoleSelect(forms.RadioSelect):
    """Roles to choose from, each with what it may do (`radio.data.hint` in a template)."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {**super().create_option(name, value, *args, **kwargs), "hint": IN_WORDS[value]}


class RoleForm(forms.Form):
    role = forms.ChoiceField(
        label="Role",
        choices=Role.choices,
        error_messages={"required": "Choose a role.", "invalid_choice": "Choose one of the roles."},
        widget=RoleSelect,
    )


class MemberForm(RoleForm):
    """Somebody new on the staff."""

    name = forms.CharField(
        label="Name",
        max_length=120,
        help_text="As colleagues and the trail call them.",
        error_messages={"required": "Enter the name."},
        widget=forms.TextInput({"autocomplete": "off", "autofocus": True, "spellcheck": "false"}),
    )
    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        help_text="They sign in with it. Nothing is sent to it.",
        error_messages={"required": "Enter the e-mail address.", "invalid": "This is not an e-mail address."},
        widget=forms.EmailInput({"autocomplete": "off"}),
    )
    field_order = ("name", "email", "role")
