"""Sentences that recipients may read and that stand in modules which know no Django: marked here for the catalogue."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop as _

OF_ERRORS: Final = (
    _("Something went wrong"),
    _("Something went wrong on our side. Please try again in a minute."),
    _("Please check what you entered"),
    _("Something in this form is missing or wrong. Please check it and send it again."),
    _("Please sign in again"),
    _("Your session has ended. Please sign in again."),
    _("Not allowed"),
    _("Your role does not allow this. Ask the practice owner if you need it."),
    _("Not found"),
    _("There is nothing here, or it is not yours to open."),
    _("Already changed"),
    _("This has changed in the meantime. Please reload the page."),
    _("This link has ended"),
    _("This link has ended. Please ask your dental office for a new one."),
    _("Too large"),
    _("That was more than can be sent at once. Please send less."),
    _("That does not match"),
    _("That does not match. Please check it and try again."),
    _("Please wait"),
    _("That was too often. Please wait a little and try again."),
    _("This image can't be shown"),
    _("This image failed its safety check and can't be shown. Please call the dental office."),
    _("Closed for now"),
    _("The system is locked because its keys can't be reached. Please try again in a few minutes."),
    _("Busy for a moment"),
    _("The system is busy. Please try again in a minute."),
    _("The disk is full"),
    _("This page was open too long. Please reload it and try again."),
)
"""Of `portal.errors` and `portal.problems`."""
