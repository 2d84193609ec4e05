"""What the demo writes down: whole or not at all, and good for another port."""

from __future__ import annotations

import stat

from portal.demo import facts
from portal.demo.outbox import messages

KNOWN = {
    "base_url": "http://127.0.0.1:8000",
    "staff": [],
    "shares": [{"link": "http://127.0.0.1:8000/s/#abc", "recipient": "patient"}],
    "expired_shares": [{"link": "http://127.0.0.1:8000/s/#old", "recipient": "patient"}],
}


def test_what_is_written_reads_back_and_is_for_the_owner_only(tmp_path):
    assert facts.read(tmp_path) is None
    facts.write(tmp_path, KNOWN)
    assert facts.read(tmp_path) == KNOWN
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["demo.json"]


def test_links_move_with_the_port():
    moved = facts.moved(KNOWN, "http://127.0.0.1:9000")
    assert moved["shares"][0]["link"] == "http://127.0.0.1:9000/s/#abc"
    assert moved["expired_shares"][0]["link"] == "http://127.0.0.1:9000/s/#old"
    assert KNOWN["shares"][0]["link"] == "http://127.0.0.1:8000/s/#abc"


def test_a_killed_first_start_is_cleared_away_and_a_finished_one_is_not(tmp_path):
    for name in ("db.sqlite3", "db.sqlite3-wal", "outbox.jsonl", "secret_key"):
        (tmp_path / name).write_text("x")
    (tmp_path / "vault" / "ab").mkdir(parents=True)
    facts.write(tmp_path, KNOWN)
    facts.remove_unfinished(tmp_path)
    assert (tmp_path / "db.sqlite3").exists()
    (tmp_path / "demo.json").unlink()
    facts.remove_unfinished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_a_message_that_is_still_being_written_is_left_for_later(tmp_path):
    line = '{"to": "+12065550142", "body": "Smile Dental. Open http://h/s/#abc.", "at": "2026-11-23", "kind": "link"}'
    (tmp_path / "outbox.jsonl").write_text(f"{line}\n{line[:30]}")
    (message,) = messages(tmp_path)
    assert message.link == "http://h/s/#abc"


def test_there_is_no_demo_page_outside_the_demo(client, db):
    for page in ("/demo/", "/demo/outbox"):
        assert client.get(page).status_code == 404
