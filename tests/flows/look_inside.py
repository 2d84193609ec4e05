"""Opens everything an installation holds, from a process of its own, and tells what is there as JSON.

    python -m tests.flows.look_inside      with the installation's environment

Every object of every manifest is opened and checked. Packs nobody refers to are swept as the hourly sweep would, so
that what is left can be compared; the installation must have no upload under way.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from typing import Any

from tests.flows.installation import ROOT, Installation


def look_inside(installation: Installation) -> dict[str, Any]:
    """What `main` prints, of an installation that may be running."""
    own = {"SCANPASS_STATE": str(installation.state), "SCANPASS_ACCEPT_COLOCATED_KEYS": "1"}
    told = subprocess.run(
        [sys.executable, "-m", "tests.flows.look_inside"],
        cwd=ROOT,
        env=installation.env() | own | {"DJANGO_SETTINGS_MODULE": "portal.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def main() -> None:
    import django

    django.setup()
    from portal.audit.verify import verify_all
    from portal.jobs.models import Job
    from portal.records.leftovers import delete_leftovers
    from portal.records.models import Disclosure, DisclosureEvent, Study, Upload, UploadPart, VaultPack
    from portal.records.vault import spool, vault
    from portal.sealed.models import StudyKey
    from sharing.models import Message, Share

    swept = delete_leftovers(older_than_s=0)
    uploads = Upload.objects.all()
    print(
        json.dumps(
            {
                "uploads": {str(row.pk): row.state for row in uploads},
                "studies_of": {str(row.pk): [str(one.pk) for one in row.studies.all()] for row in uploads},
                "studies": {str(study.pk): contents(study) for study in Study.objects.all()},
                "jobs": Counter(f"{job.kind} {job.state}" for job in Job.objects.all()),
                "parts": UploadPart.objects.count(),
                "in_the_spool": len(list(spool().names())),
                "swept": swept,
                "packs_match": set(vault().names()) == set(VaultPack.objects.values_list("name", flat=True)),
                "study_keys": StudyKey.objects.count(),
                "trail": trail(),
                "faults": [str(verdict.finding) for verdict in verify_all() if verdict.finding],
                "disclosures": Disclosure.objects.count(),
                "disclosure_events": Counter(DisclosureEvent.objects.values_list("kind", flat=True)),
                "messages": Counter(Message.objects.values_list("state", flat=True)),
                "links_sent": list(Share.objects.order_by("created_at").values_list("links_sent", flat=True)),
            }
        )
    )


def contents(study: Any) -> dict[str, Any]:
    """Every object of a study opened: the hashes of its originals in hex, how many objects of each kind."""
    from tests.portal.records.scans import Stored

    stored, kinds = Stored(study), Counter[str]()
    for entry in stored.manifest.select():
        stored.read(entry)
        kinds[entry.kind] += 1
    originals = sorted(hashlib.sha256(data).hexdigest() for data in stored.originals())
    instances = sum(series.instances.count() for series in study.series.all())
    return {"originals": originals, "objects": kinds, "instances": instances}


def trail() -> dict[str, int]:
    """How often each thing was written down, by code and what it is about."""
    from portal.audit.models import AuditEntry

    rows = AuditEntry.objects.values_list("code", "study_id", "share_id")
    return Counter(f"{code} {study or share or ''}".strip() for code, study, share in rows)


if __name__ == "__main__":
    main()
