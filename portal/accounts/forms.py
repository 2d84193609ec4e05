"""Forms of signing in. What a form says is wrong stands beside the field, in words."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict


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
    next = forms.CharField(required=False, max_length=300, widget=forms.HiddenInput)


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
