"""The printed letter: a link as a QR code and a desk code on a slip of its own, for recipients without a phone.

Link and code are born here and leave only on the paper: printing again makes new ones, and the letter before is
dead. A text or an e-mail that still waited to be sent is given up, for its link would kill the letter's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import transaction

from portal.audit import trail
from portal.audit.actor import Actor
from portal.clock import now
from portal.errors import Conflict, InvalidInput, NotFound
from portal.records.disclosures import note
from portal.records.models import Disclosure, DisclosureEvent
from sharing.desk_code import desk_code_hmac, grouped, make_desk_code
from sharing.hold import close_unsent
from sharing.liveness import live
from sharing.models import DeskTask, Message, Share
from sharing.paper import DeskCode
from sharing.sessions import end_all
from sharing.todo import close_tasks
from sharing.tokens import link_of, mint, token_hmac

INSTEAD = "A letter was printed instead."


@dataclass(frozen=True, slots=True)
class Letter:
    """What the two sheets say. `key` is the link's secret part, for whoever types it; it is never kept."""

    share: Share
    printed_at: datetime
    link: str = field(repr=False)
    key: str = field(repr=False)
    code: str = field(repr=False)

    @property
    def address(self) -> str:
        """The address without its secret part."""
        return f"{settings.PUBLIC_BASE_URL}/s/"


def print_letter(share: Share, *, actor: Actor) -> Letter:
    """Make link and code for one letter; the link before, and whoever came in by it, is out.

    Raises `Conflict` for a share that doesn't live, `InvalidInput` for a dentist's: they have an address.
    """
    if share.practice_id != actor.practice or actor.id is None:
        raise NotFound
    if share.disclosure.recipient_kind == Disclosure.Recipient.DENTIST:
        raise InvalidInput("A dentist gets the link by e-mail or text message. Letters are for patients.")
    token, code, moment = mint(), make_desk_code(), now()
    with transaction.atomic():
        if not Share.objects.filter(live(moment), pk=share.pk).update(token_hmac=token_hmac(token)):
            raise Conflict(
                "This share has ended, is locked or suspended. Make a new one, or unlock it first."
            )
        end_all(share, moment)
        for waiting in share.messages.filter(state__in=_unsent()).select_related("share"):
            close_unsent(waiting, INSTEAD, tell_desk=False)
        for kind in (DeskTask.Kind.SEND_FAILED, DeskTask.Kind.RENEWAL):
            close_tasks(share, kind)
        DeskCode.objects.create(
            share=share,
            link_hmac=token_hmac(token),
            code_hmac=desk_code_hmac(code, share=share.pk),
            created_at=moment,
            printed_by_id=actor.id,
        )
        trail.record("share.letter-printed", actor=actor, patient=share.patient_id, share=share.pk)
        note(share.disclosure_id, DisclosureEvent.Kind.PRINTED)
    return Letter(share, moment, link_of(token), _in_groups(token), grouped(code))


def _unsent() -> list[str]:
    return [Message.State.QUEUED, Message.State.HELD]


def _in_groups(token: str) -> str:
    return " ".join(token[start : start + 4] for start in range(0, len(token), 4))
