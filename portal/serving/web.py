"""The WSGI entry that granian's workers load under the supervisor: `portal.wsgi`, tethered to granian.

granian's workers survive a SIGKILL of granian and keep the port; the signal set here ends them too.
"""

from __future__ import annotations

import gc
from multiprocessing import parent_process

from portal.serving.tether import end_with

granian = parent_process()
if granian is not None and granian.pid is not None:
    end_with(granian.pid)

from django.core.files.storage import storages  # noqa: E402 - only a tethered worker may start to serve
from django.template import engines  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from portal.serving.at_once import answered_at_once  # noqa: E402
from portal.wsgi import application as django_application  # noqa: E402

application = answered_at_once(django_application)

# Django loads addresses, views and tags with the first request: each worker's first visitor waited 0.7 s for them.
_ = get_resolver().reverse_dict, engines.all(), storages["staticfiles"]

# What was imported lives as long as the process: no collection need look at it again.
gc.collect()
gc.freeze()

__all__ = ["application"]
