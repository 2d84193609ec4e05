"""Answering a request for a copy in one tap: a share of everything, with the download, to who asked.

Source: 45 CFR 164.524(c)(2)(ii) (the form and format asked for, if readily producible), (c)(4) (fees: none here).
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from django.db import transaction

from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import InvalidInput
from portal.records.access_requests import close_request
from portal.records.folding import fold_name
from portal.records.guardians import guardians_of
from portal.records.models import Contact, Disclosure, Patient, Series, Study
from portal.records.rights import AccessRequest
from sharing.issue import issue
from sharing.models import Channel, Share


class Recipient(NamedTuple):
    """Who gets the answer, and how."""

    kind: str
    name: str
    channel: str
    address: str
    language: str


def fulfil(request: AccessRequest, *, actor: Actor) -> Share:
    """Share all images of the patient with who asked, and close the request, at once.

    Raises `InvalidInput` when there are no images, `Conflict` when it was answered already.
    """
    patient = request.patient
    series = list(
        Series.objects.filter(study__patient=patient, study__state=Study.State.STORED)
        .select_related("study")
        .order_by("-study__created_at", "position")
    )
    if not series:
        raise InvalidInput("There are no images of this patient yet. Upload them first.")
    to = recipient_of(request)
    with transaction.atomic():
        share = issue(
            patient,
            series=series,
            recipient_kind=to.kind,
            recipient_name=to.name,
            channel=to.channel,
            address=to.address,
            language=to.language,
            purpose=Disclosure.Purpose.PATIENT_REQUEST,
            consent=True,  # it is their own request
            allows_download=True,
            expires_at=now() + timedelta(days=patient.practice.share_default_days),
            actor=actor,
        )
        close_request(request, share.disclosure, actor=actor)
    return share


def recipient_of(request: AccessRequest) -> Recipient:
    """The guardian who asked, or else the patient: by text, by e-mail, or by letter where there is neither."""
    patient = request.patient
    for guardian in guardians_of(patient):
        if fold_name(guardian.name) == fold_name(request.requested_by):
            theirs = patient.contacts.filter(relationship=Contact.Relationship.GUARDIAN)
            named = [contact for contact in theirs if contact.name == guardian.name]
            return _reached(Disclosure.Recipient.GUARDIAN, guardian.name, named, patient)
    own = list(patient.contacts.filter(relationship=Contact.Relationship.SELF))
    return _reached(Disclosure.Recipient.PATIENT, patient.name, own, patient)


def _reached(kind: str, name: str, contacts: list[Contact], patient: Patient) -> Recipient:
    for wanted, channel in ((Contact.Kind.MOBILE, Channel.TEXT), (Contact.Kind.EMAIL, Channel.EMAIL)):
        for contact in contacts:
            if contact.kind == wanted:
                return Recipient(kind, name, channel, contact.value, contact.language)
    return Recipient(kind, name, Channel.LETTER, "", patient.language)
