"""The desk's pages about messages: the state and the reason of each, and what can be done, in plain words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Playwright, expect

from portal.practice.models import Agreement
from sharing.models import Message
from sharing.opted_out import opt_out
from sharing.reports import delivered, undelivered
from sharing.troubles import SENTENCES, Trouble
from tests.cast import signed_in
from tests.chromium import AXE_OPTIONS, launch
from tests.sharing.conftest import PHONE, make_share, run_jobs

PICTURES = os.environ.get("SCANPASS_PICTURES")


def shares_page(user: Any, patient: Any) -> str:
    return signed_in(user).get(f"/desk/patients/{patient.pk}/shares").content.decode()


def test_a_text_the_vendor_took_is_not_called_delivered(pat, dana, twilio):
    make_share(pat, dana)
    run_jobs()
    page = shares_page(dana, pat)
    assert "the phone has not confirmed it yet" in page
    delivered(Message.objects.get().pk, gateway="twilio")
    page = shares_page(dana, pat)
    assert "Delivered" in page
    assert "not confirmed" not in page


def test_f8_the_desk_sees_which_message_waits_why_and_until_when_and_sends_it_on(pat, dana, twilio):
    ends_on = Agreement.objects.get().ends_on
    Agreement.objects.update(ends_on="2020-01-02")
    make_share(pat, dana)
    run_jobs()
    client = signed_in(dana)
    page = client.get(f"/desk/patients/{pat.pk}/shares").content.decode()
    message = Message.objects.get()
    assert "Link waiting" in page
    assert SENTENCES[Trouble.NO_AGREEMENT] in page
    assert "Next try" in page
    assert "/letter" in page, "a letter is offered"
    assert "A message waits to be sent" in client.get("/desk/tasks").content.decode()
    Agreement.objects.update(ends_on=ends_on)
    assert client.post(f"/desk/messages/{message.pk}/now").status_code == 302
    run_jobs()
    assert len(twilio.texts) == 1
    assert "Link waiting" not in client.get(f"/desk/patients/{pat.pk}/shares").content.decode()
    assert client.post(f"/desk/messages/{message.pk}/now").status_code == 409


def test_p9_a_landline_offers_another_number_e_mail_and_a_letter(pat, dana, twilio):
    share = make_share(pat, dana)
    run_jobs()
    undelivered(Message.objects.get().pk, Trouble.LANDLINE, gateway="twilio")
    page = shares_page(dana, pat)
    assert "Link not delivered" in page
    assert "landline" in page
    assert "Another number or e-mail" in page
    assert f"/desk/shares/{share.pk}/letter" in page


def test_p11_an_opted_out_number_shows_stop_and_no_resend(pat, dana, twilio):
    share = make_share(pat, dana)
    run_jobs()
    assert f"/desk/shares/{share.pk}/resend" in shares_page(dana, pat)
    opt_out(PHONE)
    page = shares_page(dana, pat)
    assert "stopped texts" in page
    assert "START" in page
    assert f"/desk/shares/{share.pk}/resend" not in page


def test_the_piece_that_refreshes_itself_sees_a_new_state(pat, dana, twilio):
    make_share(pat, dana)
    run_jobs()
    client = signed_in(dana)
    seen = client.get(f"/desk/patients/{pat.pk}/shares").context["seen"]
    asked = {"headers": {"HX-Request": "true", "X-Background": "1"}}
    assert client.get(f"/desk/patients/{pat.pk}/shares?seen={seen}", **asked).status_code == 204
    delivered(Message.objects.get().pk, gateway="twilio")
    assert client.get(f"/desk/patients/{pat.pk}/shares?seen={seen}", **asked).status_code == 200


def test_mallory_of_another_practice_sends_nothing_now(pat, dana, mallory, twilio):
    Agreement.objects.update(ends_on="2020-01-02")
    make_share(pat, dana)
    run_jobs()
    path = f"/desk/messages/{Message.objects.get().pk}/now"
    assert signed_in(mallory).post(path).status_code == 404
    assert signed_in(dana).get(path).status_code == 405


def test_every_trouble_has_a_sentence_that_fits_its_column():
    assert set(SENTENCES) == set(Trouble)
    assert max(map(len, SENTENCES.values())) <= Message._meta.get_field("failure").max_length


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_states_look_right_and_axe_minds_nothing(pat, dana, twilio, live_server, playwright: Playwright):
    made = {}
    for name in ("delivered", "landline", "held", "sent", "stopped"):
        address = {"stopped": "+12065550148"}.get(name, PHONE)
        made[name] = make_share(pat, dana, address=address)
        if name == "held":
            Agreement.objects.update(ends_on="2020-01-02")
        run_jobs()
        Agreement.objects.update(ends_on="2099-01-01")
    link = {name: Message.objects.get(share=share).pk for name, share in made.items()}
    delivered(link["delivered"], gateway="twilio")
    undelivered(link["landline"], Trouble.LANDLINE, gateway="twilio")
    opt_out("+12065550148")
    cookies = [
        {"name": name, "value": morsel.value, "url": live_server.url}
        for name, morsel in signed_in(dana).cookies.items()
    ]
    browser = launch(playwright)
    for width in (1280, 390):
        context = browser.new_context(viewport={"width": width, "height": 900}, base_url=live_server.url)
        context.add_cookies(cookies)
        page = context.new_page()
        page.goto(f"/desk/patients/{pat.pk}/shares")
        expect(page.get_by_role("button", name="Send now")).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page, options=AXE_OPTIONS)
        assert found.violations_count == 0, found.generate_report()
        if PICTURES:
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{PICTURES}/messages-{width}.png", full_page=True)
        context.close()
    browser.close()
