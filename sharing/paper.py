"""What is kept of a printed letter: a keyed hash of the desk code on its slip, and nothing that could be read."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models

from portal.accounts.models import User

if TYPE_CHECKING:
    from sharing.models import Share


class DeskCode(models.Model):
    """The code on a printed slip, for recipients without a phone. It opens only with the link it was printed with.

    `link_hmac` is the share's `token_hmac` at that moment: a link sent later, or another letter, has another one,
    and with that this code is over.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    share = models.ForeignKey("sharing.Share", on_delete=models.PROTECT, related_name="desk_codes")
    link_hmac = models.BinaryField(max_length=32, unique=True)
    code_hmac = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()
    printed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"desk code {self.pk}"


def is_on_paper(share: Share) -> bool:
    """Whether the link that lives now was printed, so that the code is on a slip and none is ever texted."""
    hmac = share.token_hmac
    return hmac is not None and DeskCode.objects.filter(link_hmac=bytes(hmac)).exists()
