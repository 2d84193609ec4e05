"""The whole way of a recipient, step by step, as a script and as a browser without scripts."""

from __future__ import annotations

from django.test import RequestFactory

from portal.audit.models import AuditEntry
from portal.audit.verify import verify
from portal.records.models import DisclosureEvent
from sharing.access import release, require_access
from sharing.models import Message, Share, ShareSession
from tests.sharing.conftest import Recipient, code_in, make_share, make_study, run_jobs, token_in


def test_p0_by_json(phone, token, share):
    opened = phone.open(token).json()
    assert opened["practice"] == "Smile Dental"
    assert opened["phone"] == "+1 555 010 0199"
    assert opened["for"] == "Maria G."
    assert opened["next"] == "birthdate"
    assert phone.birthdate().json() == {"next": "code", "sent_to": "number ending 23"}
    asked = phone.post("/s/code")
    assert (asked.status_code, asked.json()) == (202, {"next": "verify", "resend_after_s": 60})
    run_jobs()
    verified = phone.post("/s/code/verify", {"code": code_in(phone.sent[-1])})
    assert verified.json() == {"next": "/s/view"}
    study = share.shared_series.first().study_id
    assert phone.get("/s/studies.json").json() == [
        {
            "id": str(study),
            "title": "Cone-beam CT",
            "manifest": f"/studies/{study}/manifest.json",
            "download": f"/studies/{study}/download",
        }
    ]


def test_by_forms(phone, token):
    to_birthdate = phone.submit("/s/open", token=f"http://127.0.0.1:8000/s/#{token}")
    assert (to_birthdate.status_code, to_birthdate["Location"]) == (303, "/s/birthdate")
    assert "Maria G." in phone.get("/s/birthdate").content.decode()
    to_code = phone.submit("/s/birthdate", year="1986", month="04", day="12")
    assert (to_code.status_code, to_code["Location"]) == (303, "/s/code")
    assert "number ending 23" in phone.get("/s/code").content.decode()
    to_verify = phone.submit("/s/code")
    assert (to_verify.status_code, to_verify["Location"]) == (303, "/s/code/verify")
    run_jobs()
    page = phone.get("/s/code/verify").content.decode()
    assert 'autocomplete="one-time-code"' in page
    to_view = phone.submit("/s/code/verify", code=code_in(phone.sent[-1]))
    assert (to_view.status_code, to_view["Location"]) == (303, "/s/view")
    view = phone.get("/s/view")
    assert view.status_code == 200
    assert 'data-face="patient"' in view.content.decode()


def test_p0_each_step_leaves_its_entry_and_its_event(phone, token, share, smile):
    phone.walk_in(token)
    codes = list(AuditEntry.objects.filter(share_id=share.pk).order_by("n").values_list("code", flat=True))
    assert codes == [
        "share.created",
        "share.sent",
        "share.visited",
        "share.matched",
        "share.code-requested",
        "share.code-sent",
        "share.verified",
    ]
    kinds = list(
        DisclosureEvent.objects.filter(disclosure=share.disclosure_id).values_list("kind", flat=True)
    )
    assert kinds == ["queued", "sent", "visited", "opened", "verified"]
    assert verify(smile.pk).finding is None


def test_every_step_changes_the_cookie_and_ends_the_session_before(phone, token):
    cookies = []
    phone.open(token)
    cookies.append(phone.cookie)
    phone.birthdate()
    cookies.append(phone.cookie)
    phone.post("/s/code/verify", {"code": phone.ask_code()})
    cookies.append(phone.cookie)
    assert len(set(cookies)) == 3
    for old in cookies[:2]:
        phone.client.cookies["share"] = old
        assert phone.get("/s/studies.json", headers={"Accept": "application/json"}).status_code == 401
    assert ShareSession.objects.filter(ended_at=None).count() == 1


def test_an_earlier_steps_session_opens_no_later_step(phone, token):
    phone.open(token)
    assert phone.post("/s/code").status_code == 403
    assert phone.post("/s/code/verify", {"code": "123456"}).status_code == 403
    assert phone.get("/s/studies.json", headers={"Accept": "application/json"}).status_code == 403
    assert phone.post("/s/renew").status_code == 403
    phone.birthdate()
    assert phone.get("/s/studies.json", headers={"Accept": "application/json"}).status_code == 403
    assert phone.birthdate().status_code == 409
    assert len(phone.sent) == 1


def test_without_a_session_nothing_opens(phone):
    for path in ("/s/birthdate", "/s/address", "/s/code", "/s/code/verify", "/s/renew", "/s/end"):
        assert phone.post(path).status_code == 401, path
    for path in (
        "/s/birthdate",
        "/s/address",
        "/s/code",
        "/s/code/verify",
        "/s/view",
        "/s/activity",
        "/s/ended",
    ):
        answer = phone.get(path)
        assert answer.status_code == 401, path
        assert "open the link in your message again" in answer.content.decode()


def test_a_dentist_types_the_address_and_never_learns_whether_it_was_right(sent, pat, dana):
    share = make_share(pat, dana, recipient_kind="dentist", recipient_name="Dr. Riley", purpose="referral")
    run_jobs()
    token = token_in(sent[-1])
    wrong, right = Recipient(sent), Recipient(sent)
    answers = []
    for browser, typed in ((wrong, "+1 201 555 0199"), (right, "(201) 555-0123")):
        opened = browser.open(token).json()
        assert (opened["for"], opened["next"]) == ("M. G.", "address")
        answers.append(browser.post("/s/address", {"address": typed}).content)
        pages = browser.get("/s/code").content
        assert b"0123" not in pages
        assert b"ending" not in pages
    assert answers[0] == answers[1]
    assert right.post("/s/code").json() == {"next": "verify", "resend_after_s": 60}
    run_jobs()
    assert len(sent) == 2
    assert right.post("/s/code/verify", {"code": code_in(sent[-1])}).status_code == 200
    Share.objects.update(code_asked_at=None)
    assert wrong.post("/s/code").json() == {"next": "verify", "resend_after_s": 60}
    run_jobs()
    assert len(sent) == 2, "a wrong address must never cause a message"
    refused = wrong.post("/s/code/verify", {"code": code_in(sent[-1])})
    assert (refused.status_code, refused.json()["tries_left"]) == (422, 4)
    share.refresh_from_db()
    assert share.match_misses == 1


def test_a_dentist_without_address_or_a_patient_with_one_is_sent_the_right_way(sent, pat, dana, phone, token):
    phone.open(token)
    assert phone.post("/s/address", {"address": "x@y.example"}).status_code == 409
    make_share(pat, dana, recipient_kind="dentist", recipient_name="Dr. Riley", purpose="referral")
    run_jobs()
    dentist = Recipient(sent)
    dentist.open(token_in(sent[-1]))
    assert dentist.birthdate().status_code == 409


def test_closing_ends_the_session_here_and_now(phone, token, share):
    phone.walk_in(token)
    key = phone.cookie
    assert phone.post("/s/end").json() == {"next": "/s/done"}
    assert phone.cookie == ""
    phone.client.cookies["share"] = key
    assert phone.get("/s/view").status_code == 401
    assert AuditEntry.objects.filter(share_id=share.pk, code="share.session-ended").count() == 1
    assert phone.get("/s/done").status_code == 200


def test_the_activity_page_tells_who_opened_it(phone, token, share):
    phone.walk_in(token)
    page = phone.get("/s/activity").content.decode()
    assert "The code was entered." in page
    assert "Maria Garcia" in page
    request = RequestFactory().get("/")
    request.COOKIES["share"] = phone.cookie
    for one in share.shared_series.all():
        release(require_access(request, one.study_id), one.series_id, level=0, frames=1, length_bytes=1)
    page = phone.get("/s/activity").content.decode()
    assert page.count("The pictures were opened.") == 1, "two series of one study are one opening"


def test_a_download_asks_for_a_fresh_code_and_gets_a_new_session(phone, token, clock):
    phone.walk_in(token)
    clock.advance(minutes=6)
    before = phone.cookie
    page = phone.get("/s/code").content.decode()
    assert "A download needs a fresh code." in page
    assert phone.post("/s/code/verify", {"code": phone.ask_code()}).json() == {"next": "/s/view"}
    assert phone.cookie != before


def test_links_are_made_from_our_own_address_and_not_from_the_host_header(phone, share, sent, dana):
    assert "http://127.0.0.1:8000/s/#" in sent[-1].body
    assert phone.get("/s/", headers={"host": "evil.example"}).status_code == 400
    assert Message.objects.count() == 1


def test_the_pages_speak_the_language_the_desk_noted_until_the_reader_chooses(sent, pat, dana):
    make_share(pat, dana, language="es")
    run_jobs()
    phone = Recipient(sent)
    phone.open(token_in(sent[-1]))
    assert "Fecha de nacimiento de Maria G." in phone.get("/s/birthdate").content.decode()
    assert phone.birthdate(month=5).json()["detail"] == "No coincide. Quedan 4 intentos para Maria G."
    phone.submit("/language", language="en", next="/s/birthdate")
    assert "Date of birth of Maria G." in phone.get("/s/birthdate").content.decode()


def test_of_several_studies_one_is_chosen_and_a_slice_is_asked_for_without_scripts(sent, pat, dana):
    first, second = make_study(pat, title="Panoramic"), make_study(pat)
    series = [*first.series.all(), *second.series.order_by("position")]
    make_share(
        pat, dana, series=series, recipient_kind="dentist", recipient_name="Dr. Riley", purpose="referral"
    )
    run_jobs()
    phone = Recipient(sent)
    phone.open(token_in(sent[-1]))
    phone.post("/s/address", {"address": "+12015550123"})
    phone.post("/s/code/verify", {"code": phone.ask_code()})
    choice = phone.get("/s/view").content.decode()
    assert f"?study={first.pk}" in choice
    assert f"?study={second.pk}" in choice
    chosen = phone.get(f"/s/view?study={first.pk}").content.decode()
    assert f'data-manifest="/studies/{first.pk}/manifest.json"' in chosen
    shown = series[-1]
    floor = phone.get(f"/s/view?series={shown.pk}&slice=7").content.decode()
    assert 'data-face="dentist"' in floor
    assert f"/studies/{second.pk}/series/{shown.pk}/slices/6.webp" in floor
    for odd in ("0", "-1", "999999", "x", "٣", "1e3", ""):
        assert phone.get(f"/s/view?series={shown.pk}&slice={odd}").status_code == 200, odd
    for wrong in (f"study={pat.pk}", "study=x", "series=x", f"series={pat.pk}"):
        assert phone.get(f"/s/view?{wrong}").status_code == 404, wrong


def test_who_is_in_reads_whom_to_call_where_something_is_refused(
    phone: Recipient, token: str, share: Share
) -> None:
    phone.open(token)
    before = phone.submit("/s/code/verify", code="123456").content.decode()
    phone.walk_in(token)
    refused = phone.submit("/s/birthdate", year="1986", month="4", day="12")
    told = refused.content.decode()
    assert share.practice.phone in told
    assert share.practice.phone not in before
