"""The owner's pages about the staff: roles, accounts that close and open, lost phones. Never one's own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from portal.accounts.models import RecoveryDevice, Role, TotpDevice, User
from portal.accounts.second_factor import make_recovery_codes
from portal.audit.models import AuditEntry
from portal.audit.reading import Read, latest
from portal.errors import AccessDenied, ScanpassError
from portal.practice import staff
from portal.practice.models import Membership, Practice
from tests.cast import actor_of, make_staff, signed_in
from tests.portal.accounts.steps import browser, code_of, give_code, give_password, is_in

pytestmark = pytest.mark.django_db


def member_of(user: User) -> Membership:
    return user.memberships.get()


def ask(client: Client, user: User, verb: str, **fields: str) -> int:
    """The status of one of the buttons on the user's page."""
    return client.post(f"/desk/staff/{member_of(user).pk}/{verb}", fields).status_code


def last_entry(practice: Practice) -> Read:
    return latest(practice.pk, 1)[0]


# --- the list ------------------------------------------------------------------------------------------------------


def test_list_names_everybody_with_role_and_standing(
    smile: Practice, omar: User, dana: User, clara: User
) -> None:
    member_of(clara).user.memberships.update(is_active=False)
    TotpDevice.objects.filter(user=dana).delete()
    page = signed_in(omar).get("/desk/staff/").content.decode()
    for said in ("Omar Owner", dana.email, "Front desk", "No second step yet", "Clara Clinician", "Closed"):
        assert said in page
    assert page.index("Dana Desk") < page.index("Clara Clinician"), "those who left come last"


def test_list_leaves_out_other_practices(omar: User, mallory: User) -> None:
    assert mallory.email not in signed_in(omar).get("/desk/staff/").content.decode()


def test_only_those_who_may_see_the_way_there(omar: User, dana: User) -> None:
    assert 'href="/desk/staff/"' in signed_in(omar).get("/desk/").content.decode()
    assert 'href="/desk/staff/"' not in signed_in(dana).get("/desk/").content.decode()


# --- roles ---------------------------------------------------------------------------------------------------------


def test_new_role_holds_from_the_next_request_on(smile: Practice, omar: User, dana: User) -> None:
    at_work = signed_in(dana)
    assert at_work.get("/desk/trail/").status_code == 403
    assert ask(signed_in(omar), dana, "role", role="privacy_officer") == 302
    assert at_work.get("/desk/trail/").status_code == 200
    assert at_work.get("/desk/patients/new").status_code == 403
    entry = next(entry for entry in latest(smile.pk, 9) if entry.words == "Role changed")
    assert (entry.facts["before"], entry.facts["role"]) == ("front_desk", "privacy_officer")
    assert (entry.who, entry.private["name"]) == ("Omar Owner", "Dana Desk")


def test_same_role_again_is_no_entry(omar: User, dana: User) -> None:
    assert ask(signed_in(omar), dana, "role", role="front_desk") == 302
    assert not AuditEntry.objects.filter(code="staff.role-changed").exists()


@pytest.mark.parametrize(("role", "sentence"), [("", "Choose a role."), ("king", "Choose one of the roles.")])
def test_role_that_is_none_is_told_in_words(omar: User, dana: User, role: str, sentence: str) -> None:
    refused = signed_in(omar).post(f"/desk/staff/{member_of(dana).pk}/role", {"role": role})
    assert refused.status_code == 422
    assert sentence in refused.content.decode()
    assert member_of(dana).role == Role.FRONT_DESK


# --- accounts that close and open ----------------------------------------------------------------------------------


def test_f10_closed_account_ends_every_session_at_once(smile: Practice, omar: User, dana: User) -> None:
    at_work, on_the_phone = signed_in(dana), signed_in(dana)
    assert is_in(at_work)
    assert ask(signed_in(omar), dana, "deactivate") == 302
    assert not is_in(at_work)
    assert not is_in(on_the_phone)
    assert Session.objects.count() == 1, "the owner's own"
    assert last_entry(smile).words == "Member of staff deactivated"


def test_session_that_slipped_through_meets_the_door(omar: User, dana: User) -> None:
    ask(signed_in(omar), dana, "deactivate")
    assert signed_in(dana).get("/desk/").status_code == 403


def test_half_done_sign_in_ends_too(omar: User, dana: User) -> None:
    half_in = browser()
    give_password(half_in, dana)
    ask(signed_in(omar), dana, "deactivate")
    assert give_code(half_in, code_of(dana)).status_code in (302, 401)
    assert not is_in(half_in)


def test_closed_account_cannot_sign_in_until_it_is_opened_again(
    smile: Practice, omar: User, dana: User
) -> None:
    owner, at_work = signed_in(omar), signed_in(dana)
    ask(owner, dana, "deactivate")
    client = browser()
    give_password(client, dana)
    assert give_code(client, code_of(dana)).status_code == 403
    assert ask(owner, dana, "activate") == 302
    assert last_entry(smile).words == "Member of staff activated again"
    assert not is_in(at_work), "what was ended stays ended"
    give_password(client, dana)
    assert give_code(client, code_of(dana, steps_ahead=1)).status_code == 302


def test_second_click_is_told_that_there_was_a_first(omar: User, dana: User) -> None:
    client = signed_in(omar)
    assert [ask(client, dana, "deactivate") for _ in range(2)] == [302, 409]
    assert [ask(client, dana, "activate") for _ in range(2)] == [302, 409]
    assert AuditEntry.objects.filter(code__in=["staff.deactivated", "staff.activated"]).count() == 2


# --- lost phones ---------------------------------------------------------------------------------------------------


def test_lost_phone_ends_the_app_the_sheet_and_the_sessions(smile: Practice, omar: User, dana: User) -> None:
    make_recovery_codes(dana)
    at_work = signed_in(dana)
    assert ask(signed_in(omar), dana, "second-factor") == 302
    assert not TotpDevice.objects.filter(user=dana).exists()
    assert not RecoveryDevice.objects.filter(user=dana).exists()
    assert not is_in(at_work)
    assert last_entry(smile).words == "Second factor reset"
    client = browser()
    assert give_password(client, dana)["Location"] == "/sign-in/app"
    assert client.post("/sign-in/app", {"code": code_of(dana)}).status_code == 200
    assert is_in(client)


def test_nothing_to_reset_is_told(omar: User, dana: User) -> None:
    TotpDevice.objects.filter(user=dana).delete()
    assert ask(signed_in(omar), dana, "second-factor") == 409


# --- never oneself, never the last owner, never another practice's ---------------------------------------------------

VERBS = {
    "role": {"role": "front_desk"},
    "deactivate": {},
    "activate": {},
    "second-factor": {},
    "invitation": {},
}


@pytest.mark.parametrize("verb", VERBS)
def test_nobody_changes_their_own_account(smile: Practice, omar: User, verb: str) -> None:
    make_staff(smile, Role.OWNER, "Ota Owner")
    client = signed_in(omar)
    assert ask(client, omar, verb, **VERBS[verb]) == 403
    assert is_in(client)
    assert member_of(omar).role == Role.OWNER
    assert (
        'method="post" action="/desk/staff/'
        not in client.get(f"/desk/staff/{member_of(omar).pk}/").content.decode()
    )


@pytest.mark.parametrize("verb", VERBS)
def test_owner_next_door_finds_nobody(bright: Practice, dana: User, verb: str) -> None:
    mallory = signed_in(make_staff(bright, Role.OWNER, "Mallory Owner"))
    assert ask(mallory, dana, verb, **VERBS[verb]) == 404
    assert mallory.get(f"/desk/staff/{member_of(dana).pk}/").status_code == 404
    assert mallory.get(f"/desk/staff/{uuid4()}/").status_code == 404
    assert member_of(dana).is_active
    assert TotpDevice.objects.filter(user=dana).exists()


def test_who_is_no_owner_any_more_can_finish_nothing(smile: Practice, omar: User, dana: User) -> None:
    ota = make_staff(smile, Role.OWNER, "Ota Owner")
    before = actor_of(ota)
    staff.change_role(member_of(ota), role=Role.CLINICIAN, actor=actor_of(omar))
    for actor in (before, replace(before, practice=None), replace(before, id=None)):
        with pytest.raises(AccessDenied):
            staff.deactivate(member_of(dana), actor=actor)


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_close_each_other_at_once_leave_one(smile: Practice) -> None:
    owners = [make_staff(smile, Role.OWNER, name) for name in ("Omar Owner", "Ota Owner")]
    barrier = Barrier(2)

    def close(pair: tuple[User, User]) -> bool:
        try:
            actor, member = actor_of(pair[0]), member_of(pair[1])
            barrier.wait()
            staff.deactivate(member, actor=actor)
            return True
        except ScanpassError:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(close, [(owners[0], owners[1]), (owners[1], owners[0])]))
    assert sorted(done) == [False, True]
    assert Membership.objects.filter(is_active=True).count() == 1
