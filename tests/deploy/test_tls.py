"""R10: the front door speaks TLS 1.2 and 1.3 and nothing older, asked of Debian's own servers with our files."""

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

from tests.ports import free_port

pytestmark = pytest.mark.services

ROOT = Path(__file__).resolve().parents[2]
HOST = "scans.example.com"
ANSWER_WITHIN_S = 30.0  # on a machine that has much else to do
OLD, NEW = ["TLSv1", "TLSv1_1"], ["TLSv1_2", "TLSv1_3"]


@dataclass
class Front:
    """A running Caddy or nginx: its ports, and what it passed on."""

    https: int
    http: int
    seen: list[dict[str, str]]
    name: str


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
    line = socket.create_connection(("127.0.0.1", port), ANSWER_WITHIN_S)
    with line, context.wrap_socket(line, server_hostname=HOST) as talk:
        return talk.version()


@contextmanager
def _quietly() -> Iterator[None]:
    yield


class _Upstream(http.server.BaseHTTPRequestHandler):
    seen: list[dict[str, str]]

    def do_GET(self) -> None:
        self.seen.append(dict(self.headers))
        if self.path == "/hangs-up":
            self.connection.close()
            return
        self.send_response(200)
        if self.path == "/says-so":
            self.send_header("Strict-Transport-Security", "max-age=63072000")
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


def filled_in(name: str, here: dict[str, str]) -> str:
    """A file of deploy/ with the ports and the paths of this test in it, and nothing else changed."""
    text = (ROOT / "deploy" / name).read_text()
    for ours, ours_here in here.items():
        assert text.count(ours) == 1, ours
        text = text.replace(ours, ours_here)
    return text


def caddy(front: Front, behind: int, folder: Path) -> list[str]:
    cert, key = certificate(folder)
    here = {
        f"{HOST} {{": f"https://{HOST}:{front.https} {{",
        "127.0.0.1:8000": f"127.0.0.1:{behind}",
        "tls {": f"tls {cert} {key} {{",
    }
    ports = f"http_port {front.http}\nhttps_port {front.https}"
    text = f"{{\n{ports}\nadmin off\nstorage file_system {folder}\n}}\n{filled_in('Caddyfile', here)}"
    (folder / "Caddyfile").write_text(text)
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def nginx(front: Front, behind: int, folder: Path) -> list[str]:
    cert, key = certificate(folder)
    here = {
        "listen 443 ssl": f"listen 127.0.0.1:{front.https} ssl",
        "listen 80;": f"listen 127.0.0.1:{front.http};",
        "/etc/ssl/scanpass/fullchain.pem": str(cert),
        "/etc/ssl/private/scanpass.pem": str(key),
        "/var/log/nginx/scanpass.error.log": str(folder / "error.log"),
        "127.0.0.1:8000": f"127.0.0.1:{behind}",
    }
    paths = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    head = f"daemon off;\nuser root;\npid {folder}/pid;\nerror_log {folder}/start.log;\nevents {{}}\n"
    (folder / "nginx.conf").write_text(f"{head}http {{\n{paths}{filled_in('nginx.conf', here)}}}\n")
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


@pytest.fixture(scope="module", params=[caddy, nginx], ids=["caddy", "nginx"])
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    name = request.param.__name__
    if shutil.which(name) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is missing (Debian: apt install {name})")
        pytest.skip(f"{name} is not on this machine")
    folder = tmp_path_factory.mktemp(name)
    running = Front(free_port(), free_port(), [], name)
    with upstream(running.seen) as behind:
        command = request.param(running, behind, folder)
        with subprocess.Popen(
            command, cwd=folder, env={**os.environ, "HOME": str(folder)}, stderr=subprocess.PIPE
        ) as server:
            threading.Thread(target=lambda: server.stderr and server.stderr.read(), daemon=True).start()
            try:
                _await(running.https, server)
                yield running
            finally:
                server.terminate()


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert server.poll() is None, "the server ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("the server never listened")


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
        thread.join(ANSWER_WITHIN_S)


def test_r9_plain_http_only_redirects(front: Front) -> None:
    line = http.client.HTTPConnection("127.0.0.1", front.http, timeout=ANSWER_WITHIN_S)
    line.request("GET", "/s/", headers={"Host": HOST})
    answer = line.getresponse()
    line.close()
    assert answer.status == {"caddy": 308, "nginx": 301}[front.name]
    assert (answer.getheader("Location") or "").startswith(f"https://{HOST}")
    assert not front.seen or front.seen[-1].get("X-Forwarded-Proto") == "https"


def asked(front: Front, path: str, *headers: str) -> http.client.HTTPResponse:
    """The answer to GET over TLS, read to its end."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    line = socket.create_connection(("127.0.0.1", front.https), ANSWER_WITHIN_S)
    with line, context.wrap_socket(line, server_hostname=HOST) as talk:
        lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}", "Connection: close", *headers, "", ""]
        talk.sendall("\r\n".join(lines).encode())
        answer = http.client.HTTPResponse(talk, method="GET")
        answer.begin()
        answer.read()
    return answer


@pytest.mark.parametrize("path", ["/", "/says-so"])
def test_r10_browsers_are_told_once_to_come_by_tls_for_two_years(front: Front, path: str) -> None:
    answer = asked(front, path)
    assert answer.status == 200
    assert answer.headers.get_all("Strict-Transport-Security") == ["max-age=63072000"]


def test_r10_scanpass_learns_of_tls_and_of_one_address_only(front: Front) -> None:
    assert asked(front, "/", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: http").status == 200
    heard = front.seen[-1]
    assert heard["X-Forwarded-Proto"] == "https"
    assert heard["X-Forwarded-For"] == "127.0.0.1"


def test_r10_an_answer_of_the_front_doors_own_says_so_too(front: Front) -> None:
    """While Scanpass is being restarted, say."""
    answer = asked(front, "/hangs-up")
    assert answer.status == 502
    assert answer.headers.get_all("Strict-Transport-Security") == ["max-age=63072000"]
