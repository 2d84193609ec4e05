"""Whose file is it: names as people and devices write them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from portal.dicom.headers import Header
from portal.dicom.patient_match import Match, group_by_patient, same_patient
from portal.dicom.sandbox import Sandbox
from tests.portal.dicom.files import make_file

BORN = date(1986, 4, 12)


def header(box: Sandbox, name: str, born: str = "19860412", patient_id: str = "") -> Header:
    header = box.read_header(make_file())
    return replace(header, patient_name=name, patient_birth_date=born, patient_id=patient_id)


@pytest.mark.parametrize(
    ("told", "chart", "match"),
    [
        ("Grant^Maria", "Grant^Maria", Match.MATCH),
        ("GRANT^MARIA", "Grant^Maria", Match.MATCH),
        ("Grant^Maria^Ann", "Grant^Maria", Match.MATCH),
        ("Grant^Maria Ann^^Dr", "Grant^Maria", Match.MATCH),
        ("García-López^José", "Garcia Lopez^Jose", Match.MATCH),
        ("Mueller^Joerg", "Müller^Jörg", Match.MATCH),
        ("Muller^Jorg", "Müller^Jörg", Match.MATCH),
        ("O'Brien^Sinéad", "OBRIEN^SINEAD", Match.MATCH),
        ("Løkke^Bjørn", "Lokke^Bjorn", Match.MATCH),
        ("Maria Grant", "Grant^Maria", Match.MATCH),
        ("GRANT, MARIA", "Grant^Maria", Match.MATCH),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "山田^太郎", Match.MATCH),
        ("Yamada^Tarou=山田^太郎", "Yamada^Tarou", Match.MATCH),
        ("Grant^Marta", "Grant^Maria", Match.MISMATCH),
        ("Grand^Maria", "Grant^Maria", Match.MISMATCH),
        ("Maria^Grant", "Grant^Maria", Match.MISMATCH),
        ("Jane Grant", "Grant^Maria", Match.MISMATCH),
        ("山田^花子", "山田^太郎", Match.MISMATCH),
        ("Grant", "Grant^Maria", Match.UNKNOWN),
        ("", "Grant^Maria", Match.UNKNOWN),
        ("^", "Grant^Maria", Match.UNKNOWN),
    ],
)
def test_names_are_compared_as_people_would(box: Sandbox, told: str, chart: str, match: Match) -> None:
    comparison = same_patient(header(box, told), chart, BORN)
    assert comparison.match is match
    assert comparison.differences == (() if match is Match.MATCH else ("PatientName",))


@pytest.mark.parametrize(
    ("told", "match"),
    [
        ("19860412", Match.MATCH),
        ("1986.04.12", Match.MATCH),
        ("19860413", Match.MISMATCH),
        ("", Match.UNKNOWN),
    ],
)
def test_birth_dates_must_be_equal(box: Sandbox, told: str, match: Match) -> None:
    comparison = same_patient(header(box, "Grant^Maria", told), "Grant^Maria", BORN)
    assert comparison.match is match
    assert comparison.differences == (() if match is Match.MATCH else ("PatientBirthDate",))


def test_a_difference_outweighs_a_missing_value(box: Sandbox) -> None:
    comparison = same_patient(header(box, "Other^Person", ""), "Grant^Maria", BORN)
    assert (comparison.match, comparison.differences) == (Match.MISMATCH, ("PatientName",))


def test_differences_carry_no_values(box: Sandbox) -> None:
    told = repr(same_patient(header(box, "Other^Person", "19700101"), "Grant^Maria", BORN))
    assert not any(value in told for value in ("Other", "Person", "1970", "Grant", "Maria", "1986"))


def test_files_are_grouped_by_person(box: Sandbox) -> None:
    told = [
        header(box, "Grant^Maria"),
        header(box, "Grant^John"),
        header(box, "GRANT^MARIA"),
        header(box, "Grant^Maria", "19900101"),
        header(box, "", "", "A1"),
        header(box, "", "", "A2"),
        header(box, "", "", "A1"),
    ]
    assert [group.indices for group in group_by_patient(told)] == [(0, 2), (1,), (3,), (4, 6), (5,)]
