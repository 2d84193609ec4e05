"""R22: whoever saves a copy is told whose it is to keep safe."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from portal.accounts.models import User
from portal.records.models import Patient
from tests.cast import signed_in
from tests.viewer.conftest import Stored, made_study

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "A copy on your device is yours to keep safe."), ("es", "cuid")],
)
def test_r22_recipient_is_told_that_the_copy_is_theirs_to_keep_safe(
    stored: Stored, phone: Client, language: str, sentence: str
) -> None:
    page = phone.get(reverse("share_files"), headers={"accept-language": language})
    assert page.status_code == 200
    assert sentence in page.content.decode()


def test_r22_staff_are_warned_and_need_the_permission(pat: Patient, clara: User, dana: User) -> None:
    study = made_study(pat).study
    page = signed_in(clara).get(reverse("desk_study", kwargs={"study": study.pk})).content.decode()
    assert 'data-sure="These files leave the encrypted store.' in page
    assert signed_in(dana).get(reverse("desk_study_download", args=[study.pk])).status_code == 403
