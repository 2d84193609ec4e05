"""A worker that is killed at a chosen point: `python -m tests.flows.dying_worker JOB POINT`.

The product has no hook for this: the process replaces one of its own functions by one that ends it by SIGKILL.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from typing import Any

# name: (module, owner and attribute, at which call, before or after it)
POINTS = {
    "first-header": ("portal.dicom.sandbox", "Sandbox.read_header", 1, "before"),
    "in-the-headers": ("portal.dicom.sandbox", "Sandbox.read_header", 6, "after"),
    "in-the-descriptions": ("portal.dicom.sandbox", "Sandbox.describe_pixels", 4, "after"),
    "before-sorting": ("portal.records.ingest.engine", "sort_files", 1, "before"),
    "first-object": ("portal.vault.packs", "PackWriter.append_stream", 1, "after"),
    "in-the-frames": ("portal.vault.packs", "PackWriter.append_stream", 15, "before"),
    "before-a-rename": ("portal.vault.disk", "UnfinishedFile.publish", 1, "before"),
    "between-two-packs": ("portal.vault.disk", "UnfinishedFile.publish", 1, "after"),
    "manifest-written": ("portal.records.ingest.writer", "StudyWriter.write_manifest", 1, "after"),
    "in-the-transaction": ("portal.records.ingest.commit", "_store_series", 1, "after"),
    "before-the-commit": ("portal.jobs.run", "Lease.finish", 1, "after"),
    "after-the-commit": ("portal.records.ingest.job", "wipe", 1, "before"),
    "in-the-wiping": ("portal.vault.store", "Store.delete", 2, "after"),
}


def arm(point: str) -> None:
    """Make this process die when it comes to the point."""
    module, path, call, when = POINTS[point]
    owner: Any = import_module(module)
    *owners, name = path.split(".")
    for step in owners:
        owner = getattr(owner, step)
    original, calls = getattr(owner, name), 0

    def deadly(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


def main(job_id: str, point: str) -> None:
    """Do the job, or as much of it as the point allows."""
    import django

    django.setup()
    from uuid import UUID

    from portal.jobs.run import KINDS, run

    for path in KINDS.values():
        if path.startswith("portal."):
            import_module(path.rpartition(".")[0])
    arm(point)
    run(UUID(job_id))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
