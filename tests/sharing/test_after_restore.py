"""After a restore: what lived is locked until the desk opens it, what was revoked is revoked, nothing is sent."""

from __future__ import annotations

import pytest

from portal.accounts.models import User
from portal.audit.models import AuditEntry
from portal.records.models import DisclosureEvent
from sharing.after_restore import close_all, revoked_shares
from sharing.models import DeskTask, Message, ShareSession
from sharing.unlock import unlock
from tests.cast import actor_of, signed_in
from tests.viewer.conftest import Stored, browser_of, made_study, share_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(pat) -> Stored:
    return made_study(pat)


def test_r8_an_open_picture_closes_and_the_desk_opens_it_again(stored: Stored, dana: User) -> None:
    share = share_of(stored, dana)
    phone = browser_of(share)
    frames = stored.frames("0-1")
    assert phone.get(frames).status_code == 200
    done = close_all([])
    assert (done["shares_locked"], done["revoked_again"]) == (1, 0)
    assert done["messages_stopped"] == 1
    assert phone.get(frames).status_code >= 400
    assert not ShareSession.objects.filter(ended_at=None).exists()
    assert not Message.objects.filter(state__in=["queued", "held"]).exists()
    page = signed_in(dana).get("/desk/tasks").content.decode()
    assert "Locked after a restore" in page
    assert "Unlock" in page
    share.refresh_from_db()
    unlock(share, actor=actor_of(dana))
    assert not DeskTask.objects.filter(done_at=None).exists()


def test_r8_what_was_revoked_since_the_backup_is_revoked_again(stored: Stored, dana: User) -> None:
    share, other = share_of(stored, dana), share_of(stored, dana)
    done = close_all([str(share.pk), "00000000-0000-4000-8000-000000000000"])
    assert (done["shares_locked"], done["revoked_again"]) == (1, 1)
    share.refresh_from_db()
    assert share.revoked_at is not None
    assert revoked_shares() == [str(share.pk)]
    events = DisclosureEvent.objects.filter(disclosure=share.disclosure_id).values_list("kind", flat=True)
    assert "revoked" in events
    assert AuditEntry.objects.filter(code="share.locked", share_id=other.pk).exists()
    assert close_all([str(share.pk)])["revoked_again"] == 0, "done twice, it changes nothing more"
