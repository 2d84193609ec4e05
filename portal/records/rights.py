"""Whose say the record follows: who acts for a patient, who must not get the images, and what was asked for.

Rows only; `sharing` writes and reads them where they decide about a share.

Source: 45 CFR 164.502(g) (personal representatives), 164.522(a) (restrictions), 164.524 (access).
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from portal.accounts.models import User
from portal.records.models import Disclosure, Patient, Row
from portal.sealed.fields import SealedDate, SealedText


class Guardianship(Row):
    """Someone who may act for the patient until a day: who they are, which papers were seen, and by whom.

    Access stops at the start of `ends_on` in the practice's time zone: by default the patient's 18th birthday.
    """

    class Kind(models.TextChoices):
        PARENT = "parent", "Parent"
        GUARDIAN = "guardian", "Legal guardian"
        REPRESENTATIVE = "representative", "Personal representative"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="guardianships")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = SealedText()
    documents = SealedText()  # which papers were seen, in the desk's words
    # Sealed, for it tells the birth date. None: an adult's representative, until somebody ends it.
    ends_on = SealedDate(null=True)
    verified_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")


class Hold(Row):
    """A reason not to release images: to one person, or to anyone without the privacy officer's word.

    `permitted_until`: the privacy officer has allowed one more share of a restricted patient, until then.
    """

    class Kind(models.TextChoices):
        PERSON = "person", "Do not release to this person"
        RESTRICTED = "restricted", "Restricted: the privacy officer decides"
        DECEASED = "deceased", "Deceased: the privacy officer decides"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="holds")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    name = SealedText(null=True)  # of the person, for `PERSON`
    address = SealedText(null=True)  # their number or e-mail address, if known
    reason = SealedText()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    permitted_until = models.DateTimeField(null=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            # One of each; persons may be many.
            models.UniqueConstraint(
                fields=["patient", "kind"],
                condition=Q(lifted_at=None) & ~Q(kind="person"),
                name="hold_once",
            )
        ]


class AccessRequest(Row):
    """Someone asked for a copy of the patient's images: 30 days to answer (45 CFR 164.524(b)(2)).

    Once, and in writing, the time may be made 30 days longer. A refusal says why.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        FULFILLED = "fulfilled", "Fulfilled"
        REFUSED = "refused", "Refused"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="access_requests")
    requested_by = SealedText()
    wanted = SealedText()
    received_on = models.DateField()
    due_on = models.DateField()
    extension_reason = SealedText(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    refusal_reason = SealedText(null=True)
    disclosure = models.ForeignKey(Disclosure, null=True, on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(due_on__gte=models.F("received_on")), name="access_request_due"
            ),
            # A fulfilled request names what was given, and an open one nothing that would close it.
            models.CheckConstraint(
                condition=Q(state="open", closed_at=None)
                | Q(state="fulfilled", disclosure__isnull=False, closed_at__isnull=False)
                | Q(state="refused", refusal_reason__isnull=False, closed_at__isnull=False),
                name="access_request_closed",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["practice", "state", "due_on"], name="access_request_due")]


def open_holds(patient: Patient) -> models.QuerySet[Hold]:
    """The patient's holds that stand."""
    return Hold.objects.filter(patient=patient, lifted_at=None)
