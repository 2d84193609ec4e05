"""Entries go to the collector once each, in order, and wait for it when it is away; and into a file."""

from __future__ import annotations

import json
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from xml.etree.ElementTree import fromstring

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from portal.audit import forwarding, trail
from portal.audit.actor import system
from portal.audit.models import AuditEntry, AuditHead, CheckpointPlace
from tests.tls_server import make_certificate, tls_context


class _Collector(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while length := self._number():
            self.server.received.append(self.rfile.read(length))  # type: ignore[attr-defined]

    def _number(self) -> int:
        digits = b""
        while (one := self.rfile.read(1)).isdigit():
            digits += one
        return int(digits or 0)


@contextmanager
def _collecting(folder: Path, settings) -> Iterator[list[bytes]]:
    certificate = make_certificate(folder)
    with socketserver.ThreadingTCPServer(("localhost", 0), _Collector) as server:
        server.received = []  # type: ignore[attr-defined]
        server.socket = tls_context(certificate).wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        settings.AUDIT_COLLECTOR = f"syslog+tls://localhost:{server.server_address[1]}"
        settings.AUDIT_COLLECTOR_CA = str(certificate)
        try:
            yield server.received  # type: ignore[attr-defined]
        finally:
            server.shutdown()
            thread.join()


def _write(practice, count: int) -> None:
    with transaction.atomic():
        for number in range(count):
            trail.record("patient.opened", actor=system(practice.pk), number=number)


def test_each_entry_is_sent_once_and_in_order(smile, bright, settings, tmp_path):
    _write(smile, 3)
    with _collecting(tmp_path, settings) as received:
        forwarding.sweep_forwarding()
        forwarding.sweep_forwarding()
        _write(bright, 1)
        forwarding.sweep_forwarding()
    sites = [
        fromstring(line.partition(b"\xef\xbb\xbf")[2]).find("AuditSourceIdentification") for line in received
    ]
    assert len(received) == AuditEntry.objects.count()
    assert {site.get("AuditEnterpriseSiteID") for site in sites} == {
        str(practice) for practice in AuditHead.objects.values_list("practice_id", flat=True)
    }
    times = [line.split(b" ")[1] for line in received if str(smile.pk).encode() in line]
    assert times == sorted(times)


def test_a_collector_that_is_away_gets_all_of_it_later(smile, settings, tmp_path, clock):
    settings.AUDIT_COLLECTOR = "syslog+tls://localhost:9"
    forwarding.sweep_forwarding()
    row = CheckpointPlace.objects.get()
    assert (row.sequence, "can't be reached" in row.failure) == (0, True)
    with _collecting(tmp_path, settings) as received:
        forwarding.sweep_forwarding()
        assert received == [], "it is left alone for a minute"
        clock.advance(seconds=61)
        forwarding.sweep_forwarding()
    assert len(received) == AuditEntry.objects.count()


def test_without_a_collector_nothing_is_kept_or_sent(smile):
    forwarding.sweep_forwarding()
    assert not CheckpointPlace.objects.exists()


@pytest.mark.parametrize("kind", ["csv", "fhir", "dicom"])
def test_the_command_writes_a_line_an_entry_and_stands_in_the_trail(smile, tmp_path, kind):
    _write(smile, 4)
    count = AuditEntry.objects.filter(practice_id=smile.pk).count()
    path = tmp_path / "trail"
    call_command("export_audit", f"--practice={smile.pk}", f"--format={kind}", str(path))
    assert path.stat().st_mode & 0o077 == 0
    assert len(path.read_bytes().splitlines()) == count + (kind == "csv")
    facts = json.loads(bytes(AuditEntry.objects.get(code="audit.exported").event))["facts"]
    assert facts == {"format": kind, "entries": count}
    with pytest.raises(CommandError, match="File exists"):
        call_command("export_audit", f"--practice={smile.pk}", f"--format={kind}", str(path))
