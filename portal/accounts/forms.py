"""Forms of signing in. What a form says is wrong stands beside the field, in words."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict

from portal.accounts.models import User


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: what was sent, even when that was nothing at all; None when nothing was sent."""
    return request.POST if request.method == "POST" else None


class SignInForm(forms.Form):
    email = forms.EmailField(
        label="E-mail",
        error_messages={
            "required": "Enter your e-mail address.",
            "invalid": "This is not an e-mail address.",
        },
        widget=forms.EmailInput({"autocomplete": "username", "autofocus": True, "spellcheck": "false"}),
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=256,  # argon2 of a megabyte would be a cheap way to keep a processor busy
        error_messages={"required": "Enter your password."},
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )
    next = forms.CharField(required=False, max_length=2000, widget=forms.HiddenInput)


class NewPasswordForm(forms.Form):
    """A password chosen for the first time, typed twice."""

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

    def owner_of_password(self) -> User:
        """Whose password it becomes: it mustn't be made of their name or e-mail."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        password = given.get("password")
        if password and given.get("repeat") and password != given["repeat"]:
            self.add_error("repeat", "The two passwords differ. Type the same one twice.")
        if password:
            try:
                validate_password(password, self.owner_of_password())
            except ValidationError as weak:
                self.add_error("password", weak)
        return given


class CodeForm(forms.Form):
    """Six digits of the app or, where allowed, a recovery code: the page has one field for both."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        error_messages={"required": "Enter the code."},
        widget=forms.TextInput(
            {"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false", "class": "code-field"}
        ),
    )

    def __init__(self, *args: Any, digits_only: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if digits_only:
            attributes = self.fields["code"].widget.attrs
            attributes["inputmode"] = "numeric"
            # On these pages something else is to be read first.
            attributes.pop("autofocus")


class ConfirmForm(CodeForm):
    """A new code before what needs one, and where the reader was going."""

    next = forms.CharField(required=False, max_length=300, widget=forms.HiddenInput)


class ChangePasswordForm(NewPasswordForm):
    """Another password, against the one there is."""

    current = forms.CharField(
        label="Password now",
        strip=False,
        max_length=256,
        error_messages={"required": "Enter the password you have now."},
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )
    field_order = ("current", "password", "repeat")

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        self.fields["password"].label = "New password"
        self.fields["repeat"].label = "New password again"

    def owner_of_password(self) -> User:
        return self._user
