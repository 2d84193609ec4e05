"""Sending DICOM audit messages to a collector: syslog over TLS, each message framed by its length.

    <85>1 2026-11-23T12:00:00.000000+00:00 scans.example.org scanpass - DICOM+RFC3881 - <BOM><AuditMessage…>

Source: RFC 5424 (the line), RFC 5425 (TLS, port 6514, octet counting), DICOM PS3.15 A.6.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Self
from urllib.parse import urlsplit

from portal.audit.exports.dicom_xml import message
from portal.audit.exports.told import Told
from portal.errors import InvalidInput

PORT: Final = 6514
PRIORITY: Final = 85  # facility 10 (security), severity 5 (notice)
_TIMEOUT_S: Final = 10
_BOM: Final = b"\xef\xbb\xbf"


class Collector:
    """An open connection to the collector."""

    def __init__(self, stream: ssl.SSLSocket, origin: str) -> None:
        self._stream, self._origin = stream, origin

    def send(self, told: Told) -> None:
        """Send one entry. Raises OSError; what was sent before may or may not have been kept."""
        self._stream.sendall(frame(told, origin=self._origin))

    @classmethod
    @contextmanager
    def at(cls, address: str, *, origin: str, ca_file: str | None = None) -> Iterator[Self]:
        """Connect to `syslog+tls://host:port`. Raises InvalidInput for any other address, OSError when it is away."""
        parts = urlsplit(address)
        if parts.scheme != "syslog+tls" or not parts.hostname:
            raise InvalidInput("The collector's address looks like syslog+tls://collector.example:6514.")
        context = ssl.create_default_context(cafile=ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with (
            socket.create_connection((parts.hostname, parts.port or PORT), timeout=_TIMEOUT_S) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as stream,
        ):
            yield cls(stream, origin)
            _end(stream)


def frame(told: Told, *, origin: str) -> bytes:
    """The octet-counted line of one entry."""
    host = origin.split("://")[-1].split("/")[0] or "-"
    head = f"<{PRIORITY}>1 {told.at.isoformat(timespec='microseconds')} {host} scanpass - DICOM+RFC3881 - "
    line = head.encode() + _BOM + message(told, origin=origin)
    return f"{len(line)} ".encode() + line


def _end(stream: ssl.SSLSocket) -> None:
    """Say that this was all, and wait until the other side has read it: a hasty close would throw the rest away."""
    try:
        stream.unwrap()
    except ConnectionError:
        raise
    except OSError:
        # Many collectors hang up instead of answering in kind; they have read everything by then.
        pass
