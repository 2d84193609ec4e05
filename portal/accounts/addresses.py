"""Where a request comes from, as far as that can be known."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The network address of the client: believed from X-Forwarded-For only behind known proxies."""
    if settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        if len(hops) >= settings.TRUSTED_PROXIES:
            return _plain_address(hops[-settings.TRUSTED_PROXIES])
    return _plain_address(request.META.get("REMOTE_ADDR", ""))


def _plain_address(text: str) -> str:
    """The address alone: proxies may add a port, and dual-stack sockets tell IPv4 as ::ffff:a.b.c.d."""
    host = text.removeprefix("[").partition("]")[0] if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)
