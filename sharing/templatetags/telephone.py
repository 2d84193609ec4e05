"""A telephone number on a narrow screen: on one line, so that it can be read out and tapped."""

from __future__ import annotations

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def unbroken(sentence: str, number: str) -> SafeString:
    """The sentence as HTML, with `number` kept on one line wherever it stands in it."""
    if not number:
        return format_html("{}", sentence)
    kept = format_html('<span class="no-break">{}</span>', number)
    # Both parts are escaped; splitting the escaped text keeps a number that markup would have changed whole.
    return mark_safe(conditional_escape(sentence).replace(conditional_escape(number), kept))  # noqa: S308
