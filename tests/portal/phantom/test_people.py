"""The invented patients are plainly invented."""

from __future__ import annotations

import re

import phonenumbers
import pytest

from portal.phantom.people import INVENTED
from portal.phantom.studies import TAKEN_ON

FICTIONAL = re.compile(r"\+1\d{3}55501\d\d")


@pytest.mark.parametrize("patient", INVENTED, ids=lambda patient: patient.chart_number)
def test_phone_numbers_are_e164_and_kept_for_fiction(patient):
    assert FICTIONAL.fullmatch(patient.phone)
    assert phonenumbers.is_possible_number(phonenumbers.parse(patient.phone))


def test_nobody_shares_a_chart_number_or_a_phone():
    assert len({patient.chart_number for patient in INVENTED}) == len(INVENTED) >= 3
    assert len({patient.phone for patient in INVENTED}) == len(INVENTED)


def test_only_the_child_has_a_guardian_who_answers_the_phone():
    for patient in INVENTED:
        years = (TAKEN_ON - patient.birthdate).days / 365.25
        assert (patient.guardian is not None) == (years < 18)
    (guardian,) = (patient.guardian for patient in INVENTED if patient.guardian)
    assert guardian.phone in {patient.phone for patient in INVENTED}
    assert guardian.language in ("en", "es")


def test_findings_name_real_teeth_and_an_implant_stands_where_nothing_is_missing():
    for patient in INVENTED:
        f = patient.findings
        charted = f.implants | f.missing | f.germs | f.lesions | f.amalgams | f.metal_crowns | f.root_canals
        assert all(tooth // 10 in range(1, 5) and tooth % 10 in range(1, 9) for tooth in charted)
        assert not f.missing & (
            f.implants | f.germs | f.lesions | f.amalgams | f.metal_crowns | f.root_canals
        )
        assert not f.implants & (f.amalgams | f.metal_crowns | f.root_canals | f.lesions)
