"""A small server with TLS on this machine, whose certificate the test trusts by SSL_CERT_FILE or by its path."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def make_certificate(folder: Path) -> Path:
    """A key and a certificate for `localhost`, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    moment = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(minutes=5))
        .not_valid_after(moment + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "localhost.pem"
    path.write_bytes(private + certificate.public_bytes(pem))
    return path


def tls_context(certificate: Path) -> ssl.SSLContext:
    """What a server presents itself with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@contextmanager
def serving_tls(
    handler: type[BaseHTTPRequestHandler], folder: Path, monkeypatch: pytest.MonkeyPatch | None = None
) -> Iterator[HTTPServer]:
    """A server on a free port, its certificate in `folder`; what it keeps goes into its `received`."""
    certificate = make_certificate(folder)
    if monkeypatch:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with HTTPServer(("localhost", 0), handler) as server:
        server.received = []  # type: ignore[attr-defined]
        server.handle_error = lambda request, address: None  # type: ignore[method-assign]  # noqa: ARG005
        server.socket = tls_context(certificate).wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
