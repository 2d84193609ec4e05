"""All shares of the practice on one page: which are shown, what is ended at once, and for whom."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.clock import now
from portal.records.disclosures import note
from portal.records.models import DisclosureEvent, Patient
from sharing.live_shares import ROWS_A_PAGE, Filters, find_shares
from sharing.models import DeskTask, Share
from sharing.revoke import revoke
from sharing.todo import add_task
from tests.cast import actor_of, make_patient, signed_in
from tests.sharing.conftest import make_share

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(dana: User) -> Client:
    return signed_in(dana)


def shown(client: Client, query: str = "") -> list[str]:
    """The patients of the rows, in order."""
    page = client.get(f"/desk/shares/?{query}").content.decode()
    return re.findall(r'<th scope="row"><a [^>]*>([^<]+), ', page)


def shares_of(dana: User, *names: str) -> dict[str, Share]:
    made = {}
    for name in names:
        patient = make_patient(dana.memberships.get().practice, family_name=name)
        made[name] = make_share(patient, dana)
    return made


def test_states_are_told_apart(client: Client, dana: User) -> None:
    made = shares_of(dana, "Working", "Opened", "Locked", "Unsent", "Expired", "Revoked")
    Share.objects.filter(pk=made["Locked"].pk).update(locked_at=now())
    Share.objects.filter(pk=made["Expired"].pk).update(
        expires_at=made["Expired"].created_at + timedelta(microseconds=1)
    )
    revoke(made["Revoked"], actor=actor_of(dana))
    with transaction.atomic():
        note(made["Opened"].disclosure_id, DisclosureEvent.Kind.OPENED)
        add_task(made["Unsent"], DeskTask.Kind.SEND_FAILED)
    assert set(shown(client)) == {"Working", "Opened", "Locked", "Unsent"}
    assert set(shown(client, "state=working")) == {"Working", "Opened", "Unsent"}
    assert set(shown(client, "state=unopened")) == {"Working", "Unsent"}
    assert set(shown(client, "state=trouble")) == {"Locked", "Unsent"}
    assert shown(client, "state=expired") == ["Expired"]
    assert shown(client, "state=revoked") == ["Revoked"]
    assert len(shown(client, "state=all")) == 6
    assert shown(client, "state=everything&page=-3&by=nobody") == shown(client)


def test_recipients_endings_and_issuers_are_told_apart(client: Client, dana: User, clara: User) -> None:
    made = shares_of(dana, "Mine", "Soon")
    Share.objects.filter(pk=made["Soon"].pk).update(expires_at=now() + timedelta(days=3))
    other = make_patient(dana.memberships.get().practice, family_name="Hers")
    make_share(other, clara, recipient_kind="dentist", recipient_name="Dr. Riley")
    assert shown(client, "ending=soon") == ["Soon"]
    assert shown(client, "kind=dentist") == ["Hers"]
    assert shown(client, f"by={clara.pk}") == ["Hers"]
    assert shown(client)[0] == "Soon"


def test_list_is_left_alone_until_something_changes(client: Client, dana: User) -> None:
    share = shares_of(dana, "Garcia")["Garcia"]
    page = client.get("/desk/shares/").content.decode()
    address = re.search(r'hx-get="([^"]+)"', page)
    assert address
    piece = address[1].replace("&amp;", "&")
    assert client.get(piece, headers={"hx-request": "true"}).status_code == 204
    with transaction.atomic():
        note(share.disclosure_id, DisclosureEvent.Kind.VIEWED)
    changed = client.get(piece, headers={"hx-request": "true"})
    assert changed.status_code == 200
    assert "Viewed" in changed.content.decode()


def test_ticked_shares_end_together_each_with_its_entry(client: Client, dana: User) -> None:
    made = shares_of(dana, "One", "Two", "Three")
    revoke(made["Two"], actor=actor_of(dana))
    ticked = [made["One"].pk, made["Two"].pk]
    answer = client.post("/desk/shares/revoke", {"share": ticked, "state": "working", "kind": "patient"})
    assert answer["Location"] == "/desk/shares/?state=working&kind=patient&page=1"
    assert "1 share ended" in client.get(answer["Location"]).content.decode()
    assert Share.objects.filter(revoked_at=None).get() == made["Three"]
    assert AuditEntry.objects.filter(code="share.revoked").count() == 2


def test_nothing_ends_when_one_of_the_ticked_is_foreign(
    client: Client, dana: User, mallory: User, bright: object
) -> None:
    own = shares_of(dana, "Own")["Own"]
    foreign = make_share(make_patient(mallory.memberships.get().practice), mallory)
    assert client.post("/desk/shares/revoke", {"share": [own.pk, foreign.pk]}).status_code == 404
    assert client.post("/desk/shares/revoke", {"share": "x"}).status_code == 400
    assert not Share.objects.filter(revoked_at__isnull=False).exists()


def test_other_practices_see_none_of_it(dana: User, mallory: User) -> None:
    shares_of(dana, "Garcia")
    assert shown(signed_in(mallory)) == []


def test_f10_a_leavers_shares_are_listed_to_keep_or_end(dana: User, clara: User, omar: User) -> None:
    shares_of(dana, "Garcia")
    owner = signed_in(omar)
    member = dana.memberships.get()
    owner.post(f"/desk/staff/{member.pk}/deactivate")
    page = owner.get(f"/desk/staff/{member.pk}/").content.decode()
    assert f"/desk/shares/?by={dana.pk}" in page
    assert shown(owner, f"by={dana.pk}") == ["Garcia"]


def test_long_list_has_pages(dana: User, pat: Patient) -> None:
    for number in range(ROWS_A_PAGE + 1):
        make_share(pat, dana, channel="email", address=f"maria{number}@example.com")
    first = find_shares(pat.practice_id, Filters())
    assert (len(first.rows), first.total, first.has_next) == (ROWS_A_PAGE, ROWS_A_PAGE + 1, True)
    assert first.pages == 2
    assert len(find_shares(pat.practice_id, Filters(page=2)).rows) == 1
