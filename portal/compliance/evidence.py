"""The record: the trail, what holds it from outside, and the disclosures."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings

from portal.audit.models import AuditEntry, CheckpointPlace
from portal.audit.places import place_of
from portal.audit.verify import verify
from portal.clock import now
from portal.compliance.safeguard import Safeguard, State, ago
from portal.records.models import Disclosure

# A page must not keep its reader waiting: a longer chain is verified by the command and by the drill.
VERIFIED_HERE_MAX = 50_000
# Two, so that one that is lost or bribed is not the only witness.
PLACES_MIN = 2
# A place that was away for a moment catches up; one that has been for this long is no witness.
LATE = timedelta(hours=1)
_NAME_TWO = "Name two in SCANPASS_CHECKPOINT_PLACES, of which one belongs to somebody else."
_TRAIL, _RULE = "Audit trail", "164.312(b), (c), 164.316(b)(2)"


def trail(practice: UUID) -> Safeguard:
    """The chain of this practice, walked now, and where it stands: a print of the page is a point to hold it to."""
    entries = AuditEntry.objects.filter(practice_id=practice)
    count, first = entries.count(), entries.order_by("n").first()
    evidence: list[tuple[str, object]] = [("Entries", count), ("Since", first.at if first else "nothing yet")]
    if count > VERIFIED_HERE_MAX:
        says = "The chain is too long to walk for a page. Run: manage.py verify_audit"
        return Safeguard(_TRAIL, _RULE, "warn", says, evidence)
    verdict = verify(practice)
    if verdict.finding:
        found = verdict.finding
        says = f"The trail was changed: entry {found.n}, {found.sentence}. Keep everything as it is."
        return Safeguard(_TRAIL, _RULE, "bad", says, evidence)
    evidence += [
        ("It stands at", f"{verdict.entries}:{verdict.head.hex()}"),
        ("To verify it", f"manage.py verify_audit --practice {practice} --anchor N:HASH"),
    ]
    says = (
        "Every entry follows from the one before it; walked just now. Nothing of it is ever deleted."
        " A print of where it stands can be held against it later."
    )
    return Safeguard(_TRAIL, _RULE, "good", says, evidence)


def witnesses(practice: UUID) -> Safeguard:
    """Where signed checkpoints of the trail went: whoever owns this machine could otherwise write it anew."""
    moment = now()
    outside = [address for address in settings.CHECKPOINT_PLACES if _is_outside(address)]
    known = {place.name: place for place in CheckpointPlace.objects.all()}
    delivered = [(address, known.get(place_of(address).name)) for address in outside]
    late = [address for address, place in delivered if not _is_fresh(place, moment)]
    evidence: list[tuple[str, object]] = [
        (address, ago(moment, place.delivered_at) if place and place.delivered_at else "never delivered")
        for address, place in delivered
    ]
    evidence += [("Made at least every", f"{settings.CHECKPOINT_EVERY_S // 60} minutes")]
    state: State = "warn"
    if len(outside) < PLACES_MIN:
        places = "1 place" if len(outside) == 1 else f"{len(outside)} places"
        says = f"Signed checkpoints of the trail go to {places} outside the state folder. {_NAME_TWO}"
    elif late:
        says = f"Checkpoints have not reached {' or '.join(late)} for an hour."
    else:
        state, says = "good", f"Signed checkpoints of the trail reach {len(outside)} places outside."
    return Safeguard("Witnesses of the trail", "164.312(c)(2)", state, says, evidence)


def _is_outside(address: str) -> bool:
    """Beside the data it would be rewritten together with them."""
    if address.startswith("https://"):
        return True
    return not Path(address).resolve().is_relative_to(Path(settings.STATE_DIR).resolve())


def _is_fresh(place: CheckpointPlace | None, moment: datetime) -> bool:
    """Where nothing happened there is nothing to deliver, so only a refusal makes it late."""
    if place is None or place.delivered_at is None:
        return False
    return not place.failure or moment - place.delivered_at <= LATE


def disclosures(practice: UUID) -> Safeguard:
    """Each share is an entry of the patient's record, written in the same transaction."""
    return Safeguard(
        "Record of disclosures",
        "164.528",
        "good",
        "No link is made without its entry in the patient's record.",
        [("Entries", Disclosure.objects.filter(practice_id=practice).count())],
    )
