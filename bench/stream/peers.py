"""The peers: nginx with the same frames as plain files, Orthanc with the same pixels by DICOMweb."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.state import free_port, running
from bench.stream.load import Target

WORKERS = 2
_NGINX = """\
worker_processes {workers};
daemon off;
pid {folder}/nginx.pid;
error_log /dev/null;
events {{ worker_connections 256; }}
http {{
  access_log off;
  keepalive_requests 1000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  open_file_cache max=2000 inactive=600s;
  server {{ listen 127.0.0.1:{sendfile}; root {files}; sendfile on; tcp_nopush on; }}
  server {{ listen 127.0.0.1:{buffers}; root {files}; sendfile off; output_buffers 4 128k; }}
}}
"""
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


@contextmanager
def nginx(folder: Path, files: Path) -> Iterator[tuple[int, int]]:
    """Plain files, by sendfile and by buffers: the ports of the two."""
    sendfile, buffers = free_port(), free_port()
    config = folder / "nginx.conf"
    config.write_text(
        _NGINX.format(workers=WORKERS, folder=folder, files=files, sendfile=sendfile, buffers=buffers)
    )
    folder.chmod(0o755)
    files.chmod(0o755)
    with running(["nginx", "-c", str(config), "-p", str(folder), "-g", "user root;"], port=sendfile):
        yield sendfile, buffers


@contextmanager
def orthanc(folder: Path, originals: list[bytes]) -> Iterator[Target]:
    """Orthanc as its package sets it up (50 threads: its best), holding `originals`; one WADO-RS frame a request."""
    port = free_port()
    storage = folder / "orthanc"
    storage.mkdir()
    config = {
        "Name": "bench", "HttpPort": port, "DicomServerEnabled": False, "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False, "StorageDirectory": str(storage), "IndexDirectory": str(storage),
        "Plugins": [str(PLUGIN)], "DicomWeb": {"Enable": True, "Root": "/dicom-web/"}, "KeepAlive": True,
    }  # fmt: skip
    path = folder / "orthanc.json"
    path.write_text(json.dumps(config))
    with running(["Orthanc", str(path)], port=port):
        ids = [_post(port, original) for original in originals]
        paths = [_frame_path(port, one) for one in ids]
        headers = {"Accept": 'multipart/related; type="application/octet-stream"'}
        yield Target("orthanc", port, paths, 1, headers)


def _post(port: int, original: bytes) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/instances", data=original, method="POST")
    with urllib.request.urlopen(request) as answer:
        stored: str = json.load(answer)["ID"]
    return stored


def _frame_path(port: int, instance: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/instances/{instance}/simplified-tags") as answer:
        tags = json.load(answer)
    study, series, sop = (tags[f"{name}InstanceUID"] for name in ("Study", "Series", "SOP"))
    return f"/dicom-web/studies/{study}/series/{series}/instances/{sop}/frames/1"
