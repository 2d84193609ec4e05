"""P4 and P19: "do not release to", and restricted or deceased patients."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from portal.audit.models import AuditEntry
from portal.audit.verify import verify
from portal.errors import Conflict, InvalidInput, NotFound
from portal.records.holds import Held, names_them, permit_one, place_hold
from portal.records.models import DisclosureEvent
from portal.records.rights import Hold
from sharing.models import Share
from sharing.suspension import hold_back, release_hold
from tests.cast import actor_of, signed_in
from tests.sharing.conftest import Recipient, make_share, make_study


def test_p4_do_not_release_to_blocks_with_the_reason(pat, dana, sent):
    hold_back(pat, kind="person", name="Carlos Diaz", reason="Court order of May 3", actor=actor_of(dana))
    for name in ("Carlos Diaz", "carlos  DÍAZ", "Carlos Alberto Diaz"):
        with pytest.raises(Held, match="Court order of May 3") as caught:
            make_share(pat, dana, recipient_kind="dentist", recipient_name=name)
        assert caught.value.details["field"] == "recipient_name"
    assert not Share.objects.exists()
    assert make_share(pat, dana, recipient_kind="dentist", recipient_name="Carla Diaz").pk
    assert AuditEntry.objects.filter(code="hold.refused").count() == 3


def test_p4_by_number_whatever_the_name_is(pat, dana, sent):
    hold_back(
        pat,
        kind="person",
        name="Carlos Diaz",
        address="(201) 555-0199",
        reason="Court order",
        actor=actor_of(dana),
    )
    with pytest.raises(Held):
        make_share(pat, dana, recipient_kind="dentist", recipient_name="Somebody", address="+12015550199")


def test_p4_what_they_have_already_ends(pat, dana, sent):
    his = make_share(pat, dana, recipient_kind="dentist", recipient_name="Carlos Diaz")
    hers = make_share(pat, dana)
    assert hold_back(pat, kind="person", name="Carlos Diaz", reason="Court order", actor=actor_of(dana)) == 1
    assert Share.objects.get(pk=his.pk).revoked_at is not None
    assert Share.objects.get(pk=hers.pk).revoked_at is None


def test_p4_the_form_says_why(pat, dana, sent):
    make_study(pat)
    hold_back(pat, kind="person", name="Carlos Diaz", reason="Court order of May 3", actor=actor_of(dana))
    page = signed_in(dana).get(f"/desk/patients/{pat.pk}/").content.decode()
    assert "Do not release to this person: Carlos Diaz" in page
    assert "Court order of May 3" in page


@pytest.mark.parametrize("kind", ["restricted", "deceased"])
def test_p19_shares_are_suspended_and_new_ones_need_the_privacy_officer(
    pat, dana, olga, smile, sent, share, token, phone, kind
):
    phone.walk_in(token)
    assert hold_back(pat, kind=kind, reason="The family asked", actor=actor_of(dana)) == 1
    json = {"headers": {"Accept": "application/json"}}
    assert phone.get("/s/studies.json", **json).status_code in (401, 410)
    assert Recipient(sent).open(token).status_code == 404
    with pytest.raises(Held, match="The family asked"):
        make_share(pat, dana)
    hold = Hold.objects.get()
    permit_one(hold, reason="The executor has papers", actor=actor_of(olga))
    allowed = make_share(pat, dana)
    assert allowed.suspended_at is None
    with pytest.raises(Held):
        make_share(pat, dana)
    assert release_hold(hold, reason="All is settled now", actor=actor_of(olga)) == 1
    assert Recipient(sent).open(token).status_code == 200, "the link that was suspended works again"
    assert phone.get("/s/studies.json", **json).status_code == 401, "but not the session of then"
    assert make_share(pat, dana).pk
    kinds = list(
        DisclosureEvent.objects.filter(disclosure=share.disclosure_id)
        .order_by("pk")
        .values_list("kind", flat=True)
    )
    assert [one for one in kinds if one in ("suspended", "resumed")] == ["suspended", "resumed"]
    assert verify(smile.pk).finding is None


def test_p19_a_permission_ends_after_a_day(pat, dana, olga, sent, clock):
    place_hold(pat, kind="restricted", reason="Asked for it", actor=actor_of(dana))
    permit_one(Hold.objects.get(), reason="One copy, please", actor=actor_of(olga))
    clock.advance(hours=25)
    with pytest.raises(Held):
        make_share(pat, dana)


def test_a_second_hold_keeps_shares_stopped(pat, dana, olga, sent, share):
    hold_back(pat, kind="restricted", reason="First reason", actor=actor_of(dana))
    hold_back(pat, kind="deceased", reason="Second reason", actor=actor_of(dana))
    first, second = Hold.objects.order_by("created_at")
    assert release_hold(first, reason="No longer so", actor=actor_of(olga)) == 0
    assert Share.objects.get(pk=share.pk).suspended_at is not None
    assert release_hold(second, reason="A mistake, alive", actor=actor_of(olga)) == 1
    assert Share.objects.get(pk=share.pk).suspended_at is None
    with pytest.raises(Conflict):
        release_hold(second, reason="Once more, please", actor=actor_of(olga))


def test_a_hold_says_why_and_stands_once(pat, dana, mallory):
    with pytest.raises(InvalidInput):
        place_hold(pat, kind="restricted", reason="", actor=actor_of(dana))
    with pytest.raises(InvalidInput):
        place_hold(pat, kind="person", reason="Court order", actor=actor_of(dana))
    place_hold(pat, kind="restricted", reason="Asked for it", actor=actor_of(dana))
    with pytest.raises(Conflict):
        place_hold(pat, kind="restricted", reason="Asked again", actor=actor_of(dana))
    with pytest.raises(NotFound):
        place_hold(pat, kind="deceased", reason="Mischief", actor=actor_of(mallory))
    with pytest.raises(NotFound):
        release_hold(Hold.objects.get(), reason="Mischief", actor=actor_of(mallory))


def test_the_desk_may_stop_and_only_the_privacy_officer_may_go_on(pat, dana, olga, mallory, sent, share):
    desk, officer = signed_in(dana), signed_in(olga)
    placed = desk.post(
        f"/desk/patients/{pat.pk}/holds", {"kind": "restricted", "reason": "The patient asked"}
    )
    assert placed.status_code == 302
    hold = Hold.objects.get()
    assert desk.post(f"/desk/holds/{hold.pk}/lift", {"reason": "We want to"}).status_code == 403
    assert desk.post(f"/desk/holds/{hold.pk}/permit", {"reason": "We want to"}).status_code == 403
    assert signed_in(mallory).post(f"/desk/holds/{hold.pk}/lift", {"reason": "Mischief"}).status_code in (
        403,
        404,
    )
    assert officer.post(f"/desk/holds/{hold.pk}/lift", {"reason": ""}).status_code == 422
    assert officer.post(f"/desk/holds/{hold.pk}/permit", {"reason": "One for the court"}).status_code == 302
    assert "One share allowed until" in officer.get(f"/desk/patients/{pat.pk}/rights").content.decode()
    assert officer.post(f"/desk/holds/{hold.pk}/lift", {"reason": "It is settled"}).status_code == 302
    assert Share.objects.get(pk=share.pk).suspended_at is None


@pytest.mark.parametrize(
    ("held", "given", "same"),
    [
        ("Carlos Diaz", "Díaz, Carlos", True),
        ("Carlos Diaz", "Carlos", True),
        ("Carlos Diaz", "Carlos Gomez", False),
        ("Carlos Diaz", "", False),
    ],
)
def test_whose_name_it_is(held, given, same):
    assert names_them(Hold(name=held), given, "") is same


@pytest.mark.django_db(transaction=True)
def test_one_permission_is_one_share_however_many_try_at_once(pat, dana, olga, sent):
    make_study(pat)
    place_hold(pat, kind="restricted", reason="Asked for it", actor=actor_of(dana))
    permit_one(Hold.objects.get(), reason="One copy, please", actor=actor_of(olga))

    def attempt(_number):
        try:
            make_share(pat, dana)
        except Held:
            return "held"
        finally:
            connection.close()
        return "made"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(16)))
    assert answers.count("made") == 1
    assert Share.objects.count() == 1


def test_p4_the_reason_of_a_hold_stands_on_the_share_form_and_comes_before_a_guardians_papers(pat, dana):
    make_study(pat)
    place_hold(pat, kind="person", name="Carlos Garcia", reason="Court order of May 3.", actor=actor_of(dana))
    page = signed_in(dana).get(f"/desk/patients/{pat.pk}/share").content.decode()
    assert "Carlos Garcia.</strong> Court order of May 3." in page
    with pytest.raises(Held, match=r"Court order of May 3\."):
        make_share(pat, dana, recipient_kind="guardian", recipient_name="Carlos Garcia")
