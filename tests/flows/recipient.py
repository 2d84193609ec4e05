"""Someone who got a link, as a script: opens it, answers, asks for the code and reads it in the outbox."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.flows.http_client import Answer, Browser
from tests.flows.installation import Installation


class Recipient:
    """A browser with a link in its hand."""

    def __init__(self, installation: Installation, link: str, *, address: str = "") -> None:
        self.installation = installation
        self.browser = Browser(installation.base_url)
        self.token = link.partition("#")[2]
        self.address = address  # where the messages go: "+1…" or an e-mail address

    def open(self) -> Answer:
        """The landing page, and the tap on its button."""
        landing = self.browser.get("/s/")
        assert landing.status == 200
        return self.browser.post_json("/s/open", {"token": self.token})

    def give_birthdate(self, day: date) -> Answer:
        return self.browser.post_json("/s/birthdate", {"year": day.year, "month": day.month, "day": day.day})

    def give_address(self, address: str) -> Answer:
        return self.browser.post_json("/s/address", {"address": address})

    def ask_code(self) -> str:
        """Ask for a code and read it where it went."""
        before = len(self.installation.outbox())
        asked = self.browser.post_json("/s/code")
        assert asked.status == 202, asked.text
        return self.installation.next_message(self.address, after=before, kind="code").code

    def verify(self, code: str) -> Answer:
        return self.browser.post_json("/s/code/verify", {"code": code})

    def walk_in(self, birthdate: date | None = None) -> list[dict[str, Any]]:
        """The whole way to the list of studies; without a birth date by the address."""
        opened = self.open()
        assert opened.status == 200, opened.text
        matched = self.give_birthdate(birthdate) if birthdate else self.give_address(self.address)
        assert matched.status == 200, matched.text
        verified = self.verify(self.ask_code())
        assert (verified.status, verified.json()["next"]) == (200, "/s/view"), verified.text
        studies: list[dict[str, Any]] = self.browser.get("/s/studies.json").json()
        return studies
