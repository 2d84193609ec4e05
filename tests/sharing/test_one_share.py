"""One share at the desk: longer, to another number, with other images, taken back, lost, or gone astray."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.clock import now
from portal.errors import Conflict
from portal.records.accounting import accounting_of
from portal.records.models import Contact, DisclosureEvent, Patient
from portal.records.patients import add_patient
from sharing.change_number import change_number
from sharing.contents import set_contents
from sharing.evidence import evidence_of
from sharing.gateways.memory import Kept
from sharing.models import Message, Share, Tally
from sharing.resend import resend
from sharing.standing import mark_verified, standing_of
from sharing.tokens import TOKEN_CHARS
from tests.cast import actor_of, make_patient, signed_in
from tests.conftest import MovableClock
from tests.sharing.conftest import (
    PHONE,
    Recipient,
    make_share,
    make_study,
    run_jobs,
    token_in,
)

pytestmark = pytest.mark.django_db
OTHER = "+12065550142"


@pytest.fixture
def client(dana: User) -> Client:
    return signed_in(dana)


def kinds(share: Share) -> list[str]:
    return list(share.disclosure.events.order_by("at", "pk").values_list("kind", flat=True))


def is_unknown(token: str, sent: list[Kept]) -> bool:
    """Whether a link answers as one that never was."""
    return Recipient(sent).open(token).json() == Recipient(sent).open("1" * TOKEN_CHARS).json()


def look(share: Share) -> None:
    """Open the first series, as a batch of frames does before its bytes leave."""
    series = share.shared_series.order_by("pk")[0]
    session = share.sessions.get(step="verified", ended_at=None)
    Tally.objects.create(
        practice_id=share.practice_id,
        study_id=series.study_id,
        series_id=series.series_id,
        session=session,
        actor_id=share.pk,
        frames=12,
        length_bytes=3_000_000,
        first_at=now(),
        last_at=now(),
    )


# --- longer --------------------------------------------------------------------------------------------------------


def test_extending_keeps_the_link_and_sends_nothing(
    client: Client, share: Share, token: str, phone: Recipient, sent: list[Kept]
) -> None:
    before = share.expires_at
    assert client.post(f"/desk/shares/{share.pk}/extend", {"days": 80}).status_code == 302
    share.refresh_from_db()
    assert share.expires_at > before
    assert len(sent) == 1
    assert phone.open(token).status_code == 200
    assert "extended" in kinds(share)
    assert AuditEntry.objects.filter(code="share.extended", share_id=share.pk).exists()


@pytest.mark.parametrize("days", ["91", "0", "", "2"], ids=["too long", "none", "empty", "earlier"])
def test_extending_says_what_is_wrong(client: Client, share: Share, days: str) -> None:
    answer = client.post(f"/desk/shares/{share.pk}/extend", {"days": days})
    assert answer.status_code == 422
    assert 'href="#id_days"' in answer.content.decode()


def test_ended_share_cannot_be_extended(client: Client, share: Share) -> None:
    Share.objects.filter(pk=share.pk).update(expires_at=share.created_at + timedelta(microseconds=1))
    assert client.post(f"/desk/shares/{share.pk}/extend", {"days": 60}).status_code == 422


# --- another number ------------------------------------------------------------------------------------------------


def test_old_link_and_session_die_when_the_number_changes(
    client: Client, share: Share, token: str, phone: Recipient, sent: list[Kept], clock: MovableClock
) -> None:
    phone.walk_in(token)
    answer = client.post(f"/desk/shares/{share.pk}/number", {"channel": "text", "address": "(206) 555-0142"})
    assert answer.status_code == 302
    assert phone.get("/s/view").status_code != 200
    assert is_unknown(token, sent)
    run_jobs()
    assert sent[-1].to == OTHER
    clock.advance(minutes=2)
    Recipient(sent).walk_in(token_in(sent[-1]))
    assert "number-changed" in kinds(share)


def test_message_that_waits_goes_to_no_old_number(pat: Patient, dana: User, sent: list[Kept]) -> None:
    share = make_share(pat, dana)
    change_number(share, channel="text", address=OTHER, actor=actor_of(dana))
    run_jobs()
    assert [kept.to for kept in sent] == [OTHER]
    assert share.messages.filter(state=Message.State.FAILED).count() == 1


def test_same_number_again_is_a_resend(client: Client, share: Share) -> None:
    answer = client.post(f"/desk/shares/{share.pk}/number", {"channel": "text", "address": PHONE})
    assert answer.status_code == 422
    assert "Use Resend" in answer.content.decode()


# --- other images --------------------------------------------------------------------------------------------------


def test_d7_a_study_is_taken_out_and_what_was_opened_is_told(
    client: Client,
    share: Share,
    token: str,
    phone: Recipient,
    pat: Patient,
    dana: User,
    sent: list[Kept],
    clock: MovableClock,
) -> None:
    wrong = make_study(pat, title="Somebody else's tooth")
    held = [row.series for row in share.shared_series.select_related("series__study")]
    set_contents(share, series=[*held, *wrong.series.all()], actor=actor_of(dana))
    phone.walk_in(token)
    look(share)
    page = client.get(f"/desk/shares/{share.pk}/").content.decode()
    assert "can't be called back: Cone-beam CT" in page
    answer = client.post(f"/desk/shares/{share.pk}/images", {"series": [str(row.pk) for row in held]})
    assert answer.status_code == 302
    assert phone.get("/s/studies.json").status_code == 401
    clock.advance(minutes=2)
    again = Recipient(sent)
    again.walk_in(token)
    assert [study["id"] for study in again.get("/s/studies.json").json()] == [str(held[0].study_id)]
    assert kinds(share).count("images-added") == kinds(share).count("images-removed") == 1
    # Taken out again, it was disclosed all the same.
    assert "added later: Somebody else's tooth: Series 1" in accounting_of(pat)[0].what


def test_share_keeps_at_least_one_image_and_takes_none_of_others(
    client: Client, share: Share, mallory: User
) -> None:
    foreign = make_study(make_patient(share.practice)).series.first()
    assert foreign is not None
    for series in ([], [str(foreign.pk)], ["x"]):
        answer = client.post(f"/desk/shares/{share.pk}/images", {"series": series})
        assert answer.status_code == 422
    assert share.shared_series.count() == 2


# --- taken back ----------------------------------------------------------------------------------------------------


def test_undone_share_sends_nothing_and_the_record_says_so(
    client: Client, pat: Patient, dana: User, sent: list[Kept]
) -> None:
    share = make_share(pat, dana, undo_s=10)
    run_jobs()
    assert sent == []
    assert "Undo" in client.get(f"/desk/patients/{pat.pk}/shares").content.decode()
    assert client.post(f"/desk/shares/{share.pk}/undo").status_code == 302
    assert kinds(share)[-1] == "undone"
    assert "Undone before it was sent" in client.get(f"/desk/patients/{pat.pk}/shares").content.decode()
    assert not share.messages.exclude(state=Message.State.FAILED).exists()


def test_message_that_has_left_is_not_undone(client: Client, share: Share) -> None:
    assert client.post(f"/desk/shares/{share.pk}/undo").status_code == 409
    assert "Undo" not in client.get(f"/desk/patients/{share.patient_id}/shares").content.decode()


# --- P7 ------------------------------------------------------------------------------------------------------------


def test_p7_lost_phone_ends_all_of_its_number_until_it_is_checked(
    client: Client, share: Share, token: str, phone: Recipient, dana: User, sent: list[Kept]
) -> None:
    brother = make_patient(share.practice, "Leo", "Garcia")
    other = make_share(brother, dana)
    run_jobs()
    phone.walk_in(token)
    assert client.post(f"/desk/shares/{share.pk}/lost-phone").status_code == 302
    assert phone.get("/s/view").status_code != 200
    for dead in (token, token_in(sent[1])):
        assert is_unknown(dead, sent)
    for one in (share, other):
        assert kinds(one)[-1] == "lost-phone"
        with pytest.raises(Conflict, match="reported lost"):
            resend(one, actor=actor_of(dana))
    with pytest.raises(Conflict, match="reported lost"):
        make_share(brother, dana)


def test_p7_new_number_must_be_read_back_first(client: Client, share: Share, sent: list[Kept]) -> None:
    client.post(f"/desk/shares/{share.pk}/lost-phone")
    number = {"channel": "text", "address": OTHER}
    answer = client.post(f"/desk/shares/{share.pk}/number", number)
    assert answer.status_code == 422
    assert "must be checked first" in answer.content.decode()
    mark_verified(share.patient, OTHER, by=None)
    assert client.post(f"/desk/shares/{share.pk}/number", number).status_code == 302
    run_jobs()
    assert sent[-1].to == OTHER


# --- P1, F7 --------------------------------------------------------------------------------------------------------


def test_p1_evidence_says_that_no_image_byte_was_released(
    client: Client, share: Share, token: str, phone: Recipient
) -> None:
    phone.open(token)
    for _ in range(5):
        phone.birthdate(year=1900)
    share.refresh_from_db()
    assert share.locked_at is not None
    assert client.post(f"/desk/shares/{share.pk}/wrong-number")["Location"].endswith("/evidence")
    sheet = client.get(f"/desk/shares/{share.pk}/evidence").content.decode()
    assert "No image byte was released." in sheet
    assert sheet.count("Birth date or address did not match") == 5
    assert evidence_of(share).released_nothing
    assert AuditEntry.objects.filter(code="share.evidence-read").exists()
    assert standing_of(share.patient, PHONE).word == "wrong-number"


def test_f7_evidence_names_what_a_stranger_saw(
    client: Client, share: Share, token: str, phone: Recipient
) -> None:
    phone.walk_in(token)
    look(share)
    client.post(f"/desk/shares/{share.pk}/wrong-number")
    sheet = client.get(f"/desk/shares/{share.pk}/evidence").content.decode()
    assert "Images were released" in sheet
    assert "No image byte was released" not in sheet
    assert evidence_of(share).length_bytes == 3_000_000


def test_f7_one_press_ends_it_and_sends_it_right(
    client: Client, share: Share, token: str, phone: Recipient, sent: list[Kept]
) -> None:
    client.post(f"/desk/shares/{share.pk}/wrong-number")
    page = f"/desk/shares/{share.pk}/corrected"
    again = client.post(page, {"channel": "text", "address": PHONE})
    assert "wrong number again" in again.content.decode()
    assert client.post(page, {"channel": "text", "address": OTHER}).status_code == 302
    run_jobs()
    right = Share.objects.exclude(pk=share.pk).get()
    assert sent[-1].to == OTHER
    assert right.disclosure.recipient_name == share.disclosure.recipient_name
    assert set(right.shared_series.values_list("series")) == set(share.shared_series.values_list("series"))
    Recipient(sent).walk_in(token_in(sent[-1]))
    assert client.post(f"/desk/shares/{share.pk}/wrong-number").status_code == 409


def test_wrong_number_leaves_the_chart_and_the_search(dana: User, sent: list[Kept]) -> None:
    actor = actor_of(dana)
    patient = add_patient(
        practice_id=actor.practice,  # type: ignore[arg-type]
        family_name="Garcia",
        given_name="Maria",
        birthdate=make_patient(dana.memberships.get().practice, family_name="Other").birthdate,
        mobile=PHONE,
        actor=actor,
    )
    share = make_share(patient, dana)
    signed_in(dana).post(f"/desk/shares/{share.pk}/wrong-number")
    assert not Contact.objects.filter(patient=patient).exists()
    assert not patient.search_terms.filter(field__startswith="phone").exists()
    with pytest.raises(Conflict, match="someone else's"):
        make_share(patient, dana)


def test_all_else_of_the_patient_that_went_to_the_wrong_number_ends_too(
    client: Client, share: Share, pat: Patient, dana: User
) -> None:
    same, other = make_share(pat, dana), make_share(pat, dana, address=OTHER)
    shown = client.get(client.post(f"/desk/shares/{share.pk}/wrong-number")["Location"])
    assert "1 more to the same number" in shown.content.decode()
    assert Share.objects.get(revoked_at=None) == other
    assert kinds(same)[-1] == "wrong-number"


def test_number_that_is_wrong_for_one_may_be_anothers_own(share: Share, client: Client, dana: User) -> None:
    client.post(f"/desk/shares/{share.pk}/wrong-number")
    owner = make_patient(share.practice, "Ana", "Lopez")
    assert make_share(owner, dana).address == PHONE


# --- Mallory -------------------------------------------------------------------------------------------------------


def test_mallory_changes_nothing(share: Share, mallory: User) -> None:
    stranger = signed_in(mallory)
    for deed in ("undo", "extend", "number", "images", "wrong-number", "corrected", "lost-phone", "revoke"):
        assert stranger.post(f"/desk/shares/{share.pk}/{deed}", {"days": 5}).status_code == 404, deed
    for page in ("", "evidence"):
        assert stranger.get(f"/desk/shares/{share.pk}/{page}").status_code == 404
    assert DisclosureEvent.objects.filter(disclosure=share.disclosure).count() == 2
