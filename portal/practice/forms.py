"""The form with which a new installation's owner sets up the practice."""

from __future__ import annotations

from typing import Any, Final

import phonenumbers
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from portal.accounts.models import User

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


class SetupForm(forms.Form):
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
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=256,
        help_text="At least 15 characters. Four or five words that have nothing to do with each other are good.",
        error_messages={"required": "Choose a password."},
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    repeat = forms.CharField(
        label="Password again",
        strip=False,
        max_length=256,
        error_messages={"required": "Type the password a second time."},
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def clean_practice_phone(self) -> str:
        typed: str = self.cleaned_data["practice_phone"]
        try:
            number = phonenumbers.parse(typed, settings.PHONE_REGION)
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not phonenumbers.is_possible_number(number):
            raise ValidationError("This is not a phone number. Example: 555-010-0199.")
        return typed.strip()

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        password = given.get("password")
        if password and given.get("repeat") and password != given["repeat"]:
            self.add_error("repeat", "The two passwords differ. Type the same one twice.")
        if password:
            try:
                validate_password(password, User(email=given.get("email", ""), name=given.get("name", "")))
            except ValidationError as weak:
                self.add_error("password", weak)
        return given
