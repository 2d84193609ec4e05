"""Making a share's link dead while the share goes on: no token, no session, no message that is still waiting.

Both verbs that need it (another number, a lost phone) call it in their own transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sharing.models import Message, Share
from sharing.sessions import end_all

REPLACED: Final = "The number was changed before it was sent."
_WAITING: Final = (Message.State.QUEUED, Message.State.HELD)


def kill_link(share: Share, moment: datetime) -> int:
    """Forget the link and end what came in by it; returns how many sessions ended.

    A worker that is just now sending finds the share's address or token changed, and its link opens nothing.
    """
    Share.objects.filter(pk=share.pk).update(token_hmac=None)
    share.messages.filter(state__in=_WAITING).update(state=Message.State.FAILED, failure=REPLACED)
    return end_all(share, moment)
