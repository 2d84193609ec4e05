"""Who may do what: every address of the site, every role, every method, from one table.

The table is written out and not computed from the product's own, so that a change there has to be made here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from portal.accounts.models import Role, User
from portal.accounts.permissions import MAY, Action
from portal.clock import now
from portal.practice.associates import add_agreement, add_associate
from portal.practice.models import Agreement, BusinessAssociate, Membership, Practice
from portal.practice.staff import hire
from portal.records.access_requests import open_request, today_at
from portal.records.guardians import add_guardian
from portal.records.holds import place_hold
from portal.records.models import (
    Patient,
    QuarantinedGroup,
    ReferringDentist,
    Series,
    Study,
    Upload,
    UploadedFile,
)
from portal.records.retention import place_legal_hold
from portal.records.retention_rows import LegalHold
from portal.records.rights import AccessRequest, Guardianship, Hold
from portal.records.shredding import ask as ask_shredding
from portal.records.shredding_rows import Shredding
from portal.records.uploads import start_upload
from sharing.issue import issue
from sharing.known import ReadBack
from sharing.models import Message, Share
from sharing.read_back import ask_read_back
from tests.cast import actor_of, make_patient, make_staff, signed_in
from tests.viewer.conftest import made_study

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OWN, PRI, CLI, FRO, REF = (
    Role.OWNER,
    Role.PRIVACY_OFFICER,
    Role.CLINICIAN,
    Role.FRONT_DESK,
    Role.REFERRING_DENTIST,
)
EVERYONE, DESK = {OWN, PRI, CLI, FRO, REF}, {OWN, CLI, FRO}

PUBLIC = {
    "sign_in", "second_factor", "passkey_options", "give_passkey",
    "enrol", "choose_language", "set_up_practice", "join", "alive", "ready",
    "demo_outbox", "demo_walk", "share_landing", "share_paste", "share_open",
    "share_done",
    # Vendors' reports: no session, a signature instead (tests/sharing/gateways).
    "webhook_report", "twilio_report", "twilio_reply", "twilio_pressed", "twilio_call", "aws_report",
}  # fmt: skip
# Doors of a share's own cookie; `tests/sharing` and `tests/viewer` walk them.
RECIPIENT = {
    "share_birthdate", "share_address", "share_colleague", "share_slip", "share_pass_on", "share_end_passed_on",
    "share_code", "share_call", "share_code_news",
    "share_verify", "share_ended", "share_renew", "share_view",
    "share_studies", "share_activity", "share_files", "share_end", "series_frames", "study_frames",
    "study_heartbeat", "study_manifest", "series_preview", "study_preview", "series_slice", "study_download",
}  # fmt: skip

# name: (who may, what an empty request of each method answers them). A method not named answers 405.
STAFF: dict[str, tuple[set[Role], dict[str, int]]] = {
    "home": (EVERYONE, {"GET": 302, "HEAD": 302}),
    "account": (EVERYONE, {"GET": 200, "HEAD": 200}),
    "new_recovery_codes": (EVERYONE, {"POST": 422}),
    "confirm": (EVERYONE, {"GET": 200, "HEAD": 200, "POST": 422}),
    "change_password": (EVERYONE, {"GET": 200, "HEAD": 200, "POST": 422}),
    "end_other_sessions": (EVERYONE, {"POST": 302}),
    "confirm_options": (EVERYONE, {"POST": 404}),  # nobody has a passkey yet
    "confirm_with_passkey": (EVERYONE, {"POST": 400}),
    "new_passkey_options": (EVERYONE, {"POST": 200}),
    "add_passkey": (EVERYONE, {"POST": 400}),
    "remove_passkey": (EVERYONE, {"POST": 404}),
    "stay": (EVERYONE, {"POST": 204}),
    "idled_out": (EVERYONE, {"POST": 204}),
    "sign_out": (EVERYONE, {"POST": 302}),
    "desk": ({OWN, PRI, CLI, FRO}, {"GET": 200, "HEAD": 200}),
    "find": ({OWN, PRI, CLI, FRO}, {"POST": 200}),
    "patient": ({OWN, PRI, CLI, FRO}, {"GET": 200, "HEAD": 200}),
    "record": ({OWN, PRI, CLI, FRO}, {"GET": 200, "HEAD": 200}),
    "shares": ({OWN, PRI, CLI, FRO}, {"GET": 200, "HEAD": 200}),
    "new_patient": (DESK, {"GET": 200, "HEAD": 200, "POST": 422}),
    "correct_patient": (DESK, {"GET": 200, "HEAD": 200, "POST": 422}),
    "arriving": (DESK, {"GET": 200, "HEAD": 200}),
    "uploads": (DESK, {"POST": 201}),
    "upload_files": (DESK, {"POST": 412, "OPTIONS": 204}),
    "upload_file": (DESK, {"HEAD": 412, "PATCH": 412, "DELETE": 412}),
    "upload_finish": (DESK, {"POST": 409}),
    "upload_status": (DESK, {"GET": 200, "HEAD": 200, "DELETE": 204}),
    "share": (DESK, {"GET": 200, "HEAD": 200, "POST": 422}),
    "share_text": (DESK, {"POST": 200}),
    "resend_share": (DESK, {"POST": 302}),
    "unlock_share": (DESK, {"POST": 409}),
    "renew_share": (DESK, {"POST": 302}),
    "decline_addition": (DESK, {"POST": 409}),
    "dentists": (DESK, {"GET": 200, "HEAD": 200, "POST": 422}),
    "dentist": (DESK, {"GET": 200, "HEAD": 200, "POST": 422}),
    "shared_mailboxes": ({OWN}, {"POST": 302}),
    "accounting": ({OWN, PRI}, {"GET": 200, "HEAD": 200}),
    "timeline": ({OWN, PRI, CLI, FRO}, {"GET": 200, "HEAD": 200}),
    "new_request": ({OWN, PRI, CLI, FRO}, {"GET": 200, "HEAD": 200, "POST": 422}),
    "access_requests": ({OWN, PRI, CLI, FRO}, {"GET": 200, "HEAD": 200}),
    "fulfil_request": (DESK, {"POST": 302}),
    "refuse_request": ({OWN, PRI}, {"POST": 422}),
    "extend_request": ({OWN, PRI}, {"POST": 422}),
    "rights": ({OWN, PRI, CLI, FRO}, {"GET": 200, "HEAD": 200}),
    "new_guardian": (DESK, {"POST": 422}),
    "end_guardian": (DESK, {"POST": 302}),
    "new_hold": ({OWN, PRI, CLI, FRO}, {"POST": 422}),
    "lift_hold": ({OWN, PRI}, {"POST": 422}),
    "permit_hold": ({OWN, PRI}, {"POST": 422}),
    "letter": (DESK, {"GET": 200, "HEAD": 200, "POST": 200}),
    "send_message_now": (DESK, {"POST": 409}),
    "tasks": (DESK, {"GET": 200, "HEAD": 200}),
    "revoke_share": ({OWN, PRI, CLI, FRO}, {"POST": 302}),
    "live_shares": ({OWN, PRI, CLI, FRO}, {"GET": 200, "HEAD": 200}),
    "revoke_shares": ({OWN, PRI, CLI, FRO}, {"POST": 400}),
    "one_share": ({OWN, PRI, CLI, FRO}, {"GET": 200, "HEAD": 200}),
    "share_evidence": ({OWN, PRI, CLI, FRO}, {"GET": 200, "HEAD": 200}),
    "wrong_number": ({OWN, PRI, CLI, FRO}, {"POST": 302}),
    "lost_phone": ({OWN, PRI, CLI, FRO}, {"POST": 302}),
    "batch": (DESK, {"GET": 200, "HEAD": 200, "POST": 422}),
    "number_standing": (DESK, {"POST": 200}),
    "ask_read_back": (DESK, {"POST": 200}),
    "read_back_state": (DESK, {"GET": 200, "HEAD": 200}),
    "give_read_back": (DESK, {"POST": 200}),
    "corrected_share": (DESK, {"POST": 409}),
    "undo_share": (DESK, {"POST": 302}),
    "extend_share": (DESK, {"POST": 422}),
    "change_share_number": (DESK, {"POST": 422}),
    "change_share_images": (DESK, {"POST": 422}),
    "break_glass": (DESK, {"GET": 200, "HEAD": 200, "POST": 422}),
    "retention": ({OWN, PRI}, {"GET": 200, "HEAD": 200}),
    "keep_years": ({OWN, PRI}, {"POST": 302}),
    "ask_retention": ({OWN, PRI}, {"POST": 400}),
    "legal_holds": ({OWN, PRI}, {"GET": 200, "HEAD": 200, "POST": 422}),
    "lift_legal_hold": ({OWN, PRI}, {"POST": 400}),
    "shreddings": ({OWN, PRI}, {"GET": 200, "HEAD": 200}),
    "ask_shredding": ({OWN, PRI}, {"GET": 200, "HEAD": 200, "POST": 422}),
    "agree_shredding": ({OWN, PRI}, {"POST": 409}),  # a copy of them is owed to somebody first
    "withdraw_shredding": ({OWN, PRI}, {"POST": 302}),
    "shred_certificate": ({OWN, PRI}, {"GET": 404, "HEAD": 404}),  # before anything is destroyed
    "quarantine": ({OWN, PRI, CLI}, {"GET": 200, "HEAD": 200}),
    "discard_group": ({OWN, PRI, CLI}, {"POST": 422}),
    "accept_group": ({OWN, PRI, CLI}, {"POST": 422}),
    "trail": ({OWN, PRI}, {"GET": 200, "HEAD": 200}),
    "export_trail": ({OWN, PRI}, {"POST": 400}),
    "activity": ({OWN, PRI}, {"GET": 200, "HEAD": 200}),
    "sign_activity": ({OWN, PRI}, {"POST": 400}),
    "agreements": ({OWN, PRI}, {"GET": 200, "HEAD": 200}),
    "connections": ({OWN, PRI}, {"GET": 200, "HEAD": 200}),
    "compliance": ({OWN, PRI}, {"GET": 200, "HEAD": 200}),
    "new_associate": ({OWN, PRI}, {"GET": 200, "HEAD": 200, "POST": 422}),
    "associate": ({OWN, PRI}, {"GET": 200, "HEAD": 200, "POST": 422}),
    "add_agreement": ({OWN, PRI}, {"POST": 422}),
    "agreement_document": ({OWN, PRI}, {"GET": 200, "HEAD": 200}),
    "end_agreement": ({OWN, PRI}, {"POST": 302}),
    "staff": ({OWN}, {"GET": 200, "HEAD": 200}),
    "new_member": ({OWN}, {"GET": 200, "HEAD": 200, "POST": 422}),
    "member": ({OWN}, {"GET": 200, "HEAD": 200}),
    "change_role": ({OWN}, {"POST": 422}),
    "new_invitation": ({OWN}, {"POST": 200}),
    "deactivate_member": ({OWN}, {"POST": 302}),
    "activate_member": ({OWN}, {"POST": 409}),
    "reset_password": ({OWN}, {"POST": 409}),
    "reset_second_factor": ({OWN}, {"POST": 409}),
    "desk_hand_over": (DESK, {"POST": 302}),
    "desk_study": (DESK, {"GET": 200}),
    "desk_study_manifest": (DESK, {"GET": 200}),
    "desk_study_heartbeat": (DESK, {"GET": 204, "HEAD": 204}),
    "desk_series_frames": (DESK, {"GET": 200}),
    "desk_study_frames": (DESK, {"GET": 200}),
    "desk_series_preview": (DESK, {"GET": 200}),
    "desk_study_preview": (DESK, {"GET": 200}),
    "desk_series_slice": (DESK, {"GET": 200}),
    "desk_study_download": ({OWN, CLI}, {"GET": 200, "HEAD": 200}),
}


@dataclass
class Things:
    """One of each, of one practice."""

    patient: Patient
    study: Study
    series: Series
    share: Share
    message: Message
    check: ReadBack
    upload: Upload
    file: UploadedFile
    group: QuarantinedGroup
    member: Membership
    shredding: Shredding
    associate: BusinessAssociate
    agreement: Agreement
    guardian: Guardianship
    hold: Hold
    legal_hold: LegalHold
    request: AccessRequest
    dentist: ReferringDentist

    def address(self, name: str) -> str:
        """The address of this name for these things."""
        own: dict[str, dict[str, Any]] = {
            "patient_id": {"patient_id": self.patient.pk},
            "share_id": {"share_id": self.share.pk},
            "message_id": {"message_id": self.message.pk},
            "check_id": {"check_id": self.check.pk},
            "group_id": {"group_id": self.group.pk},
            "upload_id": {"upload_id": self.upload.pk},
            "file_id": {"file_id": self.file.pk},
            "member_id": {"member_id": self.member.pk},
            "study_id": {"study_id": self.study.pk},
            "shredding_id": {"shredding_id": self.shredding.pk},
            "associate_id": {"associate_id": self.associate.pk},
            "agreement_id": {"agreement_id": self.agreement.pk},
            "guardian_id": {"guardian_id": self.guardian.pk},
            "hold_id": {"hold_id": self.hold.pk},
            "legal_hold_id": {"legal_hold_id": self.legal_hold.pk},
            "request_id": {"request_id": self.request.pk},
            "dentist_id": {"dentist_id": self.dentist.pk},
            "study": {"study": self.study.pk},
            "series": {"series": self.series.pk},
            "level": {"level": 0},
            "ranges": {"ranges": "0-1"},
            "view": {"view": "axial.webp"},
            "index": {"index": 0},
            "passkey_id": {"passkey_id": 1},
        }
        places: dict[str, Any] = {}
        for place in places_of(name):
            places |= own[place]
        return reverse(name, kwargs=places)


def walk(patterns: list[Any]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns)
        else:
            yield pattern


PATTERNS = {pattern.name: pattern for pattern in walk(get_resolver().url_patterns)}


def places_of(name: str) -> list[str]:
    """What an address of this name is about, from its resolver: `desk/` has no places, a patient's page has one."""
    _, places = get_resolver().reverse_dict.getlist(name)[0][0][0]
    return list(places)


def make_things(practice: Practice, user: User) -> Things:
    actor = actor_of(user)
    patient = make_patient(practice)
    study = made_study(patient).study
    series = study.series.order_by("position")[0]
    share = issue(
        patient,
        series=[series],
        recipient_kind="patient",
        recipient_name="Maria Garcia",
        channel="text",
        address="+1 206-555-0142",
        language="en",
        purpose="patient-request",
        consent=True,
        allows_download=False,
        expires_at=now() + timedelta(days=7),
        actor=actor,
    )
    with transaction.atomic():
        check = ask_read_back(patient, number="+1 206-555-0143", language="en", actor=actor)
    shredding = ask_shredding(study, reason="Taken by mistake", actor=actor)
    upload = start_upload(patient, actor=actor)
    file = UploadedFile.objects.create(practice=practice, upload=upload, name="scan.dcm", length=10)
    group = QuarantinedGroup.objects.create(
        practice=practice,
        upload=upload,
        patient=patient,
        cause=QuarantinedGroup.Cause.OTHER_PATIENT,
        header={"patient_name": "Lopez^Ana", "studies": []},
        files=[],
        pack="00",
        file_count=1,
        created_at=now(),
    )
    member, _ = hire(name="Nia New", email="nia@smile.example", role=Role.CLINICIAN, actor=actor)
    associate = add_associate(name="Texts Inc", adapter="twilio", actor=actor)
    day = now().date()
    agreement = add_agreement(
        associate, signed_on=day, starts_on=day, ends_on=day, document=b"%PDF-1.7", actor=actor
    )
    guardian = add_guardian(
        patient, kind="representative", name="Ana Garcia", documents="Papers", actor=actor
    )
    asked = open_request(
        patient,
        requested_by="Maria Garcia",
        wanted="Everything",
        received_on=today_at(patient.practice),
        actor=actor,
    )
    # Of someone else, so that nothing here is restricted.
    hold = place_hold(patient, kind="person", name="Carlos Diaz", reason="Court order", actor=actor)
    return Things(
        patient,
        study,
        series,
        share,
        share.messages.get(),
        check,
        upload,
        file,
        group,
        member,
        shredding,
        associate,
        agreement,
        guardian,
        hold,
        place_legal_hold(make_patient(practice), reason="A court may ask", actor=actor),
        asked,
        ReferringDentist.objects.create(
            practice=practice, name="Riley Chen", email="riley@chen.example", created_at=now()
        ),
    )


@pytest.fixture
def things(smile: Practice, omar: User) -> Things:
    return make_things(smile, omar)


def ask(client: Client, method: str, address: str) -> int:
    """The status of an empty request; what it changed is undone, so that the next one meets the same things."""
    with transaction.atomic():
        # Signing out takes the cookie away, which no rollback brings back.
        cookies = deepcopy(client.cookies)
        response = client.generic(method, address, content_type="application/x-www-form-urlencoded")
        if response.streaming:
            b"".join(response.streaming_content)  # type: ignore[arg-type]
        transaction.set_rollback(True)
        client.cookies = cookies
    return response.status_code


def methods_of(role: Role, answers: dict[str, int]) -> list[str]:
    """Those that an address answers, and one that it doesn't, another for each role; the owner tries them all."""
    others = [method for method in METHODS if method not in answers]
    if role is Role.OWNER:
        return [*answers, *others]
    turn = list(Role).index(role)
    return [*answers, others[turn % len(others)]]


def staff_with(role: Role, practice: Practice) -> Callable[[], Client]:
    user = make_staff(practice, role, "Somebody")
    return lambda: signed_in(user)


# --- the table is complete -----------------------------------------------------------------------------------------


def test_every_address_stands_in_the_table_once() -> None:
    named = [*PUBLIC, *RECIPIENT, *STAFF]
    assert len(named) == len(set(named))
    assert set(named) == set(PATTERNS)


@pytest.mark.parametrize("name", sorted(name for name in PATTERNS if name))
def test_every_view_has_the_door_of_the_table(name: str) -> None:
    door = getattr(PATTERNS[name].callback, "door", "none")
    assert door == ("public" if name in PUBLIC else "recipient" if name in RECIPIENT else "staff")


def test_roles_and_actions_are_those_of_the_handbook() -> None:
    sharing_staff = {"signed-in", "find-patients", "add-patients", "upload", "view-images", "share", "revoke"}
    assert {
        OWN: set(Action),
        PRI: {
            "signed-in",
            "find-patients",
            "revoke",
            "resolve-quarantine",
            "read-trail",
            "lift-holds",
            "account-disclosures",
            "shred",
            "manage-agreements",
            "read-compliance",
        },
        CLI: sharing_staff | {"download", "resolve-quarantine"},
        FRO: sharing_staff,
        REF: {"signed-in"},
    } == MAY


# --- the table is true ---------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("role", list(Role), ids=str)
def test_r6_each_role_gets_what_the_table_says(role: Role, smile: Practice, things: Things) -> None:
    enter = staff_with(role, smile)
    found, expected = {}, {}
    for name, (who, answers) in STAFF.items():
        client = enter()
        for method in methods_of(role, answers):
            found[name, method] = ask(client, method, things.address(name))
            expected[name, method] = answers.get(method, 405) if role in who else 403
    assert found == expected


@pytest.mark.django_db
def test_strangers_are_sent_to_sign_in_everywhere(things: Things) -> None:
    for name in STAFF:
        for method in METHODS:
            client = Client(headers={"host": "127.0.0.1"})
            assert ask(client, method, things.address(name)) in (302, 401), (name, method)


@pytest.mark.django_db
def test_owner_of_another_practice_finds_nothing(bright: Practice, things: Things) -> None:
    enter = staff_with(Role.OWNER, bright)
    for name, (_, answers) in STAFF.items():
        if not places_of(name):
            continue
        for method in answers:
            status = ask(enter(), method, things.address(name))
            # The protocol's own questions (its version, what it speaks) come before anybody's file.
            assert status == 404 or (name in {"upload_files", "upload_file"} and status in {204, 412}), (
                name,
                method,
            )


@pytest.mark.django_db
def test_ids_that_were_never_given_answer_like_those_of_another_practice(
    smile: Practice, things: Things
) -> None:
    enter = staff_with(Role.OWNER, smile)
    unknown = Things(*(type("Unknown", (), {"pk": uuid4()})() for _ in fields(Things)))  # type: ignore[arg-type]
    for name, (_, answers) in STAFF.items():
        if places_of(name) and name not in {"upload_files", "upload_file"}:
            assert {ask(enter(), method, unknown.address(name)) for method in answers} == {404}, name


@pytest.mark.django_db
def test_password_alone_opens_no_staff_page(dana: User, things: Things) -> None:
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(dana)
    for name in STAFF:
        assert ask(client, "GET", things.address(name)) in (302, 401), name
