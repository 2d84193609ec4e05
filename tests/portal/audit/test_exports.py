"""The trail in others' forms: a table no spreadsheet computes, FHIR with IHE's patterns, DICOM messages over TLS."""

from __future__ import annotations

import csv
import io
import json
import re
import socketserver
import ssl
import uuid
from threading import Thread
from xml.etree.ElementTree import fromstring

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from portal.audit import trail
from portal.audit.actor import Actor
from portal.audit.events import EVENTS
from portal.audit.exports import dicom_xml, fhir, table
from portal.audit.exports.syslog_tls import Collector, frame
from portal.audit.exports.told import Told, tell
from portal.audit.models import AuditEntry
from portal.errors import InvalidInput
from tests.tls_server import make_certificate, tls_context

ORIGIN = "https://scans.example.org"
PATIENT, STUDY, SERIES, SHARE = (uuid.UUID(int=number) for number in range(1, 5))


def _told(practice, code: str, *, kind: str = "staff", **named) -> Told:
    actor = Actor(
        kind=kind, practice=practice.pk, id=uuid.UUID(int=9), role="front_desk" if kind == "staff" else "",
        label="Dana =Desk", session="5e55", method="totp", address="192.0.2.7",
    )  # fmt: skip
    with transaction.atomic():
        entry = trail.record(code, actor=actor, **named)
    [told] = tell([AuditEntry.objects.get(pk=entry.pk)])
    return told


# --- the table -----------------------------------------------------------------------------------------------------


def test_the_table_holds_every_entry_and_opens_names(smile):
    told = _told(smile, "patient.opened", patient=PATIENT, private={"reason": "=1+1"}, count=3)
    raw = b"".join(table.lines([told])).decode("utf-8-sig")
    [header, row] = list(csv.reader(io.StringIO(raw)))
    cells = dict(zip(header, row, strict=True))
    assert cells["number"] == str(told.n)
    assert (cells["who"], cells["address"], cells["patient id"]) == ("Dana =Desk", "192.0.2.7", str(PATIENT))
    assert json.loads(cells["more"]) == {"count": 3, "reason": "=1+1"}


@pytest.mark.parametrize(
    "text", ["=HYPERLINK(1)", "+1 206 555 0142", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1"]
)
def test_a_cell_that_would_be_computed_gets_an_apostrophe(text):
    assert table.safe(text) == f"'{text}"


@given(st.text())
def test_no_text_at_all_begins_a_formula_and_none_is_lost(text):
    [cell] = next(csv.reader(io.StringIO(table._line([text]).decode(), newline="")))
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert cell.removeprefix("'") == text.removeprefix("'") or cell == text


# --- FHIR ----------------------------------------------------------------------------------------------------------

# What R4 asks of every AuditEvent, and the patterns' own requirements, from their published profiles.
REQUIRED = {"resourceType", "type", "recorded", "agent", "source"}


def _codes(agents: list[dict]) -> list[str]:
    return [coding["code"] for agent in agents for coding in agent.get("type", {}).get("coding", [])]


def _is_r4(event: dict) -> None:
    assert set(event) >= REQUIRED
    assert event["action"] in "CRUDE"
    assert event["outcome"] in {"0", "4", "8", "12"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", event["recorded"])
    assert re.fullmatch(r"[A-Za-z0-9.-]{1,64}", event["id"])
    assert all(isinstance(agent["requestor"], bool) for agent in event["agent"])
    assert set(event["type"]) <= {"system", "code", "display"}
    assert event["source"]["observer"]["identifier"]["value"] == ORIGIN


def test_every_code_becomes_a_valid_event_with_a_stable_id(smile):
    for code in EVENTS:
        told = _told(smile, code, patient=PATIENT)
        event = fhir.resource(told, origin=ORIGIN)
        _is_r4(event)
        assert event["id"] == fhir.resource(told, origin=ORIGIN)["id"]
    lines = list(fhir.lines([told, told], origin=ORIGIN))
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)


def test_opening_a_series_is_the_pattern_patient_read(smile):
    told = _told(smile, "series.opened", patient=PATIENT, study=STUDY, series=SERIES)
    event = fhir.resource(told, origin=ORIGIN)
    _is_r4(event)
    assert event["meta"]["profile"][0].endswith("IHE.BasicAudit.PatientRead")
    assert (event["type"]["code"], event["subtype"][0]["code"], event["action"]) == ("rest", "read", "R")
    assert _codes(event["agent"]) == ["110152", "110153", "IRCP"]
    client, server, user = event["agent"]
    assert client["network"] == {"address": "192.0.2.7", "type": "2"}
    assert server["network"] == {"address": ORIGIN, "type": "5"}
    assert (user["requestor"], user["name"], "network" in user) == (True, "Dana =Desk", False)
    patient, study = event["entity"]
    assert (patient["type"]["code"], patient["role"]["code"]) == ("1", "1")
    assert patient["what"] == {
        "type": "Patient",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": PATIENT.urn},
    }
    assert (study["type"]["code"], study["role"]["code"]) == ("2", "4")


def test_a_recipients_download_is_a_disclosure_by_its_source(smile):
    told = _told(smile, "study.downloaded", kind="recipient", patient=PATIENT, study=STUDY, share=SHARE)
    event = fhir.resource(told, origin=ORIGIN)
    _is_r4(event)
    assert event["meta"]["profile"][0].endswith("IHE.BasicAudit.PrivacyDisclosure.Source")
    assert (event["type"]["code"], event["subtype"][0]["code"], event["action"]) == (
        "110106",
        "disclose",
        "R",
    )
    source, recipient = event["agent"]
    assert _codes([source, recipient]) == ["110153", "110152"]
    assert source["who"] == event["source"]["observer"], "the pattern asks that the source tells of itself"
    assert recipient["network"]["address"] == "192.0.2.7"
    assert len(event["entity"]) >= 2


def test_no_pattern_is_claimed_where_something_it_asks_for_is_unknown(smile):
    for told in (
        _told(smile, "series.opened", study=STUDY),
        _told(smile, "series.opened", patient=PATIENT, study=STUDY, outcome="refused"),
        _told(smile, "study.downloaded", patient=PATIENT, study=STUDY),
    ):
        assert "meta" not in fhir.resource(told, origin=ORIGIN)


# --- DICOM ---------------------------------------------------------------------------------------------------------


def test_every_code_becomes_a_dicom_message_in_the_order_of_the_schema(smile):
    for code in EVENTS:
        told = _told(smile, code, patient=PATIENT, study=STUDY, share=SHARE)
        root = fromstring(dicom_xml.message(told, origin=ORIGIN))
        assert [child.tag for child in root] == [
            "EventIdentification",
            *["ActiveParticipant"] * 2,
            "AuditSourceIdentification",
            *["ParticipantObjectIdentification"] * 3,
        ]
        event_id = root.find("EventIdentification/EventID")
        assert event_id.get("csd-code") == EVENTS[code][0]
        assert event_id.get("originalText") == dicom_xml.EVENT_NAMES[EVENTS[code][0]]
        for coded in root.iter():
            if coded.get("csd-code"):
                assert coded.get("codeSystemName"), coded.tag
                assert coded.get("originalText"), coded.tag


def test_a_message_names_nobody_and_the_study_by_a_uid_of_its_own(smile):
    told = _told(smile, "series.opened", patient=PATIENT, study=STUDY, private={"name": "Maria Garcia"})
    raw = dicom_xml.message(told, origin=ORIGIN)
    assert b"Garcia" not in raw
    assert b"Dana" not in raw
    assert b'ParticipantObjectID="2.25.2"' in raw


class _Collector(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.do_handshake()
        got = b""
        while piece := self.request.recv(65536):
            got += piece
        self.server.received.append(got)  # type: ignore[attr-defined]


def _messages(raw: bytes) -> list[bytes]:
    found = []
    while raw:
        length, _, rest = raw.partition(b" ")
        found.append(rest[: int(length)])
        raw = rest[int(length) :]
    return found


def test_messages_reach_a_collector_over_tls_each_by_its_length(smile, tmp_path):
    tolds = [_told(smile, code, patient=PATIENT) for code in ("patient.opened", "series.opened")]
    certificate = make_certificate(tmp_path)
    with socketserver.TCPServer(("localhost", 0), _Collector) as server:
        server.received = []  # type: ignore[attr-defined]
        server.socket = tls_context(certificate).wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = Thread(target=server.handle_request, daemon=True)
        thread.start()
        address = f"syslog+tls://localhost:{server.server_address[1]}"
        with Collector.at(address, origin=ORIGIN, ca_file=str(certificate)) as collector:
            for told in tolds:
                collector.send(told)
        thread.join(10)
        [received] = server.received  # type: ignore[attr-defined]
    messages = _messages(received)
    assert len(messages) == 2
    for line, told in zip(messages, tolds, strict=True):
        head, _, body = line.partition(b"\xef\xbb\xbf")
        assert head.decode().split(" ")[:4] == [
            "<85>1",
            told.at.isoformat(timespec="microseconds"),
            "scans.example.org",
            "scanpass",
        ]
        assert head.decode().endswith(" - DICOM+RFC3881 - ")
        assert fromstring(body).tag == "AuditMessage"
        assert frame(told, origin=ORIGIN).endswith(line)


def test_a_collector_nobody_vouches_for_or_without_tls_gets_nothing(tmp_path):
    with pytest.raises(InvalidInput, match=r"syslog\+tls"), Collector.at("syslog://localhost", origin=ORIGIN):
        pass
    certificate = make_certificate(tmp_path)
    with socketserver.TCPServer(("localhost", 0), _Collector) as server:
        server.received = []  # type: ignore[attr-defined]
        server.handle_error = lambda request, address: None  # type: ignore[method-assign]  # noqa: ARG005
        server.socket = tls_context(certificate).wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = Thread(target=server.handle_request, daemon=True)
        thread.start()
        address = f"syslog+tls://localhost:{server.server_address[1]}"
        with pytest.raises(ssl.SSLCertVerificationError), Collector.at(address, origin=ORIGIN):
            pass
        thread.join(10)
        assert server.received == []  # type: ignore[attr-defined]
