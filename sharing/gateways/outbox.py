"""The demo's way out: nowhere. Messages become lines of a file that the demo's outbox page shows."""

from __future__ import annotations

import json
import os
import uuid

from django.conf import settings

from portal.clock import now
from sharing.gateways.base import Outgoing


class OutboxGateway:
    """Appends `{"to", "body", "at", "kind"}` to `outbox.jsonl` in the state directory; only its owner reads it."""

    name = "outbox"
    rings = False
    needs_agreement = False
    speaks = True

    def deliver(self, outgoing: Outgoing) -> str:
        line = {
            "to": outgoing.address,
            "body": outgoing.body,
            "at": now().isoformat(),
            "kind": outgoing.kind,
        }
        if outgoing.subject:
            line["subject"] = outgoing.subject
        handle = os.open(settings.STATE_DIR / "outbox.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # One write of one line: with O_APPEND, lines of two workers don't mix.
            os.write(handle, json.dumps(line, ensure_ascii=False).encode() + b"\n")
        finally:
            os.close(handle)
        return f"outbox-{uuid.uuid4().hex[:12]}"
