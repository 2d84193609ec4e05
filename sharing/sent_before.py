"""To whom a patient's images went before: offered again on the share form, without typing."""

from __future__ import annotations

from typing import Any, Final

from portal.records.models import Patient
from portal.records.templatetags.desk import phone
from sharing.known import KnownAddress
from sharing.models import Share

SHOWN_MAX: Final = 5
_LOOKED_AT: Final = 50


def sent_before(patient: Patient) -> list[dict[str, Any]]:
    """The last recipients, each once, with the language they were written to in; none whose address is bad.

    `[{"kind", "name", "channel", "address", "language", "is_verified"}]`
    """
    known = {bytes(row.address_index): row for row in patient.known_addresses.all()}
    found: dict[tuple[str, bytes, str], dict[str, Any]] = {}
    shares = Share.objects.filter(patient=patient, disclosure__disclosed_by__isnull=False)
    for share in shares.select_related("disclosure").order_by("-created_at")[:_LOOKED_AT]:
        index = bytes(share.address_index)
        row = known.get(index)
        if (row and row.bad_at) or (share.revoked_at and never_left(share)):
            continue
        name = share.disclosure.recipient_name
        found.setdefault((share.disclosure.recipient_kind, index, name), _entry(share, row))
        if len(found) == SHOWN_MAX:
            break
    return list(found.values())


def never_left(share: Share) -> bool:
    """Whether nothing ever went there: it was undone, or it waits."""
    return share.token_hmac is None and share.links_sent == 0


def _entry(share: Share, row: KnownAddress | None) -> dict[str, Any]:
    return {
        "kind": share.disclosure.recipient_kind,
        "name": share.disclosure.recipient_name,
        "channel": share.channel,
        "address": phone(share.address),
        "language": share.language,
        "is_verified": bool(row and row.verified_at),
    }
