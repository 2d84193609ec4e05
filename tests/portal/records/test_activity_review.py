"""The weekly review: figures of whole weeks, signed once, by somebody, in the trail."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from portal.audit.models import AuditEntry
from portal.errors import Conflict, InvalidInput
from portal.records import activity_review
from tests.cast import actor_of, signed_in

pytestmark = pytest.mark.django_db


def test_a_week_counts_what_happened_in_it(dana, smile, pat, clock):
    signed_in(dana).get(reverse("patient", args=[pat.pk]))
    signed_in(dana).get("/desk/trail/")
    clock.advance(days=7)
    clock.advance(days=7)
    later, last = activity_review.weeks_of(smile)
    assert (last.counts["patients opened"], last.counts["refused for the role"]) == (1, 1)
    assert not any(later.counts.values())
    assert last.starts_on.weekday() == 0


def test_a_week_is_signed_once_with_what_was_seen(smile, olga, omar, clock):
    clock.advance(days=7)
    week = activity_review.weeks_of(smile)[0].starts_on
    activity_review.sign_off(smile, week, note="Nothing unusual", actor=actor_of(olga))
    with pytest.raises(Conflict, match="already"):
        activity_review.sign_off(smile, week, note="Me too", actor=actor_of(omar))
    signed = activity_review.weeks_of(smile)[0].signed
    assert (signed["by"], signed["week"]) == (olga.pk, week.isoformat())
    assert signed["counts"]["staff changes"] >= 1
    assert b"unusual" not in bytes(AuditEntry.objects.get(code="audit.reviewed").event)


def test_only_a_whole_week_that_has_ended_can_be_signed(smile, olga):
    monday = activity_review._monday(smile) - timedelta(days=7)
    for day in (monday + timedelta(days=7), monday + timedelta(days=1), monday + timedelta(days=700)):
        with pytest.raises(InvalidInput, match="whole week"):
            activity_review.sign_off(smile, day, note="Early", actor=actor_of(olga))


def test_the_page_signs_and_then_says_who_did(smile, olga, clock):
    clock.advance(days=7)
    client = signed_in(olga)
    week = activity_review.weeks_of(smile)[0].starts_on.isoformat()
    sign = reverse("sign_activity")
    assert client.post(sign, {"week": week, "reason": ""}).status_code == 422
    assert client.post(sign, {"week": "soon", "reason": "Looked at all"}).status_code == 400
    page = client.post(sign, {"week": week, "reason": "Looked at all"}, follow=True).content.decode()
    assert "Signed by Olga Officer" in page
    assert client.post(sign, {"week": week, "reason": "Once more"}).status_code == 409
