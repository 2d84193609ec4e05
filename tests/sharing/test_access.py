"""The gate: what a session opens, for how long, and what it counts. Mallory tries it with sessions of her own."""

from __future__ import annotations

import json
import threading
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import RequestFactory

from portal.audit.models import AuditEntry
from portal.audit.verify import verify
from portal.errors import AccessDenied, NotFound
from portal.records.models import DisclosureEvent, Series
from sharing.access import Grant, SessionOver, ShareEnded, release, require_access, still_live
from sharing.endings import sweep_endings
from sharing.models import Share, ShareSession, Tally
from sharing.revoke import revoke
from tests.cast import actor_of, make_patient
from tests.sharing.conftest import Recipient, make_share, make_study, run_jobs, token_in


def _request(phone: Recipient | None = None, user: Any = None) -> Any:
    request = RequestFactory().get("/studies/")
    if phone:
        request.COOKIES["share"] = phone.cookie
    if user:
        request.actor = actor_of(user)
    return request


def _study(share: Share) -> uuid.UUID:
    return share.shared_series.first().study_id


@pytest.fixture
def inside(phone: Recipient, token: str) -> Recipient:
    phone.walk_in(token)
    return phone


def _grant(phone: Recipient, share: Share) -> Grant:
    return require_access(_request(phone), _study(share))


# --- what it opens -------------------------------------------------------------------------------------------------


def test_a_verified_session_opens_what_was_shared(inside, share):
    grant = _grant(inside, share)
    assert (grant.door, grant.practice, grant.share_id) == ("recipient", share.practice_id, share.pk)
    assert grant.series == {one.series_id for one in share.shared_series.all()}
    assert grant.allows_download
    assert grant.code_age_s < 60
    assert grant.actor.kind == "recipient"
    assert grant.actor.label == "Maria Garcia"
    for one in share.shared_series.all():
        assert require_access(_request(inside), one.study_id, series_id=one.series_id)


def test_no_earlier_step_and_no_stale_cookie_opens_anything(phone, token, share):
    study = _study(share)
    cookies = ["", "x", "x" * 43, "é" * 43]
    phone.open(token)
    cookies.append(phone.cookie)
    phone.birthdate()
    cookies.append(phone.cookie)
    for cookie in cookies:
        request = _request()
        request.COOKIES["share"] = cookie
        with pytest.raises(SessionOver):
            require_access(request, study)


def test_only_the_series_that_were_shared_open(phone, sent, pat, dana):
    study = make_study(pat, series=3)
    first, second, third = study.series.order_by("position")
    make_share(pat, dana, series=[first, second])
    run_jobs()
    phone.walk_in(token_in(sent[-1]))
    assert require_access(_request(phone), study.pk, series_id=first.pk).series == {first.pk, second.pk}
    for foreign in (third.pk, uuid.uuid4()):
        with pytest.raises(NotFound):
            require_access(_request(phone), study.pk, series_id=foreign)


def test_mallory_with_a_valid_session_of_her_own_opens_nothing_of_pats(
    phone, share, sent, bright, mallory, pat
):
    hers = make_share(make_patient(bright, "Mallory", "Other"), mallory)
    run_jobs()
    phone.walk_in(token_in(sent[-1]))
    study = _study(share)
    theirs = {one.series_id for one in share.shared_series.all()}
    own = hers.shared_series.first()
    with pytest.raises(NotFound):
        require_access(_request(phone), study)
    for series_id in theirs:
        with pytest.raises(NotFound):
            require_access(_request(phone), study, series_id=series_id)
        with pytest.raises(NotFound):
            require_access(_request(phone), own.study_id, series_id=series_id)
    with pytest.raises(NotFound):
        require_access(_request(user=mallory), study)
    others_study = make_study(pat)
    for path in (
        f"/s/view?study={study}",
        f"/s/view?study={others_study.pk}",
        f"/s/view?series={next(iter(theirs))}",
    ):
        page = phone.get(path).content.decode()
        assert str(study) not in page
        assert str(others_study.pk) not in page
    assert str(study) not in phone.get("/s/studies.json").content.decode()
    assert "Maria" not in phone.get("/s/activity").content.decode()


def test_a_share_for_viewing_refuses_the_download_and_staff_need_their_role(
    phone, sent, pat, dana, clara, olga
):
    share = make_share(pat, dana, allows_download=False)
    run_jobs()
    phone.walk_in(token_in(sent[-1]))
    study = _study(share)
    with pytest.raises(AccessDenied):
        require_access(_request(phone), study, download=True)
    assert phone.get("/s/studies.json").json()[0]["download"] is None
    assert require_access(_request(user=dana), study).door == "staff"
    assert require_access(_request(user=clara), study, download=True).series is None
    for user, download in ((dana, True), (olga, False)):
        with pytest.raises(AccessDenied):
            require_access(_request(user=user), study, download=download)


def test_a_deleted_study_is_gone_and_a_newer_generation_is_read_anew(inside, share):
    study = _grant(inside, share).study
    type(study).objects.filter(pk=study.pk).update(generation=2, manifest_sha256="1" * 64)
    assert _grant(inside, share).study.generation == 2
    type(study).objects.filter(pk=study.pk).update(state="deleted")
    with pytest.raises(NotFound):
        _grant(inside, share)


# --- for how long --------------------------------------------------------------------------------------------------


def test_r15_revoking_stops_the_next_batch_and_tells_the_next_request(inside, share, dana):
    grant = _grant(inside, share)
    series = next(iter(grant.series))
    release(grant, series, level=0, frames=4, length_bytes=100)
    assert still_live(grant)
    revoke(share, actor=actor_of(dana))
    with pytest.raises((SessionOver, ShareEnded)):
        release(grant, series, level=0, frames=4, length_bytes=100)
    assert not still_live(grant)
    with pytest.raises((SessionOver, ShareEnded)):
        _grant(inside, share)
    assert Tally.objects.get().frames == 4


@pytest.mark.parametrize("change", ["revoked_at", "locked_at"])
def test_a_share_that_ended_while_its_session_runs_says_so(inside, share, change):
    grant = _grant(inside, share)
    Share.objects.filter(pk=share.pk).update(**{change: "2026-01-01T00:00:00Z"})
    with pytest.raises(ShareEnded):
        _grant(inside, share)
    with pytest.raises(ShareEnded):
        release(grant, next(iter(grant.series)), level=0, frames=1, length_bytes=1)
    assert inside.get("/s/view").status_code == 410


def test_r15_expiry_ends_it_by_the_clock_alone(inside, share, clock):
    _grant(inside, share)
    Share.objects.filter(pk=share.pk).update(
        expires_at=share.created_at + (share.expires_at - share.created_at) / 3000
    )
    clock.advance(minutes=14, seconds=55)
    with pytest.raises(ShareEnded):
        _grant(inside, share)


def test_a_session_idles_out_after_fifteen_minutes_and_use_keeps_it_for_an_hour(inside, share, clock):
    grant = _grant(inside, share)
    series = next(iter(grant.series))
    for _ in range(4):
        clock.advance(minutes=14)
        grant = _grant(inside, share)
        release(grant, series, level=1, frames=1, length_bytes=1)
        assert still_live(grant)
    clock.advance(minutes=5)
    with pytest.raises(SessionOver):
        release(grant, series, level=1, frames=1, length_bytes=1)
    assert Tally.objects.get().frames == 4


def test_being_asked_does_not_keep_a_session(inside, share, clock):
    grant = _grant(inside, share)
    for _ in range(3):
        clock.advance(minutes=5, seconds=1)
        still_live(grant)
    with pytest.raises(SessionOver):
        _grant(inside, share)


# --- what it counts ------------------------------------------------------------------------------------------------


def test_the_first_release_of_a_series_is_told_once_and_the_rest_are_summed(inside, share, smile):
    grant = _grant(inside, share)
    first, second = sorted(grant.series)
    for _ in range(3):
        release(grant, first, level=0, frames=8, length_bytes=1000)
    release(grant, first, level=3, frames=1, length_bytes=10)
    release(grant, second, level=31, frames=1, length_bytes=1)
    tally = Tally.objects.get(series_id=first)
    assert (tally.frames, tally.length_bytes, tally.levels) == (25, 3010, 0b1001)
    assert AuditEntry.objects.filter(code="series.opened").count() == 2
    assert DisclosureEvent.objects.filter(kind="viewed").count() == 2
    assert verify(smile.pk).finding is None


def test_r7_the_closing_entry_seals_what_was_released(inside, share, smile):
    grant = _grant(inside, share)
    series = next(iter(grant.series))
    release(grant, series, level=0, frames=8, length_bytes=1000)
    inside.post("/s/end")
    entry = json.loads(bytes(AuditEntry.objects.get(code="series.closed").event))
    assert entry["facts"]["frames"] == 8
    assert entry["facts"]["length_bytes"] == 1000
    assert entry["facts"]["levels"] == [0]
    assert entry["series"] == str(series)
    sweep_endings()
    sweep_endings()
    assert AuditEntry.objects.filter(code="series.closed").count() == 1
    assert verify(smile.pk).finding is None


def test_the_sweep_closes_sessions_that_idled_out(inside, share, clock):
    grant = _grant(inside, share)
    release(grant, next(iter(grant.series)), level=0, frames=8, length_bytes=1000)
    sweep_endings()
    assert not AuditEntry.objects.filter(code="series.closed").exists()
    clock.advance(minutes=16)
    sweep_endings()
    assert AuditEntry.objects.filter(code="series.closed").count() == 1
    assert not ShareSession.objects.filter(closed_at=None).exists()


def test_staff_are_counted_too_and_opened_again_after_a_pause(share, clara, clock):
    request = _request(user=clara)
    grant = require_access(request, _study(share))
    series = Series.objects.filter(study_id=_study(share)).first().pk
    release(grant, series, level=0, frames=2, length_bytes=20)
    release(grant, series, level=0, frames=2, length_bytes=20)
    assert Tally.objects.get(session=None).frames == 4
    clock.advance(minutes=16)
    sweep_endings()
    release(grant, series, level=0, frames=1, length_bytes=10)
    assert Tally.objects.get(session=None).frames == 1
    codes = list(
        AuditEntry.objects.filter(code__startswith="series.").order_by("n").values_list("code", flat=True)
    )
    assert codes == ["series.opened", "series.closed", "series.opened"]


@pytest.mark.django_db(transaction=True)
def test_many_first_batches_at_once_make_one_entry_and_lose_no_count(sent, pat, dana):
    share = make_share(pat, dana)
    run_jobs()
    phone = Recipient(sent)
    phone.walk_in(token_in(sent[-1]))
    grant = _grant(phone, share)
    series = next(iter(grant.series))

    def view() -> None:
        try:
            release(grant, series, level=0, frames=2, length_bytes=10)
        finally:
            connection.close()

    threads = [threading.Thread(target=view) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Tally.objects.get().frames == 40
    assert AuditEntry.objects.filter(code="series.opened").count() == 1
    assert DisclosureEvent.objects.filter(kind="viewed").count() == 1
