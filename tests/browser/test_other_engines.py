"""Firefox ESR and WebKitGTK, from the link to the picture: what patients and dentists see there is the very slice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.browser.likeness import likeness, windowed
from tests.browser.test_the_whole_walk import BONE, slices_in
from tests.engines import ENGINES, Engine
from tests.flows.desk import Desk
from tests.flows.installation import Installation
from tests.flows.invented import Case, new_person, small_cbct, stored

pytestmark = pytest.mark.slow
# As narrow as their windows go.
NARROW, DESK = (600, 844), (1280, 800)
SHOWN = "#viewer[data-state=shown][data-engine=canvas]"
STAGE = "#viewer [data-part=stage]"
BUTTON = "main form.form button.button-primary"


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with ENGINES[request.param](tmp_path_factory.mktemp(request.param)) as started:
        yield started


@pytest.fixture(scope="module")
def case(clara: Desk, tmp_path_factory: pytest.TempPathFactory) -> Case:
    person = new_person("Engström", "Nils", 1971)
    return stored(clara, person, small_cbct(person, tmp_path_factory.mktemp("case")))


def test_r29_a_patient_sees_the_slice_and_goes_on(
    engine: Engine, demo: Installation, clara: Desk, case: Case, pictures: Path | None
) -> None:
    engine.size(*NARROW)
    engine.go(clara.share(case.chart))
    engine.follow("[data-open-form] button")
    for name, value in zip(("month", "day", "year"), birthdate(case), strict=True):
        engine.type(f"#{name}", value)
    engine.follow(BUTTON)
    give_code(engine, demo, case.chart.mobile)
    wait_for_picture(engine)
    press(engine, "From above")
    assert place(engine) == "slice 21 of 40"
    stack = slices_in(case.files)
    assert likeness(picture(engine), windowed(stack[20], *BONE)) > 0.97
    for _ in range(5):
        engine.click("#viewer [data-part=more]")
    assert place(engine) == "slice 26 of 40"
    assert likeness(picture(engine), windowed(stack[25], *BONE)) > 0.97
    press(engine, "Front")
    assert likeness(picture(engine), windowed(stack[::-1, 48], *BONE)) > 0.9
    keep(engine, pictures, "patient-front")
    press(engine, "3D")
    assert picture(engine).std() > 5, "a head, not one grey"
    keep(engine, pictures, "patient-3d")
    assert engine.run("return document.documentElement.scrollWidth - innerWidth") <= 0


def test_r29_a_dentist_works_on_the_bench(
    engine: Engine, demo: Installation, clara: Desk, case: Case, pictures: Path | None
) -> None:
    address = f"{engine.name.lower()}@endo-partners.example"
    facts = {"recipient_kind": "dentist", "recipient_name": "Dr. Riley Chen", "purpose": "referral"}
    engine.size(*DESK)
    engine.go(clara.share(case.chart, channel="email", address=address, **facts))
    engine.follow("[data-open-form] button")
    engine.type("#address", address)
    engine.follow(BUTTON)
    give_code(engine, demo, address)
    wait_for_picture(engine)
    keep(engine, pictures, "dentist")
    assert engine.run("return document.querySelector('.viewer-overlay').width") > 1000, "lines and letters"
    assert np.median(engine.pixels("#viewer [data-set=layout]")) < 100, "light words on dark, not on light"
    choose(engine, "layout", "mpr")
    shown = picture(engine)
    half = shown.shape[1] // 2
    assert min(shown[:, :half].std(), shown[:, half:].std()) > 5, "something in every plane"
    choose(engine, "layout", "single")
    press(engine, "Axial")
    engine.click("#viewer [data-do=hide]")
    place_21 = "const slider = document.querySelector('[data-part=slider]');"
    place_21 += "slider.value = 20; slider.dispatchEvent(new Event('input', { bubbles: true }))"
    engine.run(place_21)
    stack = slices_in(case.files)
    assert likeness(picture(engine), windowed(stack[20], *BONE)) > 0.95
    engine.click("#viewer [data-do=invert]")
    assert likeness(picture(engine), windowed(stack[20], *BONE)) < -0.5
    keep(engine, pictures, "dentist-inverted")


def birthdate(case: Case) -> tuple[str, str, str]:
    born = case.person.birthdate
    return str(born.month), str(born.day), str(born.year)


def give_code(engine: Engine, demo: Installation, address: str) -> None:
    before = len(demo.outbox())
    engine.follow(BUTTON)
    engine.type("#code", demo.next_message(address, after=before, kind="code").code)
    engine.follow(BUTTON)


def wait_for_picture(engine: Engine) -> None:
    """Until the viewer says that it shows, and nothing is being fetched any more."""
    engine.see(SHOWN)
    engine.wait_for("return document.querySelector('#viewer [data-part=progress]').hidden")


def press(engine: Engine, label: str) -> None:
    """A tab: waits until it says that it is the one."""
    found = "[...document.querySelectorAll('#viewer [data-part=tabs] button')]"
    found += ".find((one) => one.textContent.trim() === arguments[0])"
    engine.run(f"{found}.id ||= `tab-${{arguments[0].replaceAll(' ', '-')}}`", label)
    engine.click(f"#tab-{label.replace(' ', '-')}")
    engine.wait_for(f"return {found}.getAttribute('aria-pressed') === 'true'", label)


def choose(engine: Engine, name: str, value: str) -> None:
    script = "const one = document.querySelector(`[data-set=${arguments[0]}]`); one.value = arguments[1];"
    engine.run(script + "one.dispatchEvent(new Event('change', { bubbles: true }))", name, value)


def place(engine: Engine) -> str:
    script = "return document.querySelector('#viewer [data-part=slider]').getAttribute('aria-valuetext')"
    return str(engine.run(script))


def picture(engine: Engine) -> np.ndarray:
    """The stage without words and buttons, once two looks at it agree."""
    over = ":is(.viewer-say, .viewer-letter, .viewer-zoom, progress)"
    script = f"document.querySelectorAll('#viewer {over}').forEach((one) => {{ one.style.visibility = arguments[0]; }})"
    engine.run(script, "hidden")
    before, now = np.zeros(0), engine.pixels(STAGE)
    while not np.array_equal(before, now):
        before, now = now, engine.pixels(STAGE)
    engine.run(script, "")
    return now


def keep(engine: Engine, pictures: Path | None, name: str) -> None:
    if pictures:
        engine.shot(pictures / f"{engine.name.lower()}-{name}.png")
