"""People and what leaves: second factors, roles, transmission, vendors."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from django.conf import settings

from portal.accounts.models import Role
from portal.audit.models import AuditEntry
from portal.compliance.safeguard import Safeguard
from portal.practice import adapters
from portal.practice.agreements import Standing, associates_of, has_agreement, standing_of
from portal.practice.staff import members_of


def second_factor(practice: UUID) -> Safeguard:
    """Who can come in, and with what: nobody does without a second factor, so a missing one is a person locked out."""
    members = [member for member in members_of(practice) if member.is_active]
    with_it = sum(member.has_second_factor for member in members)  # type: ignore[attr-defined]
    lacking = len(members) - with_it
    says = f"{with_it} of {len(members)} members of staff have a second factor."
    if lacking:
        says += " The others can't come in before they have set it up."
    roles = Counter(Role(member.role).label for member in members)
    return Safeguard(
        "Staff sign-in",
        "164.312(a)(2)(i), (d)",
        "warn" if lacking else "good",
        says,
        [
            *sorted(roles.items()),
            ("Signed out when idle for", f"{settings.STAFF_IDLE_S // 60} minutes"),
            ("Refused sign-ins in the trail", _count(practice, "staff.sign-in-refused")),
        ],
    )


def roles(practice: UUID) -> Safeguard:
    """Role-based access: one table, asked at every address."""
    return Safeguard(
        "Access by role",
        "164.308(a)(4), 164.312(a)(1)",
        "good",
        "Every page asks one table of roles; what another practice owns is not found.",
        [("Refused and written down", _count(practice, "access.refused"))],
    )


def transmission(practice: UUID) -> Safeguard:
    """TLS in front: what the settings ask of every browser."""
    is_https = settings.PUBLIC_BASE_URL.startswith("https://")
    says = (
        "Pages are reached by TLS only, and browsers are told to remember that."
        if is_https
        else "The public address is plain HTTP: put TLS in front and set SCANPASS_PUBLIC_BASE_URL."
    )
    return Safeguard(
        "Encryption on the way",
        "164.312(e)",
        "good" if is_https else "bad",
        says,
        [
            ("Public address", settings.PUBLIC_BASE_URL),
            ("Strict transport security", span_of_hsts()),
            ("Proxies in front", settings.TRUSTED_PROXIES),
        ],
    )


def span_of_hsts() -> str:
    """What browsers are told, in days."""
    return f"{settings.SECURE_HSTS_SECONDS // 86_400} days" if settings.SECURE_HSTS_SECONDS else "off"


def agreements(practice: UUID) -> Safeguard:
    """Vendors and their agreements; a locked adapter sends nothing, so it is a gap in service, told as a risk."""
    standings = [(one, standing_of(one)) for one in associates_of(practice)]
    locked = [adapters.in_words(name) for name in adapters.in_use() if not has_agreement(practice, name)]
    soon = [one.name for one, standing in standings if standing.state == "ends-soon"]
    if locked:
        state, says = "bad", f"Switched on and locked for want of an agreement: {', '.join(locked)}."
        if not has_key_agreement(practice):
            says += " Its keys open what is stored; no new patients, images or keys are taken in."
    elif soon:
        state, says = "warn", f"Agreements that end within 60 days: {', '.join(soon)}."
    elif adapters.in_use():
        state, says = "good", "Every vendor that is switched on has an agreement in force."
    else:
        state, says = "good", "No vendor is switched on: nothing leaves this installation."
    return Safeguard(
        "Business associates",
        "164.308(b), 164.314(a)",
        state,  # type: ignore[arg-type]
        says,
        [
            (f"{one.name} ({adapters.in_words(one.adapter)})", _in_words(standing))
            for one, standing in standings
        ],
    )


def has_key_agreement(practice: UUID) -> bool:
    """Whether whoever keeps the keys may keep more."""
    vendor = adapters.key_vendor()
    return not vendor or has_agreement(practice, vendor)


def _in_words(standing: Standing) -> str:
    ends, words = standing.ends_on, standing.state.replace("-", " ").replace("none", "no agreement")
    return f"{words}, last day {ends:%b %-d, %Y}" if ends else words


def _count(practice: UUID, code: str) -> int:
    return AuditEntry.objects.filter(practice_id=practice, code=code).count()
