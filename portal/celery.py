"""The Celery application: it carries ids of job rows and nothing else."""

from __future__ import annotations

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_connection_retry_on_startup=True,
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    imports=["portal.jobs.tasks"],
)

if settings.CELERY_BROKER_URL.startswith("filesystem://"):
    queue, control = settings.BROKER_DIR / "queue", settings.BROKER_DIR / "control"
    app.conf.broker_transport_options = {
        "data_folder_in": str(queue),
        "data_folder_out": str(queue),
        "control_folder": str(control),
        "store_processed": False,
        "polling_interval": 0.2,
    }
    try:
        for folder in (queue, control):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        # A command that queues nothing must run on a read-only state; whoever does queue is told by `tell_broker`.
        pass
else:
    # An act in the web waits this long at most for a broker that is down; the sweep sends its work later.
    app.conf.broker_transport_options = {
        "socket_connect_timeout": 2,
        "socket_timeout": 10,
        "connect_retries_timeout": 1,
        "max_retries": 1,
        "interval_start": 0.1,
    }
