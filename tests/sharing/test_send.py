"""The worker's verb: once, or again without harm; never past an agreement; never silently lost."""

from __future__ import annotations

import json
import stat
from datetime import date
from typing import Any

import pytest
from django.core import mail

from portal.audit.models import AuditEntry
from portal.clock import now
from portal.jobs.models import Job
from portal.jobs.run import claim, run
from portal.practice.models import BusinessAssociate
from sharing.endings import sweep_endings
from sharing.gateways import Outgoing, Undeliverable
from sharing.gateways.memory import MemoryGateway
from sharing.models import DeskTask, Message, Share
from sharing.revoke import revoke
from sharing.status import describe
from sharing.troubles import Trouble
from tests.cast import actor_of, make_agreement
from tests.sharing.conftest import make_share, run_jobs, token_in


def test_a_message_is_sent_once_however_often_its_job_runs(pat, dana, sent):
    make_share(pat, dana)
    job = Job.objects.get()
    assert run(job.pk)
    Job.objects.update(state="queued", lease_token=None)
    assert run(job.pk)
    assert len(sent) == 1
    message = Message.objects.get()
    assert (message.state, message.gateway, message.vendor_reference) == ("sent", "memory", "memory-1")
    assert Share.objects.get().links_sent == 1
    assert AuditEntry.objects.filter(code="share.sent").count() == 1


def test_a_worker_that_dies_between_minting_and_sending_leaves_no_link_behind(
    pat, dana, sent, monkeypatch, phone
):
    make_share(pat, dana)
    deliver = MemoryGateway.deliver

    def dies(self: Any, outgoing: Outgoing) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(MemoryGateway, "deliver", dies)
    job = Job.objects.get()
    with pytest.raises(KeyboardInterrupt):
        run(job.pk)
    first = bytes(Share.objects.get().token_hmac)
    monkeypatch.setattr(MemoryGateway, "deliver", deliver)
    Job.objects.update(state="queued", lease_token=None, lease_until=None)
    run(job.pk)
    assert bytes(Share.objects.get().token_hmac) != first
    assert len(sent) == 1
    assert phone.open(token_in(sent[0])).status_code == 200


def test_a_share_revoked_before_its_turn_is_not_sent(pat, dana, sent):
    share = make_share(pat, dana)
    revoke(share, actor=actor_of(dana))
    run_jobs()
    assert sent == []
    assert Message.objects.get().state == "failed"
    assert not DeskTask.objects.filter(done_at=None).exists()


def test_a_code_nobody_waits_for_any_more_is_not_sent(phone, token, share, dana):
    phone.open(token)
    phone.birthdate()
    phone.post("/s/code")
    revoke(share, actor=actor_of(dana))
    run_jobs()
    assert [message.kind for message in phone.sent] == ["link"]


def test_a_way_out_that_is_down_holds_the_message_and_lets_it_go_when_it_is_back(
    pat, dana, sent, monkeypatch, clock
):
    share = make_share(pat, dana)

    def down(self: Any, outgoing: Outgoing) -> str:
        raise Undeliverable(Trouble.DOWN)

    monkeypatch.setattr(MemoryGateway, "deliver", down)
    job = Job.objects.get()
    waits = []
    for _ in range(9):
        assert run(job.pk)
        message = Message.objects.get()
        assert (message.state, message.trouble) == ("held", "down")
        waits.append(round((message.due_at - now()).total_seconds(), -1))
        assert not run(job.pk)
        clock.advance(seconds=601)
    assert waits == sorted(waits)
    assert waits[-1] == 600
    # Told once, however often it is tried.
    assert AuditEntry.objects.filter(code="share.held").count() == 1
    assert DeskTask.objects.get(done_at=None).kind == "held"
    assert describe(share.disclosure).state == "held"
    monkeypatch.undo()
    assert run(job.pk)
    assert len(sent) == 1
    assert Message.objects.get().state == "sent"
    assert not DeskTask.objects.filter(done_at=None).exists()
    assert Job.objects.get().state == "done"


def test_a_message_held_for_three_days_is_given_up_and_told_to_the_desk(pat, dana, sent, monkeypatch, clock):
    make_share(pat, dana)

    def down(self: Any, outgoing: Outgoing) -> str:
        raise Undeliverable(Trouble.DOWN)

    monkeypatch.setattr(MemoryGateway, "deliver", down)
    run_jobs()
    clock.advance(days=3, minutes=1)
    run_jobs()
    message = Message.objects.get()
    assert (message.state, message.trouble) == ("failed", "down")
    assert DeskTask.objects.get(done_at=None).kind == "send-failed"
    assert AuditEntry.objects.filter(code="share.send-failed").count() == 1


def test_a_held_code_is_forgotten_once_nobody_can_wait_for_it(phone, token, monkeypatch, clock):
    phone.open(token)
    phone.birthdate()
    phone.post("/s/code")

    def down(self: Any, outgoing: Outgoing) -> str:
        raise Undeliverable(Trouble.DOWN)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryGateway, "deliver", down)
        for _ in range(3):
            run_jobs()
            clock.advance(minutes=3)
        assert Message.objects.get(kind="code").state == "held"
    clock.advance(minutes=2)
    run_jobs()
    message = Message.objects.get(kind="code")
    assert (message.state, message.trouble) == ("failed", "too-late")
    assert [one.kind for one in phone.sent] == ["link"]


@pytest.mark.parametrize("has_agreement", [False, True])
def test_no_e_mail_leaves_without_an_agreement_and_nothing_falls_back(
    pat, dana, smile, settings, has_agreement
):
    settings.GATEWAY = "console"
    settings.EMAIL_BACKEND = "tests.sharing.test_send.Vendor"
    associate = BusinessAssociate.objects.create(practice=smile, name="Post Ltd", adapter="email")
    ends = date(2099, 1, 1) if has_agreement else date(2020, 1, 2)
    make_agreement(associate, ends_on=ends)
    make_share(pat, dana, channel="email", address="Maria@Mail.example")
    Vendor.posted.clear()
    run_jobs()
    message = Message.objects.get()
    if has_agreement:
        assert message.state == "sent"
        assert len(Vendor.posted) == 1
    else:
        assert (message.state, message.trouble) == ("held", "no-agreement")
        assert "agreement" in message.failure
        assert Vendor.posted == []
        assert DeskTask.objects.get().kind == "held"


class Vendor:
    """A mail backend that stands for somebody else's server."""

    posted: list[Any] = []  # noqa: RUF012

    def __init__(self, **options: Any) -> None:
        pass

    def send_messages(self, messages: list[Any]) -> int:
        self.posted.extend(messages)
        return len(messages)


def test_r11_an_e_mail_says_nothing_of_the_scan_and_carries_only_the_link(pat, dana, settings):
    settings.GATEWAY = "console"
    make_share(pat, dana, channel="email", address="maria@mail.example")
    run_jobs()
    (letter,) = mail.outbox
    assert letter.to == ["maria@mail.example"]
    assert letter.subject == "A message from Smile Dental"
    assert "/s/#" in letter.body
    for word in ("Maria", "Garcia", "scan", "CT", "dent"):
        # The token is random, and may hold any two letters.
        words = letter.body.replace("Smile Dental", "").replace(token_in(letter), "")
        assert word not in words


def test_the_demos_outbox_is_a_file_for_its_owner_only(pat, dana, settings, tmp_path):
    settings.GATEWAY, settings.STATE_DIR = "outbox", tmp_path
    make_share(pat, dana)
    make_share(pat, dana, channel="email", address="maria@mail.example")
    run_jobs()
    path = tmp_path / "outbox.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["to"] for line in lines] == ["+12015550123", "maria@mail.example"]
    assert set(lines[0]) == {"to", "body", "at", "kind"}
    assert lines[0]["kind"] == "link"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert mail.outbox == []


def test_the_console_prints_to_a_terminal_and_never_to_a_log(pat, dana, settings, capsys):
    settings.GATEWAY = "console"
    make_share(pat, dana)
    run_jobs()
    assert "/s/#" not in capsys.readouterr().out
    assert (Message.objects.get().state, Message.objects.get().trouble) == ("held", "not-set-up")
    assert DeskTask.objects.get().kind == "held"


def test_an_unknown_way_out_is_told_to_the_desk(pat, dana, settings):
    settings.GATEWAY = "pigeon"
    make_share(pat, dana)
    run_jobs()
    assert Message.objects.get().trouble == "not-set-up"
    assert DeskTask.objects.get().kind == "held"


def test_a_worker_that_lost_its_lease_does_not_close_the_message(pat, dana, sent, monkeypatch):
    make_share(pat, dana)
    job = Job.objects.get()
    deliver = MemoryGateway.deliver

    def slow(self: Any, *args: Any, **kwargs: Any) -> str:
        Job.objects.update(state="queued", lease_token=None, lease_until=None)
        assert claim(job.pk)
        return deliver(self, *args, **kwargs)

    monkeypatch.setattr(MemoryGateway, "deliver", slow)
    run(job.pk)
    assert Message.objects.get().state == "queued"


def test_texts_are_in_the_recipients_language(pat, dana, sent):
    make_share(pat, dana, language="es")
    run_jobs()
    assert "tiene un escaneo dental" in sent[0].body


def test_a_message_whose_job_failed_for_good_is_told_to_the_desk(pat, dana, sent, monkeypatch):
    make_share(pat, dana)

    def broken(self: Any, *args: Any, **kwargs: Any) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(MemoryGateway, "deliver", broken)
    for _ in range(5):
        Job.objects.update(not_before=now())
        run_jobs()
    sweep_endings()
    assert Message.objects.get().state == "failed"
    assert DeskTask.objects.get().kind == "send-failed"
    sweep_endings()
    assert AuditEntry.objects.filter(code="share.send-failed").count() == 1
