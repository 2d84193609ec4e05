"""The hours in which no phone rings: a practice's night, in its own time zone.

A code never waits: its owner pressed the button a moment ago. A link waits unless the desk says "send now".

Source: 47 CFR 64.1200(c)(1) (8 a.m. to 9 p.m.).
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from portal.practice.models import Practice


def end_of_quiet(practice: Practice, moment: datetime) -> datetime | None:
    """When the practice's night ends, if it is night there now.

    The hours are local ones, so the answer is right on the days on which clocks change. Equal hours: no night.
    """
    opens, closes = settings.QUIET_UNTIL_HOUR, settings.QUIET_FROM_HOUR
    if opens == closes:
        return None
    zone = ZoneInfo(practice.time_zone)
    local = moment.astimezone(zone)
    is_night = closes <= local.hour or local.hour < opens if closes > opens else closes <= local.hour < opens
    if not is_night:
        return None
    day = local.date() + timedelta(days=1 if local.hour >= opens else 0)
    return datetime.combine(day, time(opens), tzinfo=zone)
