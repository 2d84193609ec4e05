"""What comes in, what goes out, and what the images take up: the page for whoever asks "what is this connected to?"."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.accounts.permissions import Action, may
from portal.backups.address import in_words as backup_in_words
from portal.practice import adapters
from portal.practice.agreements import has_agreement
from portal.records.usage import usage_of


@dataclass(frozen=True, slots=True)
class Connection:
    """One way in or out. `is_ready` is None where none is configured."""

    name: str
    says: str
    is_ready: bool | None

    @property
    def in_a_word(self) -> str:
        return {None: "Not used", True: "Ready", False: "Closed"}[self.is_ready]


@may(Action.READ_COMPLIANCE)
@require_safe
def connections(request: HttpRequest) -> HttpResponse:
    """Storage use and every integration of this practice, as they are now."""
    practice = request.actor.practice  # type: ignore[attr-defined]
    page = {
        "section": "compliance",
        "usage": usage_of(practice),
        "free_bytes": shutil.disk_usage(settings.STATE_DIR).free,
        "ways_in": _ways_in(),
        "ways_out": [*_vendors(practice), *_places(practice)],
    }
    return render(request, "compliance/connections.html", page)


def _ways_in() -> list[Connection]:
    return [
        Connection(
            "Browser", "Folders, files and ZIPs dropped on a patient's page; nothing to install.", True
        ),
        Connection("Server", "A folder on the server: manage.py ingest. For exports of a PACS.", True),
    ]


def _vendors(practice: UUID) -> list[Connection]:
    used = adapters.in_use()
    return [_vendor(practice, name, name in used) for name, _ in adapters.choices()]


def _vendor(practice: UUID, adapter: str, is_used: bool) -> Connection:
    if not is_used:
        return Connection(adapters.in_words(adapter), "Not switched on.", None)
    if has_agreement(practice, adapter):
        return Connection(adapters.in_words(adapter), "An agreement is in force.", True)
    says = "No agreement is in force, so nothing goes there."
    if adapter == adapters.key_vendor():
        says = "No agreement is in force, so nothing new goes under its keys; what is stored still opens."
    return Connection(adapters.in_words(adapter), says, False)


def _backups(practice: UUID) -> Connection:
    if not settings.BACKUP_TARGET:
        return Connection("Backups", "Not set up.", None)
    vendor = settings.BACKUP_VENDOR
    is_ready = not vendor or has_agreement(practice, vendor)
    return Connection("Backups", f"To {backup_in_words(settings.BACKUP_TARGET)}.", is_ready)


def _places(practice: UUID) -> list[Connection]:
    collector = urlsplit(settings.AUDIT_COLLECTOR).hostname
    return [
        _backups(practice),
        Connection(
            "Audit collector",
            f"DICOM audit messages over TLS to {collector}." if collector else "Not set up.",
            True if collector else None,
        ),
        Connection(
            "Checkpoints of the trail",
            f"To {len(settings.CHECKPOINT_PLACES)} place{'s' if len(settings.CHECKPOINT_PLACES) != 1 else ''}.",
            True if settings.CHECKPOINT_PLACES else None,
        ),
    ]
