"""The one-time link with which a new installation's owner sets up the practice.

The token stands in the URL's fragment, which reaches no log, and is kept as a keyed hash. It works for a day,
once, and only while the installation has no owner.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from portal.accounts.models import OwnerLink, Role, User
from portal.clock import now
from portal.errors import Gone
from portal.sealed.keys import installation_key

LIFETIME: Final = timedelta(hours=24)
TOKEN_BYTES: Final = 16


def make_owner_link() -> str | None:
    """A new link, or None when the installation has an owner. Links made before stop working."""
    if has_owner():
        return None
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        OwnerLink.objects.all().delete()
        OwnerLink.objects.create(token_hmac=_hmac(token), expires_at=now() + LIFETIME)
    return f"{settings.PUBLIC_BASE_URL}/setup/#{token}"


def has_owner() -> bool:
    """Whether somebody owns a practice here."""
    return User.objects.filter(memberships__role=Role.OWNER, memberships__is_active=True).exists()


def use_owner_link(token: str) -> None:
    """Use the link up, in the transaction that makes the owner. Raises `Gone` unless it is the live one."""
    moment = now()
    live = OwnerLink.objects.filter(token_hmac=_hmac(token), used_at=None, expires_at__gt=moment)
    if has_owner() or live.update(used_at=moment) != 1:
        raise Gone("This link has ended or was used already. Start Scanpass again to get a new one.")


def _hmac(token: str) -> bytes:
    key = installation_key("tok", "owner-link")
    return hmac.new(key, token.strip().encode(), hashlib.sha256).digest()
