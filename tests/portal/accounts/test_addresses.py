"""Where a request comes from: believed only as far as the proxies we know."""

from __future__ import annotations

import pytest

from portal.accounts.addresses import client_address


def _asked(rf, peer: str, forwarded: str = "") -> str:
    return client_address(rf.get("/", headers={"x-forwarded-for": forwarded}, REMOTE_ADDR=peer))


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:51324", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("unix:", ""),
        ("nobody", ""),
    ],
)
def test_an_address_is_told_in_one_form(rf, told, address):
    assert _asked(rf, told) == address


def test_without_a_known_proxy_the_header_is_not_believed(rf):
    assert _asked(rf, "203.0.113.9", forwarded="198.51.100.1") == "203.0.113.9"


def test_behind_one_proxy_only_the_last_hop_counts(rf, settings):
    settings.TRUSTED_PROXIES = 1
    assert _asked(rf, "10.0.0.1", forwarded="6.6.6.6, 198.51.100.1:443") == "198.51.100.1"


def test_fewer_hops_than_proxies_falls_back_to_the_peer(rf, settings):
    settings.TRUSTED_PROXIES = 2
    assert _asked(rf, "10.0.0.1", forwarded="198.51.100.1") == "10.0.0.1"
