"""`manage.py verify_audit` as an operator uses it."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from portal.audit.guards import guard, unguard
from portal.audit.migrations import TABLES
from portal.audit.models import AuditEntry


def test_a_sound_trail_is_said_to_be_ok_with_its_anchor(smile, capsys):
    call_command("verify_audit")
    last = AuditEntry.objects.filter(practice_id=smile.pk).latest("n")
    assert f"ok  {last.n} entries  anchor {last.n}:{bytes(last.hash).hex()}" in capsys.readouterr().out


def test_a_changed_entry_is_named_and_the_command_fails(smile, dana, capsys):
    unguard(connection, *TABLES)
    AuditEntry.objects.filter(practice_id=smile.pk, n=2).update(outcome="refused")
    guard(connection, *TABLES)
    with pytest.raises(CommandError, match="was changed"):
        call_command("verify_audit")
    assert "BAD at entry 2" in capsys.readouterr().out


def test_a_printed_anchor_holds_the_chain_to_it(smile, dana):
    last = AuditEntry.objects.filter(practice_id=smile.pk).latest("n")
    anchor = f"{last.n}:{bytes(last.hash).hex()}"
    with pytest.raises(CommandError, match="was changed"):
        call_command("verify_audit", f"--practice={smile.pk}", f"--anchor={last.n}:{'00' * 32}")
    call_command("verify_audit", f"--practice={smile.pk}", f"--anchor={anchor}")


def test_an_anchor_without_a_practice_or_badly_written_is_refused_in_words(smile):
    with pytest.raises(CommandError, match="is no file"):
        call_command("verify_audit", "--anchor=1:00")
    with pytest.raises(CommandError, match="N:HASH"):
        call_command("verify_audit", f"--practice={smile.pk}", "--anchor=one")
