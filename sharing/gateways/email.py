"""E-mail, by whatever Django is set up to send it with (`EMAIL_URL`)."""

from __future__ import annotations

import smtplib
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage

from sharing.gateways.base import Outgoing, Undeliverable
from sharing.troubles import Trouble

# Backends that keep the message on this machine.
_LOCAL: Final = ("console.EmailBackend", "locmem.EmailBackend")


class EmailGateway:
    """Plain text, no pictures, no tracking: nothing in it calls home."""

    name = "email"
    rings = False
    speaks = False

    @property
    def needs_agreement(self) -> bool:
        return not settings.EMAIL_BACKEND.endswith(_LOCAL)

    def deliver(self, outgoing: Outgoing) -> str:
        message = EmailMessage(
            outgoing.subject, outgoing.body, settings.DEFAULT_FROM_EMAIL, [outgoing.address]
        )
        try:
            message.send()
        except smtplib.SMTPRecipientsRefused:
            raise Undeliverable(Trouble.BAD_ADDRESS) from None
        except smtplib.SMTPAuthenticationError:
            raise Undeliverable(Trouble.REFUSED) from None
        except (smtplib.SMTPException, OSError):
            raise Undeliverable(Trouble.DOWN) from None
        return ""
