"""Patients read plain names and sentences in their language; who measures reads of the ruler."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext

from portal.accounts.models import User
from portal.dicom import geometry, header_reader
from portal.dicom.geometry import NOT_TO_SCALE, SENTENCES
from portal.records.ingest.plan import ALL_ALIKE
from portal.records.ingest.survey import UNREADABLE
from portal.records.ingest.titles import KINDS as TITLES
from portal.records.models import Patient
from tests.viewer.conftest import Stored, browser_of, share_of
from viewer import plain_words
from viewer.plain_words import notices_of, plain_names, reason_for


def view(modality: str = "IO", kind: str = "image", teeth: tuple[int, ...] = ()) -> dict[str, object]:
    return {"Modality": modality, "kind": kind, "teeth": list(teeth), "notices": []}


def test_names_say_the_kind_and_the_place() -> None:
    series = [
        view("CT", "volume"),
        view("CT", "stack"),
        view("PX"),
        view("DX"),
        view(teeth=(16, 17, 18)),
        view(teeth=(11, 21)),
        view(teeth=(16, 15, 46, 45)),
        view(teeth=(36, 37)),
        view(teeth=(85, 84)),
        view("XC"),
        view("ZZ"),
    ]
    assert plain_names(series) == [
        "3D scan", "X-ray slices", "Panoramic X-ray", "X-ray", "Upper right teeth", "Upper front teeth",
        "Bite, right side", "Lower left teeth", "Lower right teeth", "Photo", "Picture",
    ]  # fmt: skip


def test_names_that_are_the_same_are_numbered() -> None:
    assert plain_names([view(), view("PX"), view()]) == ["Tooth X-ray 1", "Panoramic X-ray", "Tooth X-ray 2"]


def test_a_study_stored_before_teeth_were_read_has_names_too() -> None:
    old = {"Modality": "IO", "kind": "image", "notices": []}
    assert plain_names([old]) == ["Tooth X-ray"]


def test_the_ruler_is_told_apart_from_what_everybody_should_know() -> None:
    told = notices_of({**view(), "notices": [SENTENCES["tilted"], NOT_TO_SCALE]})
    assert told == {"notices": [SENTENCES["tilted"]], "ruler_notice": NOT_TO_SCALE}
    assert notices_of(view()) == {"notices": [], "ruler_notice": None}


def test_nobody_is_sent_to_a_download_that_is_not_theirs() -> None:
    reason = "This file has no picture. It is in the download."
    assert reason_for(reason, allows_download=True) == reason
    assert reason_for(reason, allows_download=False) == "This file has no picture."


def sentences() -> list[str]:
    """Every sentence and name that ingest stores and a patient may read."""
    tree = ast.parse(Path(header_reader.__file__).read_text())
    reasons = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith("download.")
    ]
    assert len(reasons) == 4
    named = [*plain_words.KINDS.values(), *plain_words.TEETH.values(), *TITLES.values(), "3D scan", "Picture"]
    return sorted(
        {
            *reasons,
            UNREADABLE,
            ALL_ALIKE,
            geometry.NOT_TO_SCALE,
            geometry.IN_COLOUR,
            *SENTENCES.values(),
            *named,
        }
    )


@pytest.mark.parametrize("sentence", sentences())
def test_each_has_spanish(sentence: str) -> None:
    with translation.override("es"):
        assert gettext(sentence) != sentence
        assert reason_for(sentence, allows_download=False).count("descarga") == 0


@pytest.mark.django_db
def test_the_manifest_speaks_the_readers_language(stored: Stored, pat: Patient, dana: User) -> None:
    phone: Client = browser_of(share_of(stored, dana))
    root = f"{stored.root}/manifest.json"
    spanish = phone.get(root, headers={"Accept-Language": "es"}).json()
    assert spanish["others"] == [
        {"title": "Informe", "reason": "Este archivo no tiene imagen. Está en la descarga."}
    ]
    assert [one["name"] for one in spanish["series"]] == ["Imagen 3D", "Cortes de rayos X"]
    assert spanish["series"][0]["title"] == "Cone-beam CT"
    english = phone.get(root, headers={"Accept-Language": "en"}).json()
    assert english["others"][0]["title"] == "Report"
