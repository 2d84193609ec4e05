"""Making the demo through the product's own verbs: two practices, invented patients, their studies, their shares.

It runs once for a state directory: `demo.json` is written last, so a start that was killed is done again from an
empty database.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management import CommandError
from django.db import transaction

from portal.clock import now
from portal.demo import facts
from portal.demo.draw import draw_all
from portal.demo.outbox import messages
from portal.demo.staff import BRIGHT, BRIGHT_STAFF, SMILE, SMILE_STAFF, Employee, has_staff, open_with_staff
from portal.jobs.models import Job
from portal.jobs.run import run
from portal.phantom.people import INVENTED, InventedPatient
from portal.records.guardians import add_guardian
from portal.records.local_files import upload_path
from portal.records.models import Patient, Series
from portal.records.patients import add_patient
from sharing.issue import issue
from sharing.models import Message, Share

# Long enough for its message to leave on a slow machine.
_SHORT = timedelta(seconds=5)
DENTIST = ("Dr. Riley Chen", "riley.chen@endo-partners.example")


def prepare(state: Path, base_url: str) -> facts.Facts:
    """The facts of the demo in `state`, made now if this is its first start."""
    known = facts.read(state)
    if known is None:
        known = _make(state, base_url)
    elif known["base_url"] != base_url:
        known = facts.moved(known, base_url)
    facts.write(state, known)
    return known


def _make(state: Path, base_url: str) -> facts.Facts:
    if has_staff():
        raise CommandError(
            f"An earlier start was interrupted. Remove the folder {state} and start the demo again."
        )
    dana, *colleagues = open_with_staff(SMILE, SMILE_STAFF)
    (mallory,) = open_with_staff(BRIGHT, BRIGHT_STAFF)
    maria, harold, lily, diego = INVENTED
    cases = (
        Case(dana, maria, "patient", ("volume-and-panoramic", "periapical")),
        Case(dana, harold, "dentist", ("panoramic", "periapical")),
        Case(dana, lily, "guardian", ("periapical",)),
        Case(mallory, diego, "patient", ("periapical",)),
    )
    with tempfile.TemporaryDirectory(prefix="phantom") as folder:
        _say("Drawing dental images of four people who do not exist. This takes a few seconds, once.")
        draw_all([(case.person, kind) for case in cases for kind in case.images], Path(folder))
        charts = [_chart(case, Path(folder) / case.person.chart_number) for case in cases]
    shares = [_share(chart, case, state) for chart, case in zip(charts, cases, strict=True)]
    # A link whose recipient finds it ended: by the time the site runs, or seconds later.
    ending = _share(charts[1], Case(dana, harold, "patient", ()), state, lifetime=_SHORT)
    return {
        "base_url": base_url,
        "staff": [one.facts for one in (dana, *colleagues, mallory)],
        "shares": shares,
        "expired_shares": [ending],
    }


@dataclass(frozen=True)
class Case:
    """One invented patient: who takes their images in, with whom they are shared, and which there are."""

    desk: Employee
    person: InventedPatient
    recipient: str
    images: tuple[str, ...]


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


# --- studies -----------------------------------------------------------------------------------------------------


def _chart(case: Case, images: Path) -> Patient:
    """Open the patient's chart and take the files in, as an upload of the desk would."""
    desk, person = case.desk, case.person
    _say(f"Encrypting the images of {person.given_name}.")
    patient = add_patient(
        practice_id=desk.practice.pk,
        family_name=person.family_name,
        given_name=person.given_name,
        birthdate=person.birthdate,
        chart_number=person.chart_number,
        mobile=person.phone,
        language=person.language,
        actor=desk.actor,
    )
    upload = upload_path(patient, images, actor=desk.actor)
    run(Job.objects.get(subject_id=upload.pk).pk)
    return patient


# --- shares ------------------------------------------------------------------------------------------------------


def _share(patient: Patient, case: Case, state: Path, *, lifetime: timedelta | None = None) -> dict[str, Any]:
    """Share all of the patient's series and send the link, as the desk would."""
    desk, is_dentist = case.desk, case.recipient == "dentist"
    lifetime = lifetime or timedelta(days=desk.practice.share_default_days)
    name, channel, address = _recipient(case.person, case.recipient)
    with transaction.atomic():
        _note_guardian(case, patient)
        share = issue(
            patient,
            series=list(Series.objects.filter(study__patient=patient)),
            recipient_kind=case.recipient,
            recipient_name=name,
            channel=channel,
            address=address,
            # The demo greets everyone in English; each page has the switch.
            language="en",
            purpose="referral" if is_dentist else "patient-request",
            consent=True,
            allows_download=case.person is not INVENTED[0],
            expires_at=now() + lifetime,
            actor=desk.actor,
        )
    return {
        "link": _sent_link(share, state),
        "recipient": case.recipient,
        "recipient_name": name,
        "patient": f"{case.person.given_name} {case.person.family_name}",
        "practice": desk.practice.name,
        "birthdate": case.person.birthdate.isoformat(),
        "address": share.address,
        "allows_download": share.allows_download,
    }


def _note_guardian(case: Case, patient: Patient) -> None:
    guardian = case.person.guardian
    if guardian:
        add_guardian(
            patient,
            kind="parent",
            name=f"{guardian.given_name} {guardian.family_name}",
            documents="Driver's license and the child's birth certificate",
            mobile=guardian.phone,
            language=guardian.language,
            actor=case.desk.actor,
        )


def _recipient(person: InventedPatient, kind: str) -> tuple[str, str, str]:
    if kind == "dentist":
        return DENTIST[0], "email", DENTIST[1]
    if kind == "guardian" and person.guardian:
        return f"{person.guardian.given_name} {person.guardian.family_name}", "text", person.guardian.phone
    return f"{person.given_name} {person.family_name}", "text", person.phone


def _sent_link(share: Share, state: Path) -> str:
    """Send the share's waiting message now and read the link where its recipient would: in the message."""
    message = Message.objects.get(share=share, kind=Message.Kind.LINK)
    run(Job.objects.get(subject_id=message.pk).pk)
    return messages(state)[-1].link
