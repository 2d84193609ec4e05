"""What granian's workers load is all there before they answer anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.flows.installation import ROOT

ASK = """
import io, sys
from portal.serving.web import application
before, told = set(sys.modules), []
place = {"REQUEST_METHOD": "GET", "PATH_INFO": "/s/", "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1"}
wsgi = {"SERVER_PORT": "8000", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "REMOTE_ADDR": "127.0.0.1"}
page = b"".join(application(place | wsgi, lambda status, headers: told.append(status)))
assert b"<title>" in page
ours = {name for name in set(sys.modules) - before if name.split(".")[0] in {"portal", "sharing", "viewer"}}
print(told, sorted(ours))
"""


def test_the_first_visitor_of_a_worker_waits_for_no_module(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "SCANPASS_STATE": str(tmp_path),
        "SCANPASS_PUBLIC_BASE_URL": "http://127.0.0.1:8000",
    }
    ran = subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.stdout == "['200 OK'] []\n", ran.stderr
