"""Sealed objects: what opens, and every way in which one must not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from tests.vectors.vault import reference
from tests.vectors.vault.cast import (
    CONTEXT,
    DEK,
    DEK_ID,
    OTHER_DEK,
    OTHER_DEK_ID,
    Case,
    case,
    fixed,
    fixed_uuid,
)

CHUNK = reference.CHUNK
UNIT = b"Scanpass!".hex()
WRITTEN_OUT_BYTES = 4096  # longer objects are given by their recipe


def cases() -> Iterator[Case]:
    yield from _good()
    yield from _headers()
    yield from _sizes()
    yield from _keys_and_contexts()
    yield from _chunks()


def _object(name: str, expect: str, why: str, *, plain_length: int = 45, **options: Any) -> Case:
    """An object sealed for `sealed_for` by a `writer` with its faults, then changed by `edits`."""
    recipe = {
        "plaintext": {"repeat": UNIT, "length": plain_length},
        "salt": fixed(f"salt {name}", 32).hex(),
        "sealed_for": options.get("sealed_for", CONTEXT),
        "writer": options.get("writer", {}),
        "edits": options.get("edits", []),
    }
    sealed = reference.build(
        recipe, dek=options.get("sealed_under", DEK), dek_id=options.get("dek_id", DEK_ID)
    )
    given: dict[str, Any] = {"sealed_sha256": hashlib.sha256(sealed).hexdigest()}
    given |= {"sealed_hex": sealed.hex()} if len(sealed) <= WRITTEN_OUT_BYTES else {"sealed": recipe}
    return case(
        f"object-{name}",
        "open-object",
        expect,
        why,
        dek=DEK.hex(),
        dek_id=DEK_ID.hex(),
        context=CONTEXT | options.get("asked", {}),
        length=options.get("length", plain_length),
        plaintext_sha256=hashlib.sha256(reference.repeated(recipe["plaintext"])).hexdigest(),
        **given,
    )


def _good() -> Iterator[Case]:
    yield _object("ok", "ok", "One short chunk.")
    yield _object(
        "ok-without-row-length", "ok", "No row knows the length; the header's is authenticated.", length=None
    )
    yield _object("ok-empty", "ok", "No bytes: one empty chunk, which is the last.", plain_length=0)
    yield _object("ok-one-byte", "ok", "The smallest content.", plain_length=1)
    for count, name in (
        (CHUNK - 1, "chunk-less-one"),
        (CHUNK, "full-chunk"),
        (CHUNK + 1, "chunk-and-one"),
        (2 * CHUNK, "two-full-chunks"),
        (2 * CHUNK + 33, "three-chunks"),
    ):
        yield _object(f"ok-{name}", "ok", "A length at the edge of a chunk.", plain_length=count)


def _headers() -> Iterator[Case]:
    yield _object("magic", "magic", "(2) One bit of the magic.", edits=[{"flip_bit": 0}])
    yield _object("version-0", "version", "(3) No such version.", edits=[{"put": "00", "at": 4}])
    yield _object(
        "version-2", "version", "(3) A later version, honestly made.", writer={"header": {"version": 2}}
    )
    yield _object("suite-2", "suite", "(4) A suite that isn't on the list.", writer={"header": {"suite": 2}})
    yield _object("flags-1", "flags", "(5) A flag nobody defined.", writer={"header": {"flags": 1}})
    yield _object("flags-high-bit", "flags", "(5) The other byte of the flags.", edits=[{"flip_bit": 55}])
    yield _object(
        "chunk-size-64k", "chunk-size", "(6) Another chunk size.", writer={"header": {"chunk": 65_536}}
    )
    yield _object("chunk-size-0", "chunk-size", "(6) No chunk size.", edits=[{"put": "00000000", "at": 8}])
    over = {"header": {"length": 2**32 + 1}}
    yield _object("cap", "cap", "(7) One byte over 4 GiB.", writer=over, length=None)
    yield _object(
        "cap-all-ones", "cap", "(7) The longest length.", edits=[{"put": "ff" * 8, "at": 92}], length=None
    )
    yield _object("length-row-differs", "length", "(7) The row says one byte more.", length=46)
    yield _object(
        "length-header-differs", "length", "(7) The header says one byte less.", edits=[{"flip_bit": 792}]
    )
    yield _object("dek-id-differs", "dek-id", "(9) Sealed under another slot.", dek_id=OTHER_DEK_ID)
    yield _object("dek-id-bit", "dek-id", "(9) One bit of the id.", edits=[{"flip_bit": 12 * 8}])
    yield _object("salt-bit", "commitment", "(10) Another salt is another key.", edits=[{"flip_bit": 28 * 8}])
    yield _object("commitment-first-bit", "commitment", "(10) Its first bit.", edits=[{"flip_bit": 60 * 8}])
    yield _object("commitment-last-bit", "commitment", "(10) Its last bit.", edits=[{"flip_bit": 92 * 8 - 1}])
    lie = {"header": {"length": 44}}
    yield _object(
        "header-relabelled", "trailing", "(14) The header claims a byte less.", writer=lie, length=None
    )


def _sizes() -> Iterator[Case]:
    for keep, why in (
        (0, "Nothing."),
        (99, "No whole header."),
        (100, "A header alone."),
        (115, "No whole tag."),
    ):
        yield _object(f"short-{keep}", "short", f"(1) {why}", edits=[{"keep": keep}])
    yield _object("size-tag-only", "size", "(8) Cut after 116 bytes.", edits=[{"keep": 116}])
    yield _object("size-last-byte-cut", "size", "(8) The last byte is missing.", edits=[{"keep": 160}])
    huge = {"header": {"length": 2**32}}
    yield _object("size-huge-claim", "size", "(8) 4 GiB claimed, 45 bytes there.", writer=huge, length=None)
    at_chunk = [{"keep": 100 + CHUNK + 16}]
    yield _object(
        "size-cut-at-chunk", "size", "(8) Cut between two chunks.", plain_length=CHUNK + 45, edits=at_chunk
    )
    yield _object("trailing-byte", "trailing", "(14) One byte more.", edits=[{"append": "00"}])
    yield _object("trailing-tag", "trailing", "(14) A tag's worth more.", edits=[{"append": "00" * 16}])
    yield _object(
        "empty-with-tag",
        "trailing",
        "(14) An empty object and one chunk more.",
        plain_length=0,
        edits=[{"append": "00" * 16}],
    )
    yield _object(
        "empty-chunk",
        "empty-chunk",
        "(13) A full chunk, then an empty one as the last.",
        plain_length=CHUNK,
        writer={"empty_final_chunk": True},
    )


def _keys_and_contexts() -> Iterator[Case]:
    yield _object(
        "dek-swapped", "commitment", "(10) Another key behind the right id.", sealed_under=OTHER_DEK
    )
    others: dict[str, Any] = {
        name: fixed_uuid(f"another {name}") for name in ("practice", "study", "series", "instance")
    }
    others |= {"kind": "preview", "index": 8, "level": 3, "generation": 4}
    for name, value in others.items():
        yield _object(f"moved-{name}", "commitment", f"(10) Read as another {name}.", asked={name: value})
    yield _object(
        "rolled-back",
        "commitment",
        "(10, 16) Generation 2 where the row says 3.",
        sealed_for=CONTEXT | {"generation": 2},
    )
    swapped = {"series": CONTEXT["instance"], "instance": CONTEXT["series"]}
    yield _object("ids-exchanged", "commitment", "(10) Series and instance exchanged.", asked=swapped)
    crossed = {"index": CONTEXT["level"], "level": CONTEXT["index"]}
    yield _object("numbers-exchanged", "commitment", "(10) Index and level exchanged.", asked=crossed)


def _chunks() -> Iterator[Case]:
    yield _object("tag-bit", "tag", "(11) One bit of the tag.", edits=[{"flip_bit": 161 * 8 - 1}])
    yield _object("content-bit", "tag", "(11) One bit of the content.", edits=[{"flip_bit": 100 * 8}])
    yield _object(
        "empty-tag-bit",
        "tag",
        "(11) The tag of an empty object.",
        plain_length=0,
        edits=[{"flip_bit": 100 * 8 + 3}],
    )
    two = {"plain_length": 2 * CHUNK + 45}
    yield _object(
        "second-chunk-bit",
        "tag",
        "(11) One bit of the second chunk.",
        edits=[{"flip_bit": (100 + CHUNK + 16 + 5) * 8}],
        **two,
    )
    yield _object(
        "chunks-swapped", "tag", "(11) Two chunks exchanged.", edits=[{"order_chunks": [1, 0, 2]}], **two
    )
    yield _object(
        "chunk-repeated",
        "tag",
        "(11) The first in place of the second.",
        edits=[{"order_chunks": [0, 0, 2]}],
        **two,
    )
    yield _object(
        "chunk-dropped", "size", "(8) One chunk is missing.", edits=[{"order_chunks": [0, 2]}], **two
    )
    yield _object(
        "chunk-dropped-and-relabelled",
        "tag",
        "(11) And the header says so: the tags know the true one.",
        edits=[{"order_chunks": [0, 2]}, {"put": f"{CHUNK + 45:016x}", "at": 92}],
        length=None,
        **two,
    )
    yield _object(
        "chunk-added", "trailing", "(14) A chunk twice.", edits=[{"order_chunks": [0, 1, 1, 2]}], **two
    )
    yield _object(
        "last-flag-missing",
        "last-flag",
        "(12) The only chunk isn't sealed as last.",
        writer={"last_chunks": []},
    )
    yield _object(
        "last-flag-early",
        "last-flag",
        "(12) The first of two is sealed as last.",
        plain_length=CHUNK + 45,
        writer={"last_chunks": [0, 1]},
    )
    yield _object(
        "last-flag-never",
        "last-flag",
        "(12) The second of two isn't sealed as last.",
        plain_length=CHUNK + 45,
        writer={"last_chunks": []},
    )
