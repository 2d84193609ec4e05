"""Sealed columns: what the database holds says nothing, and opens only in its own place."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection

from portal.errors import Sealed, VaultDamaged
from portal.records.models import Patient
from portal.sealed.fields import blind_index
from portal.sealed.keys import forget_keys, study_key
from portal.sealed.models import PracticeKey
from tests.cast import make_patient


def _stored(patient: Patient, column: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM records_patient WHERE id = %s", [_id(patient)])
        return bytes(cursor.fetchone()[0])


def _id(patient: Patient) -> object:
    return patient.pk.hex if connection.vendor == "sqlite" else patient.pk


def test_a_sealed_value_reads_back_and_is_not_in_the_database(pat):
    assert b"Garcia" not in _stored(pat, "family_name")
    fresh = Patient.objects.get(pk=pat.pk)
    assert (fresh.family_name, fresh.birthdate) == ("Garcia", date(1986, 4, 12))


def test_the_same_value_is_sealed_differently_each_time(smile):
    one, two = make_patient(smile), make_patient(smile)
    assert _stored(one, "family_name") != _stored(two, "family_name")


@pytest.mark.parametrize("column", ["family_name", "given_name"])
def test_a_value_moved_to_another_row_does_not_open(smile, column):
    one, two = make_patient(smile, "Ana", "Smith"), make_patient(smile, "Ben", "Jones")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE records_patient SET {column} = %s WHERE id = %s", [_stored(one, column), _id(two)]
        )
    with pytest.raises(VaultDamaged):
        getattr(Patient.objects.get(pk=two.pk), column)


def test_a_value_moved_to_another_column_does_not_open(pat):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE records_patient SET given_name = family_name WHERE id = %s", [_id(pat)])
    with pytest.raises(VaultDamaged):
        _ = Patient.objects.get(pk=pat.pk).given_name


def test_a_sealed_column_can_not_be_searched_or_updated_past_the_seal(pat):
    with pytest.raises(TypeError, match="blind index"):
        Patient.objects.filter(family_name="Garcia").first()
    with pytest.raises(TypeError, match="sealed"):
        Patient.objects.update(family_name="Smith")


def test_a_deferred_sealed_value_is_fetched_and_opened(pat):
    assert Patient.objects.only("id", "practice").get(pk=pat.pk).family_name == "Garcia"


def test_blind_indexes_agree_within_a_practice_and_differ_between_two(smile, bright):
    assert blind_index(smile.pk, "name", "garcia") == blind_index(smile.pk, "name", "garcia")
    assert blind_index(smile.pk, "name", "garcia") != blind_index(bright.pk, "name", "garcia")
    assert blind_index(smile.pk, "name", "garcia") != blind_index(smile.pk, "chart", "garcia")


def test_without_its_key_everything_is_sealed(pat):
    PracticeKey.objects.filter(practice_id=pat.practice_id).delete()
    forget_keys()
    with pytest.raises(Sealed):
        _ = Patient.objects.get(pk=pat.pk).family_name


def test_a_shredded_study_key_stays_dead(smile, pat):
    from portal.sealed.keys import create_study_key, shred_study_key

    dek = create_study_key(smile.pk, patient=pat.pk, study=pat.pk)
    assert study_key(smile.pk, pat.pk, 1).key == dek.key
    assert shred_study_key(smile.pk, pat.pk) == 1
    with pytest.raises(Sealed, match="destroyed"):
        study_key(smile.pk, pat.pk, 1)
