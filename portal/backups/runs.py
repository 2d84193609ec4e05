"""Writing down what was done, in the installation's own list and in every practice's trail."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from portal.audit import trail
from portal.audit.actor import system
from portal.audit.events import FAILED, OK
from portal.backups.models import Run
from portal.clock import now
from portal.practice.models import Practice

_CODES = {
    Run.Kind.BACKUP: "backup.made",
    Run.Kind.RESTORE: "backup.restored",
    Run.Kind.DRILL: "backup.drilled",
    Run.Kind.SCRUB: "vault.scrubbed",
}


def begin(kind: Run.Kind) -> Run:
    """A run that is under way; one that was killed stays so and is seen."""
    return Run.objects.create(kind=kind, started_at=now())


def close_killed(run: Run) -> None:
    """Say of earlier runs of this kind that are still under way that they never ended; ask it while they can't be."""
    for killed in Run.objects.filter(kind=run.kind, outcome=Run.Outcome.RUNNING).exclude(pk=run.pk):
        end(killed, Run.Outcome.FAILED, "It was ended before it was done.")


def end(run: Run, outcome: Run.Outcome, sentence: str, **facts: Any) -> Run:
    """Close the run and write it into the trail of every practice, in one transaction."""
    with transaction.atomic():
        run.outcome, run.sentence, run.facts = outcome, sentence[:300], facts
        run.finished_at = now()
        run.save()
        told: dict[str, Any] = {
            name: value for name, value in facts.items() if isinstance(value, int | float | str)
        }
        for practice in Practice.objects.values_list("pk", flat=True):
            trail.record(
                _CODES[Run.Kind(run.kind)],
                actor=system(practice),
                outcome=OK if outcome == Run.Outcome.OK else FAILED,
                **told,
            )
    return run


def latest(kind: Run.Kind, *, good_only: bool = True) -> Run | None:
    """The last finished run of a kind."""
    runs = Run.objects.filter(kind=kind, finished_at__isnull=False)
    if good_only:
        runs = runs.filter(outcome=Run.Outcome.OK)
    return runs.order_by("-finished_at").first()
