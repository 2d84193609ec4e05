"""A study's download: memory of the server for 80 MB and for 800, and speed next to nginx.

    python -m bench.download

The server is the one `manage.py serve` starts, fresh for each study. Memory is the peak of its processes (VmHWM,
summed) above what they had before the download, for a slow reader and then a fast one. nginx serves the same archive
as a ready, plain file (the better of sendfile and buffers); curl is the client of both, in turns.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from bench.state import make_state, running

MB = 10**6
FILE_BYTES = 8 * MB
SIZES_MB = (80, 800)
ROUNDS = 5


def main() -> None:
    missing = [program for program in ("curl", "nginx") if shutil.which(program) is None]
    if missing:
        raise SystemExit(f"Install {', '.join(missing)} first.")
    with make_state(), tempfile.TemporaryDirectory(prefix="bench-peers-") as peers:
        from bench.shared_study import share_study

        content = np.random.default_rng(5).bytes(FILE_BYTES)
        tiny = np.zeros((1, 64, 64), np.uint16)
        studies = {size: share_study(tiny, [content] * (size * MB // FILE_BYTES)) for size in SIZES_MB}
        for size, shared in studies.items():
            _memory(size, shared)
        _speed(studies[SIZES_MB[0]], Path(peers))


def _memory(size_mb: int, shared) -> None:
    from bench.shared_study import web_command

    command, port = web_command()
    with running(command, port=port) as server:
        for _ in range(20):  # each worker loads the views with its first request
            _curl(port, f"{shared.root}/manifest.json", shared.cookie)
        before = _peak_mb(server.pid)
        _slow_reader(port, f"{shared.root}/download", shared.cookie, seconds=3)
        slow = _peak_mb(server.pid) - before
        rate = _curl(port, f"{shared.root}/download", shared.cookie)
        fast = _peak_mb(server.pid) - before
        print(
            f"{size_mb:4} MB: {before:.0f} MB before, + {slow:.1f} MB for a slow reader,"
            f" + {fast:.1f} MB at most for the whole at {rate / MB:.0f} MB/s"
        )


def _peak_mb(pid: int) -> float:
    """Peak resident memory of a server and its workers."""
    workers = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    return sum(_status_kb(process, "VmHWM") for process in (str(pid), *workers)) / 1000


def _status_kb(pid: str, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def _curl(port: int, path: str, cookie: str = "") -> float:
    """Fetch it all; bytes a second."""
    address = f"http://127.0.0.1:{port}{path}"
    told = ["-w", "%{http_code} %{speed_download}"]
    command = ["curl", "-sS", "-o", os.devnull, "--fail", "-b", cookie, *told, address]
    status, rate = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    if status != "200":
        raise SystemExit(f"{path} answered {status}.")
    return float(rate)


def _slow_reader(port: int, path: str, cookie: str, *, seconds: float) -> None:
    """A phone on a slow line: takes 64 kB every 20 ms, then leaves."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            line.recv(65_536)
            time.sleep(0.02)


def _speed(shared, folder: Path) -> None:
    from bench.shared_study import web_command
    from bench.stream.peers import nginx

    files = folder / "files"
    files.mkdir()
    command, port = web_command()
    with running(command, port=port), nginx(folder, files) as (sendfile, buffers):
        address = f"http://127.0.0.1:{port}{shared.root}/download"
        subprocess.run(
            ["curl", "-sS", "--fail", "-b", shared.cookie, "-o", files / "scan.zip", address], check=True
        )
        ours, plain = [], []
        for _ in range(ROUNDS):
            ours.append(_curl(port, f"{shared.root}/download", shared.cookie))
            plain.append(max(_curl(sendfile, "/scan.zip"), _curl(buffers, "/scan.zip")))
    ratios = [one / other for one, other in zip(ours, plain, strict=True)]
    print(
        f"scanpass {median(ours) / MB:.0f} MB/s, nginx {median(plain) / MB:.0f} MB/s, ratio {median(ratios):.2f}"
        f" ({min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
