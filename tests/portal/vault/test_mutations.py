"""R5: no changed object opens, and none in another place. `python -m bench.vault.mutate` tries a million."""

from __future__ import annotations

from portal.vault.stream import open_bytes, seal_bytes
from tests.portal.vault.mutations import LONG_EVERY, PLACE, WAYS, Tried, mutate, places, swap

COUNT = 100 * LONG_EVERY


def test_r5_no_changed_object_is_opened() -> None:
    tried = mutate(range(COUNT))
    assert (tried.accepted, tried.crashed) == ([], [])
    assert set(tried.ways.values()) == {COUNT // len(WAYS)}
    assert {"magic", "size", "length", "commitment", "tag", "trailing"} <= set(tried.reasons)


def test_r5_no_object_key_or_value_opens_in_the_place_of_another() -> None:
    tried = swap()
    assert (tried.accepted, tried.crashed) == ([], [])
    assert tried.ways["object in another place"] == len(places()) * (len(places()) - 1) > 500


def test_what_opens_is_counted_as_accepted() -> None:
    tried, sealed = Tried(), seal_bytes(b"as it was", **PLACE)
    tried.expect_refusal("nothing", "0", lambda: open_bytes(sealed, **PLACE, length=None))
    tried.expect_refusal("nothing", "1", lambda: 1 // 0)
    assert (len(tried.accepted), len(tried.crashed)) == (1, 1)
