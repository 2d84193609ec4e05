"""P10, no phone at all: a printed letter with a QR code, and a code on a slip of its own."""

from __future__ import annotations

import random
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from portal.audit.models import AuditEntry
from portal.errors import CodeRefused, Conflict, InvalidInput, NotFound
from portal.records.models import DisclosureEvent
from sharing.desk_code import CHARS, grouped, is_desk_code, make_desk_code, parsed_desk_code
from sharing.letter import print_letter
from sharing.letter_pdf import letter_pdf
from sharing.matching import give_birthdate
from sharing.models import Message, Share, ShareSession
from sharing.opening import open_link
from sharing.paper import DeskCode
from sharing.resend import resend
from sharing.slip import verify_desk_code
from tests.cast import actor_of, signed_in
from tests.sharing.conftest import make_share, run_jobs


@pytest.fixture
def paper(pat, dana, sent):
    """A share of Pat's that goes by letter, and the letter."""
    share = make_share(pat, dana, channel="letter", address="")
    return print_letter(share, actor=actor_of(dana))


def token_of(letter):
    return letter.link.rpartition("#")[2]


# --- the code itself -----------------------------------------------------------------------------------------------


def test_every_single_slip_of_the_pen_and_every_swap_is_found():
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    code = make_desk_code()
    wrong = {code[:at] + letter + code[at + 1 :] for at in range(len(code)) for letter in alphabet}
    for first in range(len(code)):
        for second in range(first):
            letters = list(code)
            letters[first], letters[second] = letters[second], letters[first]
            wrong.add("".join(letters))
    wrong.discard(code)
    assert len(wrong) >= 13 * 31
    for typed in wrong:
        with pytest.raises(InvalidInput):
            parsed_desk_code(typed)


def test_a_code_is_read_as_people_type_it():
    code = make_desk_code()
    assert re.fullmatch(r"\w{4}-\w{4}-\w{5}", grouped(code))
    for typed in (grouped(code), code.lower(), " ".join(code), code.replace("0", "o").replace("1", "l")):
        assert parsed_desk_code(typed) == code
    for typed in ("", "123456", "U" * 13, code + "0", "🦷" * 13, "０" * 13):
        with pytest.raises(InvalidInput):
            parsed_desk_code(typed)


def test_codes_have_sixty_random_bits():
    codes = [make_desk_code() for _ in range(200)]
    assert len(set(codes)) == 200
    for place in range(CHARS):
        assert len({code[place] for code in codes}) > 20


# --- the letter ----------------------------------------------------------------------------------------------------


def test_p10_no_phone_at_all(paper, phone, sent):
    share = paper.share
    assert phone.open(token_of(paper)).status_code == 200
    answer = phone.birthdate()
    assert answer.json() == {"next": "slip", "sent_to": "paper slip from your dental office"}
    assert "Type the code from the slip" in phone.get("/s/slip").content.decode()
    assert phone.get("/s/code")["Location"] == "/s/slip"
    assert phone.post("/s/code").status_code == 409
    assert phone.post("/s/slip", {"code": paper.code.lower()}).json() == {"next": "/s/view"}
    assert phone.get("/s/view").status_code == 200
    run_jobs()
    assert sent == []
    assert not Message.objects.exists()
    kinds = list(
        DisclosureEvent.objects.filter(disclosure=share.disclosure_id)
        .order_by("pk")
        .values_list("kind", flat=True)
    )
    assert kinds == ["printed", "visited", "opened", "verified"]
    codes = list(AuditEntry.objects.filter(share_id=share.pk).order_by("n").values_list("code", flat=True))
    assert codes == [
        "share.created",
        "share.letter-printed",
        "share.visited",
        "share.matched",
        "share.verified",
    ]


def test_p10_by_plain_forms_and_typed_keys(paper, phone):
    typed = phone.submit("/s/paste", token=paper.key)
    assert typed["Location"] == "/s/birthdate"
    to_slip = phone.submit("/s/birthdate", year="1986", month="4", day="12")
    assert (to_slip.status_code, to_slip["Location"]) == (303, "/s/slip")
    wrong = phone.submit("/s/slip", code="0000-0000-00000")
    assert wrong.status_code == 422
    assert "14 tries left" in wrong.content.decode()
    assert phone.submit("/s/slip", code=paper.code)["Location"] == "/s/view"


def test_a_slip_of_the_pen_is_no_try(paper, phone):
    phone.open(token_of(paper))
    phone.birthdate()
    at = next(at for at in range(13) if paper.code[at] not in "-0")
    mistyped = paper.code[:at] + "0" + paper.code[at + 1 :]
    assert phone.post("/s/slip", {"code": mistyped}).status_code == 400
    assert Share.objects.get(pk=paper.share.pk).code_failures == 0


def test_nothing_readable_is_kept(paper):
    kept = DeskCode.objects.get()
    assert paper.code not in repr(paper)
    assert token_of(paper) not in repr(paper)
    code = parsed_desk_code(paper.code)
    assert code.encode() not in bytes(kept.code_hmac)
    assert is_desk_code(code, bytes(kept.code_hmac), share=paper.share.pk)
    assert not is_desk_code(code, bytes(kept.code_hmac), share=kept.pk)


def test_printing_again_kills_the_letter_before(paper, phone, dana):
    again = print_letter(paper.share, actor=actor_of(dana))
    assert phone.open(token_of(paper)).status_code == 404
    phone.open(token_of(again))
    phone.birthdate()
    assert phone.post("/s/slip", {"code": paper.code}).status_code == 422
    assert phone.post("/s/slip", {"code": again.code}).status_code == 200


def test_a_letter_instead_of_a_text_and_back(share, token, phone, dana, sent):
    paper = print_letter(share, actor=actor_of(dana))
    assert phone.open(token).status_code == 404, "the texted link died when the letter was printed"
    resend(Share.objects.get(pk=share.pk), actor=actor_of(dana))
    run_jobs()
    assert phone.open(token_of(paper)).status_code == 404, "a new text kills the letter"
    phone.walk_in(sent[-1].body.rpartition("#")[2][:22])
    with pytest.raises(Conflict):
        verify_desk_code(_verified(share), parsed_desk_code(paper.code), address="")


def _verified(share):
    return ShareSession.objects.select_related("share").get(share=share, step="verified")


def test_a_text_that_waits_is_given_up_when_a_letter_is_printed(pat, dana, sent, phone):
    share = make_share(pat, dana)
    paper = print_letter(share, actor=actor_of(dana))
    run_jobs()
    assert sent == []
    assert phone.open(token_of(paper)).status_code == 200


def test_letters_are_refused_where_they_make_no_sense(pat, dana, mallory, share):
    with pytest.raises(InvalidInput):
        make_share(pat, dana, channel="letter", recipient_kind="dentist", recipient_name="Dr. Chen")
    dentists = make_share(pat, dana, recipient_kind="dentist", recipient_name="Dr. Chen")
    with pytest.raises(InvalidInput):
        print_letter(dentists, actor=actor_of(dana))
    with pytest.raises(NotFound):
        print_letter(share, actor=actor_of(mallory))
    letters = make_share(pat, dana, channel="letter", address="12 Elm Street")
    with pytest.raises(Conflict):
        resend(letters, actor=actor_of(dana))


def test_fifteen_wrong_codes_lock_the_share_over_all_letters(paper, phone, dana):
    letter = paper
    for n in range(15):
        if n == 7:
            letter = print_letter(paper.share, actor=actor_of(dana))
        if n in (0, 7):
            phone.client.cookies.clear()
            phone.open(token_of(letter))
            phone.birthdate()
        assert phone.post("/s/slip", {"code": "0000-0000-00000"}).status_code in (422, 429), n
    assert Share.objects.get(pk=paper.share.pk).locked_at is not None
    assert phone.post("/s/slip", {"code": letter.code}).status_code == 410


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_guesses_at_once_fifteen_are_compared(paper, monkeypatch):
    import sharing.slip

    compared = []
    real = sharing.slip.is_desk_code

    def counting(*args, **named):
        compared.append(1)
        return real(*args, **named)

    monkeypatch.setattr(sharing.slip, "is_desk_code", counting)
    opened = open_link(token_of(paper), address="")
    matched = give_birthdate(opened.session, paper.share.patient.birthdate, address="")

    def guess(number):
        try:
            verify_desk_code(matched.session, f"{number:013d}", address="")
        except CodeRefused:
            return "refused"
        except Exception as error:
            return type(error).__name__
        finally:
            connection.close()
        return "in"

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(guess, range(100)))
    assert "in" not in answers
    assert set(answers) <= {"refused", "Gone"}
    assert len(compared) == 15
    assert Share.objects.get(pk=paper.share.pk).code_failures == 15


# --- on paper ------------------------------------------------------------------------------------------------------


def test_the_desk_prints_page_and_pdf(pat, dana, sent, mallory):
    share = make_share(pat, dana, channel="letter", address="", language="es")
    desk = signed_in(dana)
    about = desk.get(f"/desk/shares/{share.pk}/letter")
    assert about.status_code == 200
    assert not DeskCode.objects.exists(), "looking prints nothing"
    page = desk.post(f"/desk/shares/{share.pk}/letter", {"as": "page"})
    words = page.content.decode()
    assert page["Cache-Control"] == "no-store"
    assert '<html lang="es">' in words
    assert "Su código" in words
    assert re.search(r"\w{4}-\w{4}-\w{5}", words)
    assert "<svg" in words
    pdf = desk.post(f"/desk/shares/{share.pk}/letter", {"as": "pdf"})
    assert pdf.content.startswith(b"%PDF-")
    assert pdf["Content-Disposition"] == 'inline; filename="letter.pdf"'
    assert b"Garcia" not in pdf.headers["Content-Disposition"].encode()
    assert DeskCode.objects.count() == 2
    assert signed_in(mallory).post(f"/desk/shares/{share.pk}/letter").status_code == 404


@pytest.mark.parametrize(
    ("name", "has_pdf"), [("José Núñez", True), ("Łukasz Żółć", False), ("李小龙", False)]
)
def test_no_pdf_is_offered_that_would_lose_the_name(pat, dana, sent, name, has_pdf):
    share = make_share(pat, dana, channel="letter", address="", recipient_name=name)
    page = signed_in(dana).get(f"/desk/shares/{share.pk}/letter").content.decode()
    assert ("Make the PDF" in page) is has_pdf
    assert "Show it as a page to print" in page


@pytest.mark.parametrize("name", ["Ana <b>García</b> & Söhne", "Łukasz Żółć", "李小龙", "\x00\n\t"])
def test_names_are_text_and_never_markup(pat, dana, sent, name):
    share = make_share(pat, dana, channel="letter", address="")
    type(share.disclosure).recipient_name.__set__(share.disclosure, name)
    letter = print_letter(share, actor=actor_of(dana))
    assert letter_pdf(letter).startswith(b"%PDF-")


def test_random_typing_never_passes(paper):
    random.seed(1)
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    kept = bytes(DeskCode.objects.get().code_hmac)
    for _ in range(500):
        typed = "".join(random.choice(letters) for _ in range(13))
        assert not is_desk_code(typed, kept, share=paper.share.pk)
