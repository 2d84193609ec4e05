"""P18: a patient passes a scan on to a dentist of their choice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.audit.models import AuditEntry
from portal.audit.verify import verify
from portal.clock import now
from portal.errors import InvalidInput
from portal.records.models import Disclosure, DisclosureEvent
from sharing import limits
from sharing.activity import UNTOLD, activity_of, told
from sharing.extend import extend
from sharing.models import Message, Share
from sharing.renew import renew
from sharing.revoke import revoke
from sharing.suspension import hold_back
from tests.cast import actor_of, signed_in
from tests.sharing.conftest import Recipient, make_share, make_study, run_jobs, token_in

DENTIST = "riley@endo.example"


def fields(share, **changes):
    study = str(share.shared_series.first().study_id)
    return {
        "study": study,
        "name": "Dr. Riley Chen",
        "address": DENTIST,
        "days": "7",
        "can": "view",
        **changes,
    }


@pytest.fixture
def patient(phone, token):
    """Pat, inside her own share."""
    phone.walk_in(token)
    return phone


def walk_in_as_dentist(sent, address=DENTIST):
    dentist = Recipient(sent)
    assert dentist.open(token_in(sent[-1])).json()["next"] == "address"
    assert dentist.post("/s/address", {"address": address}).status_code == 200
    assert dentist.post("/s/code").status_code == 202
    run_jobs()
    code = next(message.body for message in reversed(sent) if message.kind == "code")[:6]
    assert dentist.post("/s/code/verify", {"code": code}).status_code == 200
    run_jobs()
    return dentist


def test_p18_the_patient_sends_is_told_and_ends_it(patient, share, sent, smile, dana):
    done = patient.submit("/s/dentist", **fields(share))
    assert (done.status_code, done["Location"]) == (303, "/s/dentist")
    child = Share.objects.get(reshare__parent=share)
    assert child.disclosure.disclosed_by is None
    assert (child.disclosure.purpose, child.disclosure.accounting) == ("second-opinion", "exempt-authorized")
    assert child.allows_download is False
    assert timedelta(days=6) < child.expires_at - now() <= timedelta(days=7)
    run_jobs()
    assert sent[-1].to == DENTIST
    dentist = walk_in_as_dentist(sent)
    assert dentist.get("/s/view").status_code == 200
    notice = sent[-1]
    assert (notice.to, notice.kind) == (share.address, "notice")
    assert "has opened it" in notice.body
    assert not any(word in notice.body for word in ("Maria", "Garcia", "Riley", "#"))
    page = patient.get("/s/dentist").content.decode()
    assert "Dr. Riley Chen" in page
    lines = [(line.who, line.words) for line in activity_of(share)]
    assert ("Dr. Riley Chen", "The code was entered.") in lines
    assert patient.submit(f"/s/dentist/{child.pk}/end").status_code == 303
    json = {"headers": {"Accept": "application/json"}}
    assert dentist.get("/s/studies.json", **json).status_code in (401, 410)
    assert activity_of(share)[0][1:] == ("Dr. Riley Chen", "You ended the link.")
    desk = signed_in(dana).get(f"/desk/patients/{share.patient_id}/shares").content.decode()
    assert "sent by the patient" in desk
    assert (
        "The patient shared"
        in signed_in(dana).get(f"/desk/patients/{share.patient_id}/timeline").content.decode()
    )
    assert AuditEntry.objects.filter(code="share.passed-on", share_id=share.pk).count() == 1
    assert verify(smile.pk).finding is None


def test_p18_told_at_every_open(patient, share, sent, clock):
    patient.submit("/s/dentist", **fields(share))
    run_jobs()
    link = sent[-1]
    for opening in range(1, 4):
        sent.append(link)
        walk_in_as_dentist(sent)
        assert len([message for message in sent if message.kind == "notice"]) == opening
        clock.advance(minutes=6)


def test_p18_never_longer_than_the_patients_own(patient, share, dana, sent, clock):
    patient.submit("/s/dentist", **fields(share, days="30"))
    child = Share.objects.get(reshare__parent=share)
    assert child.expires_at == share.expires_at
    for verb in (extend, renew):
        with pytest.raises(InvalidInput, match="can't last longer"):
            verb(child, expires_at=share.expires_at + timedelta(days=1), actor=actor_of(dana))


def test_p18_never_more_than_the_patients_own(pat, dana, sent):
    own = make_share(pat, dana, allows_download=False)
    run_jobs()
    link = token_in(sent[-1])
    hidden = make_study(pat, title="Not shared")
    patient = Recipient(sent)
    patient.walk_in(link)
    assert 'value="download"' not in patient.get("/s/dentist").content.decode()
    assert patient.submit("/s/dentist", **fields(own, can="download")).status_code == 400
    assert patient.submit("/s/dentist", **fields(own, study=str(hidden.pk))).status_code == 404
    assert patient.submit("/s/dentist", **fields(own, days="365")).status_code == 400
    assert patient.submit("/s/dentist", **fields(own, days="")).status_code == 400
    assert patient.submit("/s/dentist", **fields(own, study="nonsense")).status_code == 400
    assert Share.objects.count() == 1


def test_p18_some_of_several_studies(pat, dana, sent):
    ct, panoramic = make_study(pat), make_study(pat, title="Panoramic", series=1)
    own = make_share(pat, dana, series=[*ct.series.all(), *panoramic.series.all()])
    run_jobs()
    patient = Recipient(sent)
    patient.walk_in(token_in(sent[-1]))
    page = patient.get("/s/dentist").content.decode()
    assert page.count('name="study"') == 2
    patient.submit("/s/dentist", **fields(own, study=str(panoramic.pk)))
    child = Share.objects.get(reshare__parent=own)
    assert {row.study_id for row in child.shared_series.all()} == {panoramic.pk}
    assert child.disclosure.description == "Panoramic: Series 1"


def test_p18_what_is_typed_wrong_is_kept_and_said(patient, share):
    again = patient.submit("/s/dentist", **fields(share, address="riley"))
    assert again.status_code == 400
    page = again.content.decode()
    assert "Dr. Riley Chen" in page
    assert "There is a problem" in page
    assert patient.submit("/s/dentist", **fields(share, name="")).status_code == 400


def test_p18_a_dentist_passes_nothing_on(pat, dana, sent):
    make_share(
        pat, dana, recipient_kind="dentist", recipient_name="Dr. Chen", channel="email", address=DENTIST
    )
    run_jobs()
    dentist = walk_in_as_dentist(sent)
    assert dentist.get("/s/dentist").status_code == 403
    assert (
        dentist.submit("/s/dentist", study="x", name="Dr. Two", address="a@b.example", days="7").status_code
        == 403
    )
    assert "Send to a dentist" not in dentist.get("/s/activity").content.decode()


def test_p18_ends_with_the_patients_own_share(patient, share, dana, sent):
    patient.submit("/s/dentist", **fields(share))
    child = Share.objects.get(reshare__parent=share)
    revoke(Share.objects.get(pk=share.pk), actor=actor_of(dana))
    assert Share.objects.get(pk=child.pk).revoked_at is not None


def test_p18_a_hold_stops_it_without_telling_why(patient, share, pat, dana, sent):
    hold_back(pat, kind="person", name="Riley Chen", reason="Court order of May 3", actor=actor_of(dana))
    refused = patient.submit("/s/dentist", **fields(share))
    assert refused.status_code == 400
    assert "Court order" not in refused.content.decode()
    assert "Please call your dental office" in refused.content.decode()


def test_p18_five_at_a_time(patient, share, monkeypatch):
    monkeypatch.setattr(limits, "PASSED_ON_DAY", limits.Cap("passed-on", 100, 86_400))
    for number in range(5):
        assert (
            patient.submit("/s/dentist", **fields(share, address=f"d{number}@x.example")).status_code == 303
        )
    sixth = patient.submit("/s/dentist", **fields(share, address="d6@x.example"))
    assert sixth.status_code == 400
    assert "End one of them first" in sixth.content.decode()


def test_p18_mallory_ends_nothing_of_ours(patient, share, mallory, bright, sent):
    from tests.cast import make_patient

    patient.submit("/s/dentist", **fields(share))
    child = Share.objects.get(reshare__parent=share)
    make_share(make_patient(bright, "Mallory", "Other"), mallory, address="+12015550150")
    run_jobs()
    other = Recipient(sent)
    other.walk_in(token_in(next(message for message in reversed(sent) if message.to == "+12015550150")))
    assert other.submit(f"/s/dentist/{child.pk}/end").status_code == 404
    assert other.submit(f"/s/dentist/{share.pk}/end").status_code == 404
    assert Recipient(sent).get("/s/dentist").status_code in (302, 401)
    assert Share.objects.get(pk=child.pk).revoked_at is None


def test_the_notices_have_a_cap_that_keeps_no_dentist_out(patient, share, sent, monkeypatch, clock):
    monkeypatch.setattr(limits, "NOTICES_DAY", limits.Cap("notices", 1, 86_400))
    patient.submit("/s/dentist", **fields(share))
    run_jobs()
    link = sent[-1]
    for _ in range(2):
        sent.append(link)
        walk_in_as_dentist(sent)
        clock.advance(minutes=6)
    assert Message.objects.filter(kind="notice").count() == 1


@pytest.mark.parametrize("kind", [kind for kind in DisclosureEvent.Kind if kind not in UNTOLD])
def test_the_patient_is_told_of_every_kind_of_event(kind):
    assert told(DisclosureEvent(kind=kind, facts={})).endswith(".")


def test_every_purpose_and_recipient_has_words():
    from portal.records.accounting import purpose_in_words, role_in_words

    assert all(purpose_in_words(one) for one in Disclosure.Purpose.values)
    assert all(role_in_words(one) for one in Disclosure.Recipient.values)
