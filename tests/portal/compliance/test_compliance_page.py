"""The Compliance page says what is, read from the running system: R4, R6, R8, R18, R20, R26."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from portal.accounts.models import TotpDevice, User
from portal.audit.guards import guard, unguard
from portal.audit.models import AuditEntry, CheckpointPlace
from portal.audit.places import place_of
from portal.backups import runs
from portal.backups.models import Run
from portal.clock import now
from portal.compliance import access, evidence, storage
from portal.compliance.safeguard import aged, ago, span
from portal.compliance.views import SAFEGUARDS
from portal.practice.models import BusinessAssociate, Practice
from portal.sealed.keys import forget_keys
from tests.cast import make_agreement, signed_in
from tests.conftest import MovableClock

pytestmark = pytest.mark.django_db


def page_for(user: User) -> str:
    return signed_in(user).get("/desk/compliance/").content.decode()


def test_r4_page_shows_every_safeguard_with_its_paragraph_and_is_an_entry(
    olga: User, smile: Practice
) -> None:
    page = page_for(olga)
    for look in SAFEGUARDS:
        one = look(smile.pk)
        assert f"<h3>{one.name}</h3>" in page
        assert f"45 CFR {one.rule}" in page
        assert one.says.split(" ago")[0][-20:] in page or one.name in page
    assert AuditEntry.objects.get(code="compliance.read").actor_id == olga.pk


def test_fresh_installation_names_its_open_risks(olga: User) -> None:
    page = page_for(olga)
    risks = page[page.index("Open risks") : page.index("Safeguards</h2>")]
    for name in (
        "Backup.",
        "Restore drill.",
        "Encryption on the way.",
        "Keys held apart.",
        "Witnesses of the trail.",
    ):
        assert f"<strong>{name}</strong>" in risks
    assert "<strong>Encryption at rest" not in risks


def test_r6_member_without_a_second_factor_is_counted(smile: Practice, olga: User, dana: User) -> None:
    assert access.second_factor(smile.pk).state == "good"
    TotpDevice.objects.filter(user=dana).delete()
    found = access.second_factor(smile.pk)
    assert (found.state, found.says.split(".")[0]) == (
        "warn",
        "1 of 2 members of staff have a second factor",
    )


def test_r8_backup_ages_from_good_to_bad(smile: Practice, settings: Any, clock: MovableClock) -> None:
    assert "No place for backups" in storage.backup(smile.pk).says
    settings.BACKUP_TARGET = "/mnt/backups"
    assert "No backup was made" in storage.backup(smile.pk).says
    runs.end(runs.begin(Run.Kind.BACKUP), Run.Outcome.OK, "3 packs are in the backup.", packs=3)
    states = []
    for _ in range(3):
        states.append(storage.backup(smile.pk).state)
        clock.advance(seconds=settings.BACKUP_EVERY_S * 0.9)
    assert states == ["good", "good", "warn"]
    clock.advance(days=2)
    assert storage.backup(smile.pk).state == "bad"


def test_r8_a_backup_that_did_not_end_well_is_told_beside_the_last_good_one(
    smile: Practice, settings: Any, clock: MovableClock
) -> None:
    settings.BACKUP_TARGET = "/mnt/backups"
    runs.end(runs.begin(Run.Kind.BACKUP), Run.Outcome.DAMAGED, "The vault has lost 2 packs.")
    assert storage.backup(smile.pk).says == "No backup was good yet: The vault has lost 2 packs."
    for outcome, state in [
        (Run.Outcome.OK, "good"),
        (Run.Outcome.FAILED, "warn"),
        (Run.Outcome.DAMAGED, "bad"),
    ]:
        runs.end(runs.begin(Run.Kind.BACKUP), outcome, f"It was {outcome}.")
        found = storage.backup(smile.pk)
        assert (found.state, f"It was {outcome}." in found.says) == (state, True)
        assert "It was ok." in found.says
        clock.advance(minutes=5)
    runs.end(runs.begin(Run.Kind.BACKUP), Run.Outcome.OK, "Made again.")
    assert storage.backup(smile.pk).state == "good"


def test_r8_drill_tells_rpo_and_rto_and_a_failed_one_is_a_risk(smile: Practice) -> None:
    assert storage.drill(smile.pk).state == "bad"
    facts = {"rpo_s": 7200, "rto_s": 180, "rto_per_100gb_s": 1800, "studies": 3, "entries": 90}
    runs.end(runs.begin(Run.Kind.DRILL), Run.Outcome.OK, "Restored.", **facts)
    found = storage.drill(smile.pk)
    assert found.state == "good"
    assert dict(found.evidence)["Data was old (RPO)"] == "2 hours"
    assert dict(found.evidence)["Would take for 100 GB"] == "30 minutes"
    runs.end(runs.begin(Run.Kind.DRILL), Run.Outcome.DAMAGED, "The backup lacks images of 2 studies.")
    assert storage.drill(smile.pk).state == "bad"


def test_scrub_that_found_damage_is_a_risk(smile: Practice) -> None:
    runs.end(runs.begin(Run.Kind.SCRUB), Run.Outcome.OK, "All 9 objects are as they were stored.", objects=9)
    assert storage.scrub(smile.pk).state == "good"
    runs.end(runs.begin(Run.Kind.SCRUB), Run.Outcome.DAMAGED, "1 of 3 studies are damaged.", objects=9)
    assert storage.scrub(smile.pk).state == "bad"


def test_r7_changed_trail_is_named_with_its_entry(smile: Practice, olga: User) -> None:
    assert evidence.trail(smile.pk).state == "good"
    table = AuditEntry._meta.db_table
    unguard(connection, table)
    AuditEntry.objects.filter(practice_id=smile.pk, n=2).update(outcome="refused")
    guard(connection, table)
    found = evidence.trail(smile.pk)
    assert found.state == "bad"
    assert "entry 2" in found.says


def test_r7_a_print_of_the_page_is_a_point_to_hold_the_trail_to(smile: Practice, olga: User) -> None:
    page = page_for(olga)
    (anchor,) = re.findall(r"<dd>(\d+:[0-9a-f]{64})</dd>", page)
    call_command("verify_audit", "--practice", str(smile.pk), "--anchor", anchor)
    forged = f"{anchor[:-1]}{'0' if anchor[-1] != '0' else '1'}"
    with pytest.raises(CommandError, match="trail was changed"):
        call_command("verify_audit", "--practice", str(smile.pk), "--anchor", forged)


def test_r7_fewer_than_two_witnesses_outside_are_a_risk(
    smile: Practice, settings: Any, tmp_path: Path, clock: MovableClock
) -> None:
    settings.CHECKPOINT_PLACES = [str(Path(settings.STATE_DIR) / "checkpoints"), str(tmp_path / "one")]
    assert evidence.witnesses(smile.pk).says.startswith(
        "Signed checkpoints of the trail go to 1 place outside"
    )
    settings.CHECKPOINT_PLACES = [str(tmp_path / "one"), "https://witness.example/scanpass"]
    found = evidence.witnesses(smile.pk)
    assert (found.state, "never delivered" in dict(found.evidence).values()) == ("warn", True)
    for address in settings.CHECKPOINT_PLACES:
        CheckpointPlace.objects.create(name=place_of(address).name, sequence=1, delivered_at=now())
    assert evidence.witnesses(smile.pk).state == "good"
    CheckpointPlace.objects.filter(name__startswith="https").update(failure="it does not answer")
    assert evidence.witnesses(smile.pk).state == "good", "away for a moment"
    clock.advance(hours=2)
    assert "have not reached https://witness.example" in evidence.witnesses(smile.pk).says
    CheckpointPlace.objects.update(failure="")
    assert evidence.witnesses(smile.pk).state == "good", "a quiet night has nothing to deliver"


def test_r18_locked_vendor_is_a_risk_and_an_agreement_ends_it(smile: Practice, settings: Any) -> None:
    assert "nothing leaves" in access.agreements(smile.pk).says
    settings.BACKUP_VENDOR = "cold-store"
    assert access.agreements(smile.pk).state == "bad"
    vendor = BusinessAssociate.objects.create(practice=smile, name="Cold Store", adapter="cold-store")
    today = now().date()
    make_agreement(vendor, ends_on=today + timedelta(days=20))
    found = access.agreements(smile.pk)
    assert (found.state, found.evidence[0][0]) == ("warn", "Cold Store (Store of the backups (cold-store))")


def test_keys_out_of_reach_are_told(smile: Practice, settings: Any, tmp_path: Path) -> None:
    assert storage.encryption(smile.pk).state == "good"
    settings.KEYRING_PATH = tmp_path / "gone.json"
    forget_keys()
    assert storage.encryption(smile.pk).state == "bad"


def test_r10_https_address_is_good(smile: Practice, settings: Any) -> None:
    assert access.transmission(smile.pk).state == "bad"
    settings.PUBLIC_BASE_URL, settings.SECURE_HSTS_SECONDS = "https://scans.example.com", 63_072_000
    found = access.transmission(smile.pk)
    assert found.state == "good"
    assert dict(found.evidence)["Strict transport security"] == "730 days"


def test_words_for_times() -> None:
    moment = now()
    assert ago(moment, moment - timedelta(days=1, hours=3)) == "1 day ago"
    assert ago(moment, moment) == "just now"
    assert (span(90), span(7200), span(172_800)) == ("90 seconds", "2 hours", "2 days")
    assert aged(moment, None, warn=timedelta(1), bad=timedelta(2)) == "bad"
