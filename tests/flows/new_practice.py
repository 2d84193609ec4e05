"""A practice that starts for real: `manage.py serve`, its owner link, a first sign-in. Ready in seconds.

Its messages go where the demo's go, into `outbox.jsonl`, because a test has no telephone.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from tests.flows.authenticator import Authenticator
from tests.flows.desk import Desk, _errors
from tests.flows.http_client import Browser
from tests.flows.installation import Installation

PRACTICE, PHONE = "Cedar Dental", "206-555-0119"


def new_installation(folder: Path, **environment: str) -> Installation:
    """Not started yet; keys may lie beside the data, because the folder is thrown away."""
    return Installation(
        folder,
        command="serve",
        arguments=("--accept-colocated-keys",),
        environment={"SCANPASS_GATEWAY": "outbox", **environment},
    )


class Owner(Desk):
    """The owner of a new practice, who knows only what was printed and shown to her."""

    def __init__(self, installation: Installation, name: str = "Nora Owner") -> None:
        super().__init__(installation, name)
        self.email = f"{name.partition(' ')[0].lower()}@practice.example"
        self.password = f"four quiet words {secrets.token_hex(6)}"
        self.link_token = self._printed_token()
        self.totp_secret = ""
        self.recovery_codes: list[str] = []

    def _printed_token(self) -> str:
        found = re.findall(r"/setup/#(\S+)", self.installation.log.read_text())
        assert found, "no owner link was printed"
        return str(found[-1])

    def set_up(self) -> Owner:
        """The practice from the owner link, then the first sign-in with a new authenticator."""
        fields = {
            "token": self.link_token,
            "practice_name": PRACTICE,
            "practice_phone": PHONE,
            "time_zone": "America/Los_Angeles",
            "name": self.name,
            "email": self.email,
            "password": self.password,
            "repeat": self.password,
        }
        self.browser.get("/setup/")
        made = self.browser.post_form("/setup/", fields)
        assert made.status == 302, _errors(made)
        self.give_password()
        page = self.browser.get("/sign-in/app").text
        shown = re.search(r"data-secret>([A-Z2-7 ]+)<", page)
        assert shown, page
        self.totp_secret = shown[1].replace(" ", "")
        self.app = Authenticator(self.totp_secret)
        enrolled = self.browser.post_form("/sign-in/app", {"code": self.app.code()})
        self.recovery_codes = re.findall(r"<li>([A-Z2-7]{4}(?: [A-Z2-7]{4}){3})</li>", enrolled.text)
        assert self.recovery_codes, _errors(enrolled)
        return self

    def give_password(self) -> None:
        """The first step of signing in."""
        self.browser.get("/")
        given = self.browser.post_form("/", {"email": self.email, "password": self.password, "next": ""})
        assert given.status == 302, _errors(given)

    def sign_in(self) -> Owner:
        """In a new browser: password, then a code of the app."""
        self.browser = Browser(self.installation.base_url)
        self.give_password()
        self.browser.get("/sign-in/code")
        signed_in = self.browser.post_form("/sign-in/code", {"code": self.app.code()})
        assert (signed_in.status, signed_in.location) == (302, "/home"), _errors(signed_in)
        return self
