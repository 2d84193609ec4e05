"""Finding patients by what the desk types."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given
from hypothesis import strategies as st

from portal.accounts.models import User
from portal.practice.models import Practice
from portal.records.folding import fold_name
from portal.records.search import HITS_MAX, find_patients, recent_patients
from tests.portal.records.test_patients import add


@pytest.mark.parametrize(
    "typed",
    [
        "ga",
        "garcia",
        "GARCÍA",
        "García, María",
        "maria garcia",
        "garcia m",
        "0142",
        "212 555 0142",
        "sp-000101",
    ],
)
def test_a_patient_is_found_by(smile: Practice, dana: User, typed: str) -> None:
    patient = add(smile, dana)
    add(
        smile,
        dana,
        family_name="Smith",
        given_name="Ann",
        chart_number="77",
        mobile="212 555 0100",
        email=None,
    )
    assert find_patients(smile.pk, typed) == [patient]


@pytest.mark.parametrize(
    "typed", ["", " ", "g", "garciaz", "garcia elena", "0143", "19860412", "04/12/1986", "%", "_"]
)
def test_nobody_is_found_by(smile: Practice, dana: User, typed: str) -> None:
    add(smile, dana)
    assert find_patients(smile.pk, typed) == []


def test_a_long_and_a_many_word_name_are_found(smile: Practice, dana: User) -> None:
    patient = add(smile, dana, family_name="De la Cruz-Núñez")
    assert find_patients(smile.pk, "de la cruz nun") == [patient]
    assert find_patients(smile.pk, "delacruzn") == [patient]
    assert find_patients(smile.pk, "delacruzx") == []


def test_another_practice_finds_nothing(smile: Practice, dana: User, bright: Practice) -> None:
    add(smile, dana)
    assert find_patients(bright.pk, "garcia") == []
    assert recent_patients(bright.pk) == []


def test_at_most_twenty_rows_are_opened(smile: Practice, dana: User) -> None:
    for number in range(HITS_MAX + 5):
        add(smile, dana, birthdate=date(1950 + number, 1, 1), chart_number=None, mobile=None, email=None)
    with CaptureQueriesContext(connection) as queries:
        assert len(find_patients(smile.pk, "garcia")) == HITS_MAX
    assert len(queries) <= 3
    assert len(recent_patients(smile.pk)) == 10


def test_f1_one_of_many_of_a_name_is_found_though_all_others_came_later(smile: Practice, dana: User) -> None:
    wanted = add(smile, dana)
    for number in range(HITS_MAX + 1):
        add(
            smile,
            dana,
            given_name="Elena",
            birthdate=date(1950 + number, 1, 1),
            chart_number=None,
            mobile=None,
            email=None,
        )
    for typed in ("garcia maria", "García, M", "maria garcia"):
        assert find_patients(smile.pk, typed) == [wanted], typed


@pytest.mark.parametrize("typed", ["李", "李 小龙", "小龙 李"])
def test_a_last_name_of_one_letter_is_found(smile: Practice, dana: User, typed: str) -> None:
    patient = add(smile, dana, family_name="李", given_name="小龙")
    add(smile, dana, family_name="李安", given_name="明", chart_number="77", mobile=None, email=None)
    assert find_patients(smile.pk, typed) == [patient]


def test_the_tables_hold_no_name_or_number(smile: Practice, dana: User) -> None:
    add(smile, dana)
    with connection.cursor() as cursor:
        for table in ("records_patient", "records_contact", "records_searchterm"):
            cursor.execute(f"SELECT * FROM {table}")
            rows = repr(cursor.fetchall())
            assert all(
                word not in rows for word in ("Garc", "garc", "1986", "0142", "000101", "example.org")
            ), table


@given(st.text(max_size=40))
@example("𝑨")
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold_name(fold_name(text)) == fold_name(text)
