"""P3 and P4: who acts for a child, until when; and two guardians who don't share a link."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from portal.audit.models import AuditEntry
from portal.clock import now
from portal.errors import Conflict, InvalidInput, NotFound
from portal.records.guardians import add_guardian, guardians_of, is_adult, last_moment, majority_of
from portal.records.models import Contact, DisclosureEvent
from portal.records.search import find_patients
from sharing.desk_forms import ShareForm
from sharing.extend import extend
from sharing.guardians import end_guardian
from sharing.models import Share
from sharing.reachable import reachable
from sharing.renew import renew
from tests.cast import actor_of, make_patient, signed_in
from tests.sharing.conftest import Recipient, make_share, make_study, run_jobs, token_in

ANA, LUIS = "+12015550124", "+12015550125"


def birthdate_of_a_child(*, days_to_majority: int) -> date:
    day = now().date() + timedelta(days=days_to_majority)
    return day.replace(year=day.year - 18, day=min(day.day, 28))


@pytest.fixture
def leo(smile):
    """A child who comes of age in about three weeks."""
    return make_patient(smile, "Leo", "Garcia", birthdate_of_a_child(days_to_majority=24))


@pytest.fixture
def ana(leo, dana):
    return add_guardian(
        leo,
        kind="parent",
        name="Ana Garcia",
        documents="Driver's license, birth certificate",
        mobile=ANA,
        language="es",
        actor=actor_of(dana),
    )


def share_with(guardian, dana, address=ANA, **changes):
    return make_share(
        guardian.patient,
        dana,
        recipient_kind="guardian",
        recipient_name=guardian.name,
        address=address,
        **changes,
    )


def test_p3_a_guardian_opens_the_childs_scan_until_it_is_of_age(leo, ana, dana, sent, clock):
    share = share_with(ana, dana, expires_at=now() + timedelta(days=60))
    assert share.expires_at == last_moment(ana), "no link outlives the standing it rests on"
    assert share.disclosure.guardianship == ana
    assert share.disclosure.accounting == "exempt-individual"
    run_jobs()
    mother = Recipient(sent)
    assert mother.open(token_in(sent[-1])).json()["for"] == "Leo G."
    born = leo.birthdate
    assert mother.birthdate(born.year, born.month, born.day).status_code == 200
    assert mother.post("/s/code/verify", {"code": mother.ask_code()}).status_code == 200
    assert mother.get("/s/view").status_code == 200
    clock.advance(days=(ana.ends_on - now().date()).days + 1)
    assert mother.get("/s/studies.json", headers={"Accept": "application/json"}).status_code in (401, 410)
    assert guardians_of(leo) == []
    assert is_adult(leo)


def test_p3_on_the_day_the_young_adults_own_number_must_be_set(leo, ana, dana, sent, clock):
    expired = share_with(ana, dana)
    clock.advance(days=40)
    with pytest.raises(InvalidInput, match="First note"):
        share_with(ana, dana)
    with pytest.raises(InvalidInput, match="Ask for their own"):
        make_share(leo, dana, address=ANA)
    with pytest.raises(InvalidInput, match="standing ends"):
        renew(expired, expires_at=now() + timedelta(days=7), actor=actor_of(dana))
    own = make_share(leo, dana, address="+12015550126")
    assert own.disclosure.guardianship is None


def test_p3_a_share_is_not_extended_beyond_majority(ana, dana, sent):
    share = share_with(ana, dana, expires_at=now() + timedelta(days=5))
    extend(share, expires_at=now() + timedelta(days=9), actor=actor_of(dana))
    with pytest.raises(InvalidInput, match="standing ends"):
        extend(share, expires_at=now() + timedelta(days=60), actor=actor_of(dana))


def test_p3_nobody_noted_means_no_share(leo, dana, sent):
    with pytest.raises(InvalidInput, match="papers you saw") as caught:
        make_share(leo, dana, recipient_kind="guardian", recipient_name="Somebody Else")
    assert caught.value.details["field"] == "recipient_name"
    assert not Share.objects.exists()


def test_p3_what_is_noted(leo, ana, dana):
    assert ana.ends_on == majority_of(leo.birthdate)
    assert (ana.kind, ana.documents, ana.verified_by) == (
        "parent",
        "Driver's license, birth certificate",
        dana,
    )
    contact = Contact.objects.get(patient=leo, relationship="guardian")
    assert (contact.name, contact.value, contact.language) == ("Ana Garcia", ANA, "es")
    assert AuditEntry.objects.filter(code="guardian.added", patient_id=leo.pk).count() == 1
    assert find_patients(leo.practice_id, "201 555 0124") == [leo], "by the mother's number"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "cousin"}, "kind"),
        ({"name": " "}, "name"),
        ({"documents": ""}, "documents"),
        ({"ends_on": date(2000, 1, 1)}, "ends_on"),
        ({"ends_on": date(2999, 1, 1)}, "ends_on"),
        ({"mobile": "12"}, "mobile"),
    ],
)
def test_what_cannot_be_noted(leo, dana, changes, field):
    wanted = {"kind": "parent", "name": "Ana Garcia", "documents": "Papers", "actor": actor_of(dana)}
    with pytest.raises(InvalidInput) as caught:
        add_guardian(leo, **{**wanted, **changes})
    assert caught.value.details["field"] == field


def test_an_adult_has_representatives_only(pat, dana):
    with pytest.raises(InvalidInput):
        add_guardian(pat, kind="parent", name="Ana Garcia", documents="Papers", actor=actor_of(dana))
    row = add_guardian(
        pat, kind="representative", name="Ana Garcia", documents="Power of attorney", actor=actor_of(dana)
    )
    assert last_moment(row) is None


@pytest.mark.parametrize(
    ("born", "of_age"),
    [(date(2010, 5, 3), date(2028, 5, 3)), (date(2008, 2, 29), date(2026, 3, 1))],
)
def test_majority(born, of_age):
    assert majority_of(born) == of_age


def test_p4_two_guardians_each_with_a_link_and_a_log(leo, ana, dana, sent, clock):
    luis = add_guardian(
        leo, kind="guardian", name="Luis Garcia", documents="Court paper", mobile=LUIS, actor=actor_of(dana)
    )
    hers, his = share_with(ana, dana), share_with(luis, dana, LUIS)
    run_jobs()
    tokens = {message.to: token_in(message) for message in sent}
    assert len(set(tokens.values())) == 2
    father = Recipient(sent)
    father.open(tokens[LUIS])
    assert not DisclosureEvent.objects.filter(disclosure=hers.disclosure, kind="opened").exists()
    assert end_guardian(ana, actor=actor_of(dana)) == 1
    assert Share.objects.get(pk=hers.pk).revoked_at is not None
    assert Share.objects.get(pk=his.pk).revoked_at is None
    assert Recipient(sent).open(tokens[ANA]).status_code == 404
    assert Recipient(sent).open(tokens[LUIS]).status_code == 200
    with pytest.raises(Conflict):
        end_guardian(ana, actor=actor_of(dana))


def test_p3_the_form_begins_with_who_acts_for_a_child(leo, ana, dana, clock):
    def first() -> dict[str, object]:
        return ShareForm(leo, leo.practice, None).initial

    make_study(leo)
    assert (first()["recipient_kind"], first()["recipient_name"]) == ("guardian", "Ana Garcia")
    assert (first()["address"], first()["language"]) == ("+1 201-555-0124", "es")
    clock.advance(days=40)
    assert (first()["recipient_kind"], first()["recipient_name"]) == ("patient", "Leo Garcia")


def test_mallory_notes_and_ends_nothing(leo, ana, mallory):
    with pytest.raises(NotFound):
        add_guardian(leo, kind="parent", name="Mal Ory", documents="Papers", actor=actor_of(mallory))
    with pytest.raises(NotFound):
        end_guardian(ana, actor=actor_of(mallory))
    browser = signed_in(mallory)
    assert browser.get(f"/desk/patients/{leo.pk}/rights").status_code == 404
    assert browser.post(f"/desk/guardians/{ana.pk}/end").status_code == 404


def test_the_desk_notes_a_guardian_on_the_page(leo, dana):
    desk = signed_in(dana)
    address = f"/desk/patients/{leo.pk}/guardians"
    again = desk.post(address, {"kind": "parent", "name": "Ana Garcia", "language": "en"})
    assert again.status_code == 422
    assert "Write down which papers you saw." in again.content.decode()
    fields = {"kind": "parent", "name": "Ana Garcia", "documents": "License", "mobile": ANA, "language": "en"}
    assert desk.post(address, fields).status_code == 302
    page = desk.get(f"/desk/patients/{leo.pk}/rights").content.decode()
    assert "Ana Garcia" in page
    assert "Seen: License. Checked by Dana Desk" in page
    (row,) = guardians_of(leo)
    assert desk.post(f"/desk/guardians/{row.pk}/end").status_code == 302
    assert guardians_of(leo) == []


def test_p4_the_form_fills_in_one_guardians_name_with_their_own_number(leo, ana, dana, clock):
    luis = add_guardian(
        leo,
        kind="guardian",
        name="Luis Garcia",
        documents="Court paper",
        email="luis@x.example",
        actor=actor_of(dana),
    )
    assert reachable(leo)["guardian"]["email"] == ""
    end_guardian(ana, actor=actor_of(dana))
    known = reachable(leo)["guardian"]
    assert (known["name"], known["text"], known["email"]) == (luis.name, "", "luis@x.example")
