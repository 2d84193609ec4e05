"""Someone at the desk, as a script: signs in, adds patients, uploads, shares, revokes. Over HTTP alone."""

from __future__ import annotations

import base64
import html
import io
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tests.flows.http_client import Answer, Browser
from tests.flows.installation import Installation, wait_for

INGEST_WITHIN_S = 180.0
TUS = {"Tus_Resumable": "1.0.0"}
PIECE = {"Content_Type": "application/offset+octet-stream"}
UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

# Name on the way and bytes.
File = tuple[str, bytes]


@dataclass(frozen=True)
class Chart:
    """A patient's chart as the desk knows it."""

    id: str
    family_name: str
    given_name: str
    birthdate: date
    mobile: str

    @property
    def path(self) -> str:
        return f"/desk/patients/{self.id}/"


class Desk:
    """A signed-in member of staff."""

    def __init__(self, installation: Installation, name: str) -> None:
        self.installation = installation
        self.browser = Browser(installation.base_url)
        self.name = name

    def sign_in(self) -> Desk:
        """Password, then a code of the app."""
        who = self.installation.person(self.name)
        self.browser.get("/")
        first = self.browser.post_form("/", {"email": who["email"], "password": who["password"], "next": ""})
        assert (first.status, first.location) == (302, "/sign-in/code"), first.text
        self.browser.get("/sign-in/code")
        # In a parallel run the same person may be signing in elsewhere with the next code, which ends this one.
        for _ in range(3):
            second = self.browser.post_form("/sign-in/code", {"code": self.installation.totp(self.name)})
            if second.status == 302:
                break
        assert (second.status, second.location) == (302, "/home"), second.text
        return self

    def add_patient(
        self,
        family_name: str,
        given_name: str,
        birthdate: date,
        *,
        mobile: str = "",
        language: str = "en",
        **more: str,
    ) -> Chart:
        fields = {
            "family_name": family_name,
            "given_name": given_name,
            "birthdate": birthdate.isoformat(),
            "chart_number": "",
            "mobile": mobile,
            "email": "",
            "language": language,
            # Only looked at when someone of that name and birth date is here already.
            "is_confirmed": "on",
            **more,
        }
        added = self.browser.post_form("/desk/patients/new", fields)
        assert added.status == 302, _errors(added)
        found = re.fullmatch(f"/desk/patients/({UUID})/", added.location)
        assert found, added.location
        return Chart(found[1], family_name, given_name, birthdate, mobile)

    # --- uploading -----------------------------------------------------------------------------------------------

    def upload(self, chart: Chart, files: Iterable[File]) -> dict[str, Any]:
        """Send the files, wait for the worker, and return how the upload stands then."""
        opened = self.begin_upload(chart)
        for name, content in files:
            self.send_file(opened, name, content)
        return self.finish_upload(opened)

    def begin_upload(self, chart: Chart) -> dict[str, str]:
        """Addresses of a new upload: files, finish, status."""
        answer = self.browser.send("POST", f"{chart.path}uploads")
        assert answer.status == 201, answer.text
        addresses: dict[str, str] = answer.json()
        return addresses

    def send_file(self, upload: dict[str, str], name: str, content: bytes) -> Answer:
        """One file with its announcement (tus creation-with-upload)."""
        facts = {
            "Upload_Length": str(len(content)),
            "Upload_Metadata": f"filename {base64.b64encode(name.encode()).decode()}",
        }
        answer = self.browser.send("POST", upload["files"], content, **TUS, **PIECE, **facts)
        assert answer.status == 201, answer.text
        return answer

    def finish_upload(self, upload: dict[str, str]) -> dict[str, Any]:
        """Close the upload, and wait for the worker."""
        self.close_upload(upload)
        return self.wait_for_upload(upload)

    def close_upload(self, upload: dict[str, str]) -> None:
        """All files are sent; the worker begins."""
        closed = self.browser.send("POST", upload["finish"])
        assert closed.status == 202, closed.text

    def wait_for_upload(self, upload: dict[str, str]) -> dict[str, Any]:
        """How it stands once the worker is through."""
        return wait_for(
            lambda: self._end_of(upload), within_s=INGEST_WITHIN_S, why=lambda: self.installation.tail()
        )

    def _end_of(self, upload: dict[str, str]) -> dict[str, Any] | None:
        told: dict[str, Any] = self.browser.get(upload["status"], Accept="application/json").json()
        return None if told["state"] in ("receiving", "waiting") else told

    # --- sharing -------------------------------------------------------------------------------------------------

    def share(self, chart: Chart, **changes: str) -> str:
        """Share all images of the chart, and return the link as its recipient reads it."""
        before = len(self.installation.outbox())
        address = self.begin_share(chart, **changes)
        return self.installation.next_message(address, after=before, kind="link").link

    def begin_share(self, chart: Chart, **changes: str) -> str:
        """Share all images of the chart; return the address the message will go to."""
        answer = self.browser.get(f"{chart.path}share")
        series = re.findall(f'name="series" value="({UUID})"', answer.text)
        assert series, "there is nothing to share"
        fields = {
            "recipient_kind": "patient",
            "recipient_name": f"{chart.given_name} {chart.family_name}",
            "channel": "text",
            "address": chart.mobile,
            "language": "en",
            "allows_download": "yes",
            "purpose": "patient-request",
            "days": "30",
            "consent": "on",
            **changes,
        }
        sent = self.browser.post_form(
            f"{chart.path}share", [*(("series", one) for one in series), *fields.items()]
        )
        assert sent.status == 302, _errors(sent)
        return fields["address"]

    def newest_share(self, chart: Chart) -> str:
        """The id of the share on top of the chart's list."""
        found = re.search(f"/desk/shares/({UUID})/", self.browser.get(f"{chart.path}shares").text)
        assert found, "nothing was shared"
        return found[1]

    def revoke(self, chart: Chart) -> None:
        """End the newest share of the chart."""
        ended = self.browser.post_form(f"/desk/shares/{self.newest_share(chart)}/revoke")
        assert ended.status == 302, _errors(ended)


def _errors(answer: Answer) -> str:
    """What a form said was wrong with it."""
    told = re.search(r'class="summary-of-errors".*?</div>', answer.text, re.DOTALL)
    words = re.sub("<[^>]+>", " ", told[0]) if told else answer.text[:500]
    return f"{answer.status}: {html.unescape(words)}"


def folder(path: Path) -> list[File]:
    """The files of a folder, as a drop of it would send them."""
    files = sorted(one for one in path.rglob("*") if one.is_file())
    return [(str(one.relative_to(path.parent)), one.read_bytes()) for one in files]


def zipped(files: Iterable[File]) -> bytes:
    """The files as one ZIP."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return memory.getvalue()
