"""Making a share: all of it or nothing, nothing without consent and expiry, nothing of somebody else's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from portal.audit.models import AuditEntry
from portal.clock import now
from portal.errors import Conflict, InvalidInput, NotFound
from portal.jobs.models import Job
from portal.records.guardians import add_guardian
from portal.records.models import Disclosure, DisclosureEvent
from sharing.models import DeskTask, Message, Share
from sharing.renew import ask_renewal, renew
from sharing.resend import resend
from sharing.revoke import revoke
from sharing.status import describe
from sharing.unlock import unlock
from tests.cast import actor_of, make_patient
from tests.sharing.conftest import make_share, make_study, run_jobs, token_in


def test_r17_share_disclosure_entry_message_and_job_are_made_together(pat, dana, sent):
    add_guardian(pat, kind="representative", name="Ana Garcia", documents="Papers", actor=actor_of(dana))
    share = make_share(pat, dana, recipient_kind="guardian", recipient_name="  Ana   Garcia ")
    disclosure = Disclosure.objects.get()
    assert disclosure.recipient_name == "Ana Garcia"
    assert disclosure.recipient_address == share.address == "+12015550123"
    assert disclosure.description == "Cone-beam CT: Series 1, Series 2"
    assert (disclosure.accounting, disclosure.disclosed_by_id) == ("exempt-individual", dana.pk)
    assert AuditEntry.objects.filter(code="share.created", share_id=share.pk).count() == 1
    assert DisclosureEvent.objects.get().kind == "queued"
    assert Job.objects.get().subject_id == Message.objects.get().pk
    assert share.token_hmac is None, "the link is born in the worker"
    assert sent == []


def test_r17_if_the_entry_cannot_be_written_nothing_is_shared(pat, dana, sent, monkeypatch):
    make_study(pat)

    def broken(*args, **kwargs):
        raise RuntimeError("no trail")

    monkeypatch.setattr("portal.audit.trail.record", broken)
    with pytest.raises(RuntimeError):
        make_share(pat, dana)
    assert not Share.objects.exists()
    assert not Disclosure.objects.exists()
    assert not Message.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"consent": False}, "consent"),
        ({"consent": "yes"}, "consent"),
        ({"series": []}, "series"),
        ({"recipient_kind": "neighbour"}, "recipient_kind"),
        ({"recipient_kind": "dentist", "recipient_name": " "}, "recipient_name"),
        ({"recipient_kind": "dentist", "recipient_name": "x" * 121}, "recipient_name"),
        ({"channel": "fax"}, "channel"),
        ({"purpose": "curiosity"}, "purpose"),
        ({"language": "fr"}, "language"),
        ({"address": ""}, "address"),
        ({"address": "12345"}, "address"),
        ({"address": "+1 555 010 0199"}, "address"),
        ({"address": "+1 242 555 0123"}, "address"),
        ({"address": "+1 876 555 0123"}, "address"),
        ({"address": "+1 900 555 0123"}, "address"),
        ({"address": "+1 800 555 0123"}, "address"),
        ({"address": "+44 7400 123456"}, "address"),
        ({"address": "9" * 5000}, "address"),
        ({"channel": "email", "address": "nobody"}, "address"),
        ({"channel": "email", "address": "a@b.example\nBcc: x@y.example"}, "address"),
        ({"expires_at": None}, "expires_at"),
    ],
)
def test_what_the_desk_can_correct_is_said_beside_its_field(pat, dana, changes, field):
    make_study(pat)
    with pytest.raises(InvalidInput) as refused:
        make_share(pat, dana, **changes)
    assert refused.value.details["field"] == field
    assert not Share.objects.exists()


@pytest.mark.parametrize("days", [-1, 0, 91, 4000])
def test_r15_a_link_ends_within_the_practices_own_maximum(pat, dana, days):
    with pytest.raises(InvalidInput, match=r"until when|at most 90 days"):
        make_share(pat, dana, expires_at=now() + timedelta(days=days))
    assert make_share(pat, dana, expires_at=now() + timedelta(days=90))


def test_r15_the_database_refuses_a_share_that_never_ends(pat, dana):
    share = make_share(pat, dana)
    for ends in (None, share.created_at):
        with pytest.raises(IntegrityError), transaction.atomic():
            Share.objects.filter(pk=share.pk).update(expires_at=ends)


@pytest.mark.parametrize("typed", ["(201) 555-0123", "201.555.0123", "+1 201-555-0123", "1 201 555 0123"])
def test_a_number_is_kept_in_one_form(pat, dana, typed):
    assert make_share(pat, dana, address=typed).address == "+12015550123"


def test_an_address_is_found_by_its_index_and_stands_nowhere_in_clear(pat, dana):
    one, two = make_share(pat, dana), make_share(pat, dana, address="(201) 555-0123")
    assert one.address_index == two.address_index
    assert make_share(pat, dana, address="+12015550145").address_index != one.address_index


def test_nothing_of_another_patient_or_practice_can_be_shared(pat, dana, mallory, bright):
    study = make_study(pat)
    brother = make_patient(pat.practice, "Leo")
    with pytest.raises(NotFound):
        make_share(pat, mallory)
    with pytest.raises(NotFound):
        make_share(brother, dana, series=list(study.series.all()))
    with pytest.raises(NotFound):
        make_share(make_patient(bright), mallory, series=list(study.series.all()))
    study.state = "deleted"
    study.save()
    with pytest.raises(NotFound):
        make_share(pat, dana, series=list(study.series.all()))


def test_mallorys_desk_can_touch_no_share_of_pats(share, mallory):
    actor = actor_of(mallory)
    for act in (revoke, resend, unlock):
        with pytest.raises(NotFound):
            act(share, actor=actor)
    with pytest.raises(NotFound):
        renew(share, expires_at=now() + timedelta(days=1), actor=actor)


def test_a_resend_makes_a_new_link_and_kills_the_old(phone, share, token, dana, sent):
    phone.open(token)
    resend(share, actor=actor_of(dana))
    assert resend(share, actor=actor_of(dana)).pk == Message.objects.latest("created_at").pk
    run_jobs()
    assert len(sent) == 2, "two clicks, one message"
    fresh = token_in(sent[-1])
    assert phone.get("/s/birthdate").status_code == 401, "who came in by the old link is out"
    assert phone.open(token).status_code == 404
    assert phone.open(fresh).status_code == 200


def test_what_has_ended_is_not_sent_again(share, dana, clock):
    Share.objects.filter(pk=share.pk).update(locked_at=now())
    with pytest.raises(Conflict, match="Unlock"):
        resend(share, actor=actor_of(dana))
    revoke(share, actor=actor_of(dana))
    with pytest.raises(Conflict, match="revoked"):
        resend(share, actor=actor_of(dana))
    with pytest.raises(Conflict):
        revoke(share, actor=actor_of(dana))
    with pytest.raises(Conflict):
        renew(share, expires_at=now() + timedelta(days=1), actor=actor_of(dana))
    with pytest.raises(Conflict):
        unlock(share, actor=actor_of(dana))


def test_a_share_is_renewed_within_the_maximum_only(share, dana, clock):
    clock.advance(days=31)
    with pytest.raises(Conflict, match="expired"):
        resend(share, actor=actor_of(dana))
    assert ask_renewal(share, actor=actor_of(dana))
    assert not ask_renewal(share, actor=actor_of(dana))
    with pytest.raises(InvalidInput):
        renew(share, expires_at=now() + timedelta(days=91), actor=actor_of(dana))
    renew(share, expires_at=now() + timedelta(days=5), actor=actor_of(dana))
    assert not DeskTask.objects.filter(done_at=None).exists()
    with pytest.raises(Conflict, match="still works"):
        ask_renewal(share, actor=actor_of(dana))


def test_the_desk_reads_where_a_disclosure_stands(phone, share, token, dana, clock):
    def state() -> str:
        return describe(share.disclosure).state

    assert state() == "sent"
    phone.open(token)
    assert state() == "sent", "a robot may have pressed it"
    phone.birthdate()
    assert state() == "opened"
    phone.post("/s/code/verify", {"code": phone.ask_code()})
    assert state() == "verified"
    steps, now_state = describe(share.disclosure)
    assert [step.kind for step in steps] == ["queued", "sent", "visited", "opened", "verified"]
    assert now_state == "verified"
    Share.objects.filter(pk=share.pk).update(locked_at=now())
    assert state() == "locked"
    clock.advance(days=31)
    assert state() == "expired"
    revoke(share, actor=actor_of(dana))
    assert state() == "revoked"


def test_expiry_is_noted_once(share, clock):
    from sharing.endings import sweep_endings

    sweep_endings()
    clock.advance(days=31)
    sweep_endings()
    sweep_endings()
    assert AuditEntry.objects.filter(code="share.expired").count() == 1
    assert DisclosureEvent.objects.filter(kind="expired").count() == 1
