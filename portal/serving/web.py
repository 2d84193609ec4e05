"""The WSGI entry that granian's workers load under the supervisor: `portal.wsgi`, tethered to granian.

granian's workers survive a SIGKILL of granian and keep the port; the signal set here ends them too.
"""

from __future__ import annotations

from multiprocessing import parent_process

from portal.serving.tether import end_with

granian = parent_process()
if granian is not None and granian.pid is not None:
    end_with(granian.pid)

from portal.wsgi import application  # noqa: E402 - only a tethered worker may start to serve

__all__ = ["application"]
