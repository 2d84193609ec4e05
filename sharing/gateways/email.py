"""E-mail, by whatever Django is set up to send it with (`EMAIL_URL`)."""

from __future__ import annotations

import smtplib
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage

from sharing.gateways.base import Undeliverable

# Backends that keep the message on this machine.
_LOCAL: Final = ("console.EmailBackend", "locmem.EmailBackend")


class EmailGateway:
    """Plain text, no pictures, no tracking: nothing in it calls home."""

    name = "email"

    @property
    def needs_agreement(self) -> bool:
        return not settings.EMAIL_BACKEND.endswith(_LOCAL)

    def deliver(self, address: str, body: str, *, kind: str, subject: str = "") -> str:
        message = EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [address])
        try:
            message.send()
        except smtplib.SMTPRecipientsRefused:
            raise Undeliverable("The mail server refused this address. Please check it.") from None
        except (smtplib.SMTPException, OSError):
            raise Undeliverable("The mail server can't be reached.", is_final=False) from None
        return ""
