"""Making a share: the share, the disclosure in the patient's record, the trail's entry and the message, at once.

Nothing leaves here. The link is minted by the worker in the moment of sending (`sharing.send`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import Conflict, InvalidInput, LimitReached, NotFound
from portal.jobs.queue import enqueue
from portal.practice.models import Practice
from portal.records.dentists import is_shared_mailbox
from portal.records.disclosures import disclose, note
from portal.records.holds import note_if_held, pass_holds
from portal.records.models import Disclosure, DisclosureEvent, Patient, Series, Study
from portal.sealed.fields import blind_index
from sharing import limits
from sharing.addresses import address_for
from sharing.guardians import capped, guardianship_for
from sharing.models import Channel, Message, Share, SharedSeries
from sharing.opted_out import has_opted_out
from sharing.standing import refuse_bad
from sharing.troubles import Trouble, sentence

NAME_CHARS_MAX = 120
OPENS_MAX = 100


def issue(
    patient: Patient,
    *,
    series: Sequence[Series],
    recipient_kind: str,
    recipient_name: str,
    channel: str,
    address: str,
    language: str,
    purpose: str,
    consent: bool,
    allows_download: bool,
    expires_at: datetime,
    actor: Actor,
    undo_s: float = 0,
    opens_max: int | None = None,
) -> Share:
    """Share some series of a patient with one recipient until a time, and queue the message.

    The message waits `undo_s` seconds, in which `sharing.undo` can take the share back. Raises `InvalidInput`
    (with `field`) for what the desk can correct, `NotFound` for a patient or series of another practice or patient,
    `Conflict` for a number that is known to be bad.

    With `opens_max` a code opens it that many times. A guardian's share ends with the guardianship at the latest.
    Raises `Held` where a hold forbids it.

    Source: 45 CFR 164.514(h), 164.522(b), 164.528.
    """
    _check_belongs(patient, series, actor)
    _check_choices(recipient_kind=recipient_kind, channel=channel, purpose=purpose, language=language)
    _check_consent(consent)
    check_expiry(patient.practice, expires_at)
    _check_opens(opens_max)
    name = _checked_name(recipient_name, patient, recipient_kind)
    if channel == Channel.LETTER and recipient_kind == Disclosure.Recipient.DENTIST:
        raise InvalidInput("Letters are for patients. Send a dentist an e-mail or a text.", field="channel")
    address = address_for(channel, address)
    if recipient_kind == Disclosure.Recipient.DENTIST and actor.kind == "staff":
        _check_mailbox(patient.practice, address)
    # Before a guardian's papers: who must not have it isn't asked for any.
    note_if_held(patient, name=name, address=address, actor=actor)
    guardianship = guardianship_for(patient, recipient_kind=recipient_kind, name=name, address=address)
    expires_at = capped(expires_at, guardianship)
    with transaction.atomic():
        pass_holds(patient, name=name, address=address)
        disclosure = disclose(
            patient,
            recipient_kind=recipient_kind,
            recipient_name=name,
            recipient_address=address,
            purpose=purpose,
            description=_in_words(series),
            consent=consent,
            allows_download=allows_download,
            actor=actor,
            guardianship=guardianship,
        )
        share = _create_share(
            disclosure,
            channel=channel,
            address=address,
            language=language,
            allows_download=allows_download,
            expires_at=expires_at,
            opens_max=opens_max,
        )
        SharedSeries.objects.bulk_create(
            [SharedSeries(share=share, study_id=one.study_id, series=one) for one in series]
        )
        trail.record(
            "share.created",
            actor=actor,
            patient=patient.pk,
            share=share.pk,
            private={"recipient": name, "to": address},
            disclosure=str(disclosure.pk),
            opens=[str(one.pk) for one in series],
            expires_at=expires_at.isoformat(),
            allows_download=allows_download,
        )
        # A letter's link is made in the moment it is printed (`sharing.letter`).
        if channel != Channel.LETTER:
            queue_link(share, after_s=undo_s)
    return share


def queue_link(share: Share, *, after_s: float = 0) -> Message:
    """Put a message with a new link in the outbox, in the caller's transaction.

    Whatever sends a link passes here, so a number that is known to be bad gets none: raises `Conflict`;
    `LimitReached` after too many of a day to one address or by one practice.
    """
    if share.channel == Channel.LETTER:
        raise Conflict(
            "This share is a printed letter. Print the letter again; the one before stops working."
        )
    refuse_bad(share.patient_id, bytes(share.address_index))
    if has_opted_out(share):
        raise Conflict(sentence(Trouble.OPTED_OUT), field="address")
    _count_link(share)
    message = Message.objects.create(
        practice_id=share.practice_id, share=share, kind=Message.Kind.LINK, created_at=now()
    )
    note(share.disclosure_id, DisclosureEvent.Kind.QUEUED)
    enqueue("send", message.pk, after_s=after_s)
    return message


def _count_link(share: Share) -> None:
    try:
        limits.take(limits.LINKS_TO_ADDRESS_DAY, f"{share.practice_id}|{bytes(share.address_index).hex()}")
        limits.take(limits.LINKS_DAY, str(share.practice_id))
    except LimitReached as error:
        raise LimitReached(
            "Too many links went there today. Make sure that the number is right, and try again tomorrow.",
            **error.details,
            retry_after_s=error.retry_after_s,
        ) from None


def check_expiry(practice: Practice, expires_at: datetime) -> None:
    """Raise `InvalidInput` unless the time lies ahead and within the practice's maximum."""
    moment, days = now(), practice.share_max_days
    if expires_at is None or expires_at.tzinfo is None or expires_at <= moment:
        raise InvalidInput(_("Choose until when the link works."), field="expires_at")
    if expires_at > moment + timedelta(days=days, minutes=1):
        sentence = ngettext(
            "A link of this practice works for at most %(n)s day.",
            "A link of this practice works for at most %(n)s days.",
            days,
        )
        raise InvalidInput(sentence % {"n": days}, field="expires_at")


def _check_belongs(patient: Patient, series: Sequence[Series], actor: Actor) -> None:
    if patient.practice_id != actor.practice:
        raise NotFound
    if not series:
        raise InvalidInput(_("Choose at least one picture or scan to share."), field="series")
    ids = {one.pk for one in series}
    known = Series.objects.filter(
        pk__in=ids,
        practice_id=actor.practice,
        study__patient_id=patient.pk,
        study__state=Study.State.STORED,
    ).count()
    if known != len(ids) or len(ids) != len(series):
        raise NotFound


def _check_choices(*, recipient_kind: str, channel: str, purpose: str, language: str) -> None:
    known: dict[str, tuple[str, Sequence[str]]] = {
        "recipient_kind": (recipient_kind, Disclosure.Recipient.values),
        "channel": (channel, Channel.values),
        "purpose": (purpose, Disclosure.Purpose.values),
        "language": (language, [code for code, _name in settings.LANGUAGES]),
    }
    for field, (value, values) in known.items():
        if value not in values:
            raise InvalidInput(_("Choose one of the options."), field=field)


def _check_mailbox(practice: Practice, address: str) -> None:
    """A patient may send their own scan wherever they like; the practice keeps its own rule."""
    if not practice.allows_shared_mailboxes and is_shared_mailbox(practice.pk, address):
        raise InvalidInput(
            "Several people read this mailbox, and your practice sends no links there. Use the dentist's own address.",
            field="address",
        )


def _check_opens(opens_max: int | None) -> None:
    if opens_max is not None and not 1 <= opens_max <= OPENS_MAX:
        raise InvalidInput(_("Choose one of the options."), field="opens_max")


def _check_consent(consent: bool) -> None:
    if consent is not True:
        raise InvalidInput(_("Ask for consent first, then tick the box."), field="consent")


def _checked_name(name: str, patient: Patient, recipient_kind: str) -> str:
    name = " ".join(name.split())
    if not name and recipient_kind == Disclosure.Recipient.PATIENT:
        return patient.name
    if not name or len(name) > NAME_CHARS_MAX:
        raise InvalidInput(_("Enter the name of the person who gets the link."), field="recipient_name")
    return name


def _in_words(series: Sequence[Series]) -> str:
    titles: dict[str, list[str]] = {}
    for one in series:
        titles.setdefault(one.study.title, []).append(one.title)
    return "; ".join(f"{study}: {', '.join(names)}" for study, names in titles.items())


def _create_share(
    disclosure: Disclosure,
    *,
    channel: str,
    address: str,
    language: str,
    allows_download: bool,
    expires_at: datetime,
    opens_max: int | None,
) -> Share:
    return Share.objects.create(
        practice_id=disclosure.practice_id,
        disclosure=disclosure,
        patient_id=disclosure.patient_id,
        channel=channel,
        address=address,
        address_index=blind_index(disclosure.practice_id, "address", address),
        language=language,
        allows_download=allows_download,
        created_at=disclosure.disclosed_at,
        expires_at=expires_at,
        opens_max=opens_max,
    )
