"""A form that arrives twice makes one share: after a double click, a lost answer, a power cut in the middle.

The key was drawn when the form was shown. It is claimed in the transaction that makes the share, so either both
exist or neither; a second arrival finds the share of the first.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction

from portal.audit.actor import Actor
from portal.errors import NotFound
from portal.records.models import Patient
from sharing.issue import issue
from sharing.known import SentForm
from sharing.models import Share


def issue_once(key: uuid.UUID, patient: Patient, *, actor: Actor, **deed: Any) -> tuple[Share, bool]:
    """The share of this form, and whether it is new. `deed` and what is raised: see `sharing.issue.issue`."""
    if patient.practice_id != actor.practice:
        raise NotFound
    with transaction.atomic():
        SentForm.objects.bulk_create(
            [SentForm(key=key, practice_id=patient.practice_id)], ignore_conflicts=True
        )
        # PostgreSQL: a second arrival waits here until the first has made its share or given up.
        form = SentForm.objects.select_for_update().filter(key=key, practice_id=patient.practice_id).first()
        if form is None:
            raise NotFound
        if form.share is not None:
            return form.share, False
        share = issue(patient, actor=actor, **deed)
        SentForm.objects.filter(key=key).update(share=share)
    return share, True
