"""What a person does at the staff's door, as functions of the tests."""

from __future__ import annotations

from django.http import HttpResponse
from django.test import Client
from django_otp.oath import hotp

from portal.accounts.models import TotpDevice, User
from portal.accounts.second_factor import STEP_S
from portal.clock import now
from tests.cast import PASSWORD


def browser() -> Client:
    """A browser that has been nowhere yet."""
    return Client(headers={"host": "127.0.0.1"})


def code_of(user: User, *, steps_ahead: int = 0) -> str:
    """What the user's authenticator shows now."""
    device = TotpDevice.objects.get(user=user)
    return f"{hotp(bytes.fromhex(device.secret), int(now().timestamp()) // STEP_S + steps_ahead):06d}"


def give_password(client: Client, user: User, password: str = PASSWORD, **more: str) -> HttpResponse:
    return client.post("/", {"email": user.email, "password": password, **more})


def give_code(client: Client, code: str) -> HttpResponse:
    return client.post("/sign-in/code", {"code": code})


def is_in(client: Client) -> bool:
    """Whether the browser is signed in."""
    return client.get("/account/").status_code == 200
