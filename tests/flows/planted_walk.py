"""The whole walk with planted words: everything that names a person or opens a door is noted on the way as a canary.

Desk: sign-in and its failures, a chart, a folder, a ZIP, a foreign patient's file, a refused one, an upload that is
left in the middle. Patient and dentist: wrong and right answers, codes, every level of every series, previews, slices,
the download. Then resending, revoking and asking for a new link.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pydicom

from tests.flows.canaries import Needle, of_bytes, of_code, of_pixels, of_secret, of_text
from tests.flows.desk import PIECE, TUS, Chart, File, zipped
from tests.flows.http_client import Browser
from tests.flows.installation import Installation
from tests.flows.new_practice import Owner
from tests.flows.recipient import Recipient
from tests.portal.records.scans import Scan, dicom

FAMILY, GIVEN, BIRTH = "Zwetschkenbaum", "Hildegunde", date(1947, 11, 23)
MOBILE, EMAIL, CHART_NUMBER = "206-555-0147", "hildegunde.zw@privatpost.example", "QX-7731-KLM"
FOREIGN, FOREIGN_BIRTH = ("Quandelmeier", "Ottokar"), date(1938, 7, 19)
DENTIST, DENTIST_EMAIL = "Dr. Ingwer Saftblau", "ingwer.saftblau@praxis.example"
WRONG_BIRTH, WRONG_EMAIL, WRONG_PASSWORD = (
    date(1951, 3, 9),
    "verirrt@irgendwo.example",
    "blau wie falsches Wort",
)
# Where a date should stand: parsers like to say what they could not read.
ODD_DATE = "Quorxval"
DESCRIPTION, FOLDER = "Kieferprobe Sonderfall", "Zwetschkenbaum Aufnahmen"
COOKIE_CHARS_MIN = 16
SLICES, SIZE = 12, 96


def dates(day: date) -> list[str]:
    """The ways a date is written: ISO, DICOM, US, German, in words."""
    numeric = [
        day.strftime(form) for form in ("%Y-%m-%d", "%Y%m%d", "%m/%d/%Y", "%m-%d-%Y", "%d.%m.%Y", "%Y/%m/%d")
    ]
    short = [f"{day.month}/{day.day}/{day.year}", f"{day.year}, {day.month}, {day.day}"]
    return [*numeric, *short, *(day.strftime(form) for form in ("%B %-d, %Y", "%b. %-d, %Y", "%b %-d, %Y"))]


def numbers(national: str) -> list[str]:
    """The ways a US phone number is written, down to its last seven digits."""
    area, exchange, line = national.split("-")
    return [
        f"+1{area}{exchange}{line}",
        f"{area}{exchange}{line}",
        f"({area}) {exchange}-{line}",
        f"{exchange}-{line}",
        f"{exchange}{line}",
    ]


@dataclass
class Walk:
    """An installation that has been walked through; `needles` is what must be nowhere in it."""

    installation: Installation
    owner: Owner
    needles: list[Needle] = field(default_factory=list)
    recipients: list[Recipient] = field(default_factory=list)
    _noted: set[str] = field(default_factory=set)

    def go(self) -> Walk:
        """Walk all of it."""
        self._note_words()
        self._miss_signing_in()
        chart = self._make_chart()
        self._shares = f"{chart.path}shares"
        self._upload(chart)
        self._leave_an_upload(chart)
        self._patient(chart)
        self._dentist(chart)
        self._end_and_ask_again()
        self._note_owner()
        return self

    # --- noting ------------------------------------------------------------------------------------------------------

    def _note_words(self) -> None:
        for name, words in {
            "family name": [FAMILY, FOREIGN[0]],
            "given name": [GIVEN, FOREIGN[1]],
            "birth date": [*dates(BIRTH), *dates(FOREIGN_BIRTH)],
            "wrong birth date": dates(WRONG_BIRTH),
            "phone": numbers(MOBILE),
            "e-mail": [EMAIL, DENTIST_EMAIL, WRONG_EMAIL],
            "dentist's name": [DENTIST],
            "chart number": [CHART_NUMBER],
            "study description": [DESCRIPTION],
            "odd value": [ODD_DATE],
        }.items():
            self.needles += of_text(name, *words)
        self.needles += of_secret("typed password", WRONG_PASSWORD)

    def _note_owner(self) -> None:
        owner, seed = self.owner, self.owner.app._key
        plain = [code.replace(" ", "") for code in owner.recovery_codes]
        self.needles += of_secret("password", owner.password)
        self.needles += of_secret("recovery code", *owner.recovery_codes, *plain)
        self.needles += [*of_text("TOTP seed", owner.totp_secret), *of_bytes("TOTP seed", seed)]
        self._note_cookies(owner.browser)

    def _note_cookies(self, browser: Browser) -> None:
        for cookie in browser.jar:
            value = cookie.value or ""
            if len(value) >= COOKIE_CHARS_MIN and value not in self._noted:
                self._noted.add(value)
                self.needles += of_secret(f"cookie {cookie.name}", value)

    def _note_file(self, content: bytes) -> None:
        dataset = pydicom.dcmread(io.BytesIO(content))
        uids = [
            str(dataset[name].value) for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
        ]
        for uid in uids:
            if uid not in self._noted:
                self._noted.add(uid)
                self.needles += of_secret("UID", uid)

    def _note_picture(self, content: bytes) -> None:
        pixels = np.frombuffer(pydicom.dcmread(io.BytesIO(content)).PixelData, "<u2")
        self.needles += of_pixels("pixels", pixels.tobytes())
        self.needles += of_pixels("pixels, big endian", pixels.byteswap().tobytes())

    # --- the desk ----------------------------------------------------------------------------------------------------

    def _miss_signing_in(self) -> None:
        """Each field filled with what belongs into the other one too: people do that."""
        browser = Browser(self.installation.base_url)
        browser.get("/")
        for email, password in ((WRONG_EMAIL, self.owner.password), (self.owner.email, WRONG_PASSWORD)):
            refused = browser.post_form("/", {"email": email, "password": password, "next": ""})
            assert refused.status == 422, refused.status
        self._note_cookies(browser)
        self._note_cookies(self.owner.browser)
        self.owner.browser = Browser(self.installation.base_url)
        self.owner.give_password()
        refused = self.owner.browser.post_form("/sign-in/code", {"code": "000000"})
        assert refused.status == 422, refused.status
        self._note_cookies(self.owner.browser)
        self.owner.sign_in()

    def _make_chart(self) -> Chart:
        fields = {"chart_number": CHART_NUMBER, "email": EMAIL}
        chart = self.owner.add_patient(FAMILY, GIVEN, BIRTH, mobile=numbers(MOBILE)[0], **fields)
        for typed in (FAMILY, CHART_NUMBER, MOBILE):
            assert self.owner.browser.post_form("/desk/find", {"text": typed}).status == 302
        assert FAMILY in self.owner.browser.get(chart.path).text
        return chart

    def _upload(self, chart: Chart) -> None:
        """A folder with a study, a text and a foreign file; then a ZIP with another study."""
        foreign = dicom(
            _scan("9", name="^".join(FOREIGN), birthdate=FOREIGN_BIRTH), StudyDescription=DESCRIPTION
        )
        volume, x_ray = _volume("1"), _x_ray("2")
        text, cut = f"{FAMILY}, {GIVEN}".encode(), x_ray[0][1][:600]
        extra = [
            (f"{FOLDER}/{FAMILY}.txt", text),
            (f"{FOLDER}/fremd.dcm", foreign),
            (f"{FOLDER}/halb.dcm", cut),
        ]
        told = self.owner.upload(chart, [*volume, *extra])
        assert (len(told["studies"]), len(told["refused"]), told["quarantined"]) == (1, 2, 1), told
        archive = zipped(x_ray)
        assert len(self.owner.upload(chart, [(f"{FAMILY}.zip", archive)])["studies"]) == 1
        for _, content in [*volume, *x_ray, ("", foreign)]:
            self._note_file(content)
        for content in (volume[0][1], volume[SLICES // 2][1], x_ray[0][1], foreign):
            self._note_picture(content)
        self.needles += of_pixels("upload", archive)

    def _leave_an_upload(self, chart: Chart) -> None:
        """Half a file is sent, and nobody comes back: its sealed parts stay in the spool."""
        ((_, content),) = _x_ray("3")
        opened, facts = self.owner.begin_upload(chart), {"Upload_Length": str(len(content))}
        made = self.owner.browser.send("POST", opened["files"], **TUS, **facts)
        sent = self.owner.browser.send(
            "PATCH", made.location, content[:50_000], **TUS, **PIECE, Upload_Offset="0"
        )
        assert (made.status, sent.status) == (201, 204), (made.text, sent.text)
        self._note_file(content)
        self._note_picture(content)

    # --- the recipients ----------------------------------------------------------------------------------------------

    def _patient(self, chart: Chart) -> None:
        link = self.owner.share(chart)
        self.needles += of_secret("link", link.partition("#")[2])
        before = len(self.installation.outbox())
        share = self.owner.newest_share(chart)
        assert self.owner.browser.post_form(f"/desk/shares/{share}/resend").status == 302
        fresh = self.installation.next_message(numbers(MOBILE)[0], after=before, kind="link").link
        patient = self._recipient(fresh, numbers(MOBILE)[0])
        assert patient.open().status == 200
        assert patient.give_birthdate(WRONG_BIRTH).status in (403, 422)
        self._walk_in(patient, lambda: patient.give_birthdate(BIRTH).status)
        self._look_at_everything(patient)

    def _dentist(self, chart: Chart) -> None:
        to = {
            "recipient_kind": "dentist",
            "recipient_name": DENTIST,
            "channel": "email",
            "address": DENTIST_EMAIL,
        }
        dentist = self._recipient(self.owner.share(chart, **to, purpose="referral"), DENTIST_EMAIL)
        assert dentist.open().status == 200
        stranger = self._recipient(f"#{dentist.token}", DENTIST_EMAIL)
        assert stranger.open().status == 200
        # The same answer as for the right one.
        assert stranger.give_address(WRONG_EMAIL).status == 200
        self._note_cookies(stranger.browser)
        self._walk_in(dentist, lambda: dentist.give_address(DENTIST_EMAIL).status)
        for study in dentist.browser.get("/s/studies.json").json():
            start = dentist.browser.get(study["download"], Range="bytes=0-99999")
            rest = dentist.browser.get(study["download"], Range="bytes=100000-")
            assert (start.status, rest.status) == (206, 206), (start.text, rest.text)

    def _recipient(self, link: str, address: str) -> Recipient:
        recipient = Recipient(self.installation, link, address=address)
        self.recipients.append(recipient)
        if recipient.token not in self._noted:
            self._noted.add(recipient.token)
            self.needles += of_secret("link", recipient.token)
        return recipient

    def _walk_in(self, recipient: Recipient, answer: Callable[[], int]) -> None:
        """The right answer, a wrong code, the right code."""
        self._note_cookies(recipient.browser)
        assert answer() == 200
        self._note_cookies(recipient.browser)
        code = recipient.ask_code()
        self.needles += of_code("code", code)
        assert recipient.verify("111111" if code != "111111" else "222222").status == 422
        assert recipient.verify(code).status == 200
        self._note_cookies(recipient.browser)

    def _look_at_everything(self, recipient: Recipient) -> None:
        assert recipient.browser.get("/s/view").status == 200
        assert recipient.browser.get("/s/activity").status == 200
        for study in recipient.browser.get("/s/studies.json").json():
            manifest = recipient.browser.get(study["manifest"]).json()
            assert recipient.browser.get(manifest["heartbeat"]["url"]).status == 204
            for series in manifest["series"]:
                self._look_at(recipient.browser, series)
            archive = recipient.browser.get(study["download"])
            assert zipfile.ZipFile(io.BytesIO(archive.body)).testzip() is None

    def _look_at(self, browser: Browser, series: dict[str, Any]) -> None:
        """All items of all levels, previews and slices; what leaves must lie nowhere as it leaves."""
        for level in series["levels"]:
            last = level["Frames"] * level["Strips"] - 1
            address = (
                series["frames"].replace("{level}", str(level["level"])).replace("{ranges}", f"0-{last}")
            )
            payload = _last_payload(browser.get(address).body)
            if len(payload) > 1000:
                self.needles += of_pixels("encoded frame", payload)
                self.needles += of_pixels("residuals", zlib.decompress(payload))
        pictures = [preview["url"] for preview in series["previews"]]
        pictures.append(series["slices"]["url"].replace("{index}", "0"))
        for url in pictures:
            self.needles += of_pixels("WebP", browser.get(url).body, most=2)

    def _end_and_ask_again(self) -> None:
        """The patient's share is revoked, and the patient asks for a new link; the dentist's stays open."""
        patient = self.recipients[0]
        shares = re.findall(r"/desk/shares/([0-9a-f-]{36})/revoke", self.owner.browser.get(self._shares).text)
        assert self.owner.browser.post_form(f"/desk/shares/{shares[-1]}/revoke").status == 302
        assert patient.browser.get("/s/view").status in (302, 401, 410)
        again = Recipient(self.installation, f"#{patient.token}")
        statuses = (
            again.open().status,
            again.give_birthdate(BIRTH).status,
            again.browser.post_json("/s/renew").status,
        )
        assert statuses == (404, 410, 202)
        self._note_cookies(again.browser)


def _scan(number: str, *, name: str = f"{FAMILY}^{GIVEN}", birthdate: date = BIRTH) -> Scan:
    uid = str(pydicom.uid.generate_uid())
    return Scan(name, birthdate.strftime("%Y%m%d"), f"{uid[:50]}.{number}", f"{uid[:50]}.{number}.1")


def _volume(number: str) -> list[File]:
    scan = _scan(number)
    tags = {"PatientID": CHART_NUMBER, "StudyDescription": DESCRIPTION, "SeriesDescription": DESCRIPTION}
    return [
        (f"{FOLDER}/IM{place:03}.dcm", dicom(scan, number=place, size=SIZE, **tags))
        for place in range(1, SLICES + 1)
    ]


def _x_ray(number: str) -> list[File]:
    tags = {"PatientID": CHART_NUMBER, "StudyDescription": DESCRIPTION, "Modality": "PX"}
    content = dicom(_scan(number), size=256, seed=int(number), **tags)
    return [(f"{FOLDER}/{FAMILY}.dcm", content.replace(b"20260312", ODD_DATE.encode()))]


def _last_payload(batch: bytes) -> bytes:
    """The last item of a batch: `u32 index ‖ u32 length ‖ payload`, repeated."""
    place, payload = 0, b""
    while place < len(batch):
        length = int.from_bytes(batch[place + 4 : place + 8])
        payload = batch[place + 8 : place + 8 + length]
        place += 8 + length
    assert place == len(batch)
    return payload
