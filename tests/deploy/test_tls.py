"""R10: the deployed front door speaks TLS 1.2 and 1.3 and nothing older, asked of Debian's Caddy with our file."""

from __future__ import annotations

import datetime
import http.client
import http.server
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

pytestmark = pytest.mark.services

ROOT = Path(__file__).resolve().parents[2]
HOST = "scans.example.com"
OLD, NEW = ["TLSv1", "TLSv1_1"], ["TLSv1_2", "TLSv1_3"]


@dataclass
class Front:
    """A running Caddy: its ports, and what it passed on."""

    https: int
    http: int
    seen: list[dict[str, str]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for the host, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return paths


def handshake(port: int, version: str) -> str | None:
    """The version that both agree on when the client speaks this one alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    only = getattr(ssl.TLSVersion, version)
    with pytest.warns(DeprecationWarning, match="TLSv1") if version in OLD else _quietly():
        context.minimum_version = context.maximum_version = only
    line = socket.create_connection(("127.0.0.1", port), 5)
    with line, context.wrap_socket(line, server_hostname=HOST) as talk:
        return talk.version()


@contextmanager
def _quietly() -> Iterator[None]:
    yield


class _Upstream(http.server.BaseHTTPRequestHandler):
    seen: list[dict[str, str]]

    def do_GET(self) -> None:
        self.seen.append(dict(self.headers))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def upstream(seen: list[dict[str, str]]) -> Iterator[int]:
    handler = type("Handler", (_Upstream,), {"seen": seen})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def our_file(front: Front, behind: int, folder: Path) -> str:
    """deploy/Caddyfile with the ports and the certificate of this test in it, and nothing else changed."""
    text = (ROOT / "deploy" / "Caddyfile").read_text()
    cert, key = certificate(folder)
    for ours, here in [
        (f"{HOST} {{", f"https://{HOST}:{front.https} {{"),
        ("127.0.0.1:8000", f"127.0.0.1:{behind}"),
        ("tls {", f"tls {cert} {key} {{"),
    ]:
        assert text.count(ours) == 1
        text = text.replace(ours, here)
    ports = f"http_port {front.http}\nhttps_port {front.https}"
    return f"{{\n{ports}\nadmin off\nstorage file_system {folder}\n}}\n{text}"


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    if shutil.which("caddy") is None:
        if os.environ.get("CI"):
            pytest.fail("Caddy is missing (Debian: apt install caddy)")
        pytest.skip("Caddy is not on this machine")
    folder = tmp_path_factory.mktemp("caddy")
    running = Front(free_port(), free_port(), [])
    with upstream(running.seen) as behind:
        (folder / "Caddyfile").write_text(our_file(running, behind, folder))
        command = ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
        with subprocess.Popen(
            command, cwd=folder, env={**os.environ, "HOME": str(folder)}, stderr=subprocess.PIPE
        ) as caddy:
            threading.Thread(target=lambda: caddy.stderr and caddy.stderr.read(), daemon=True).start()
            try:
                _await(running.https, caddy)
                yield running
            finally:
                caddy.terminate()


def _await(port: int, caddy: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert caddy.poll() is None, "Caddy ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("Caddy never listened")


@pytest.mark.parametrize("version", NEW)
def test_r10_tls_1_2_and_1_3_are_spoken(front: Front, version: str) -> None:
    assert handshake(front.https, version) == version.replace("_", ".")


@pytest.mark.parametrize("version", OLD)
def test_r10_tls_1_0_and_1_1_are_refused(front: Front, version: str) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(front.https, version)


@pytest.mark.parametrize("version", OLD)
def test_r10_this_client_could_speak_them(version: str, tmp_path: Path) -> None:
    """The control: against a server that allows it, the same handshake succeeds."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            line, _ = server.accept()
            with context.wrap_socket(line, server_side=True) as talk:
                talk.recv(1)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        assert handshake(server.getsockname()[1], version) == version.replace("_", ".")
        thread.join(5)


def test_r9_plain_http_only_redirects(front: Front) -> None:
    line = http.client.HTTPConnection("127.0.0.1", front.http, timeout=5)
    line.request("GET", "/s/", headers={"Host": HOST})
    answer = line.getresponse()
    assert answer.status == 308
    assert (answer.getheader("Location") or "").startswith(f"https://{HOST}")
    assert not front.seen or front.seen[-1].get("X-Forwarded-Proto") == "https"


def test_r10_scanpass_learns_of_tls_and_of_one_address_only(front: Front) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    claims = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: http\r\nConnection: close\r\n"
    line = socket.create_connection(("127.0.0.1", front.https), 5)
    with line, context.wrap_socket(line, server_hostname=HOST) as talk:
        talk.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n{claims}\r\n".encode())
        assert talk.recv(15) == b"HTTP/1.1 200 OK"
    heard = front.seen[-1]
    assert heard["X-Forwarded-Proto"] == "https"
    assert heard["X-Forwarded-For"] == "127.0.0.1"
