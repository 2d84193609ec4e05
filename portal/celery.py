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
    for name in ("queue", "done", "control"):
        (settings.BROKER_DIR / name).mkdir(parents=True, exist_ok=True)
    app.conf.broker_transport_options = {
        "data_folder_in": str(settings.BROKER_DIR / "queue"),
        "data_folder_out": str(settings.BROKER_DIR / "queue"),
        "processed_folder": str(settings.BROKER_DIR / "done"),
        "control_folder": str(settings.BROKER_DIR / "control"),
        "store_processed": False,
        "polling_interval": 0.2,
    }
