"""Which teeth an X-ray shows, from its codes alone, and where it hangs on the chart."""

from __future__ import annotations

import random

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from portal.dicom.sandbox import Sandbox
from portal.dicom.tooth_chart import chart_place, tooth_named
from tests.portal.dicom.files import make_file


def code(value: str, scheme: str, meaning: str, **more: Sequence) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    for keyword, sequence in more.items():
        setattr(item, keyword, sequence)
    return item


@pytest.mark.parametrize(
    ("words", "tooth"),
    [
        ("structure of maxillary right first molar tooth", 16),
        ("mandibular left third molar tooth", 38),
        ("lower right lateral incisor", 42),
        ("structure of deciduous maxillary left second molar tooth", 65),
        ("deciduous mandibular right canine tooth", 83),
        ("tooth", 0),
        ("maxillary first molar tooth", 0),
        ("structure of right half of jaw", 0),
    ],
)
def test_teeth_are_known_by_their_names(words: str, tooth: int) -> None:
    assert tooth_named(words) == tooth


def test_a_header_tells_its_teeth(box: Sandbox) -> None:
    right = Sequence([code("24028007", "SCT", "Right")])
    structures = [
        code("46", "ISO3950", "tooth"),
        code("1", "SRT", "Mandibular second premolar tooth", PrimaryAnatomicStructureModifierSequence=right),
        code("38199008", "SCT", "Tooth"),
    ]
    file = make_file(Modality="IO", PrimaryAnatomicStructureSequence=Sequence(structures))
    assert box.read_header(file).teeth == (45, 46)


def test_a_number_in_a_description_names_no_tooth(box: Sandbox) -> None:
    """14 is a premolar in Europe and a front tooth in the United States."""
    named = Sequence([code("14", "99LOCAL", "14")])
    file = make_file(SeriesDescription="Tooth 14", PrimaryAnatomicStructureSequence=named)
    assert box.read_header(file).teeth == ()


def test_a_full_mouth_hangs_as_on_the_chart() -> None:
    """Upper teeth, bitewings, lower teeth; in each row from the patient's right to the left."""
    mounted = [
        (18, 17, 16), (15, 14), (13, 12), (11, 21), (22, 23), (24, 25), (26, 27, 28),
        (17, 16, 46, 47), (15, 14, 44, 45), (24, 25, 34, 35), (26, 27, 36, 37),
        (48, 47, 46), (45, 44), (43, 42), (41, 31), (32, 33), (34, 35), (36, 37, 38),
        (),
    ]  # fmt: skip
    mixed = random.Random(3).sample(mounted, len(mounted))
    assert sorted(mixed, key=chart_place) == mounted
