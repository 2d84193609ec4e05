"""Study manifests and packs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.vectors.vault.cast import INSTANCE, SERIES, STUDY, Case, case, fixed, fixed_uuid

NIL = "00000000-0000-0000-0000-000000000000"
PACK = fixed("pack name", 16).hex()
Change = Callable[[dict[str, Any]], object]


def cases() -> Iterator[Case]:
    yield from _good()
    yield from _counts_and_order()
    yield from _forms()
    yield from _packs()


def _keep(_: dict[str, Any]) -> None:
    pass


def _row(
    kind: str, index: int, *, level: int = 0, instance: str = NIL, offset: int = 0, length: int = 45
) -> list[Any]:
    sha256 = fixed(f"{kind} {level} {index}", 32).hex()
    return [SERIES, kind, level, index, instance, PACK, offset, length + 116, length, sha256, {}]


def _document() -> dict[str, Any]:
    rows = [_row("frame", i, offset=161 * i) for i in range(3)] + [_row("frame", 0, level=1, offset=483)]
    rows.append(_row("original", 0, instance=INSTANCE, offset=644))
    return {
        "counts": {"frame": 4, "original": 1},
        "entries": rows,
        "format": "scanpass-manifest/1",
        "header": {"generation": 3, "study": STUDY},
    }


def _spell(document: object) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _manifest(name: str, expect: str, why: str, change: Change = _keep, **options: Any) -> Case:
    document = _document()
    change(document)
    text = options.get("spell", _spell)(document)
    sha256 = options.get("sha256", hashlib.sha256(text.encode()).hexdigest())
    return case(
        f"manifest-{name}",
        "decode-manifest",
        expect,
        why,
        text=text,
        sha256=sha256,
        generation=options.get("generation", 3),
        entry_count=len(document["entries"]),
    )


def _good() -> Iterator[Case]:
    yield _manifest("ok", "ok", "Two levels of frames and an original.")
    yield _manifest("ok-without-hash", "ok", "No row at hand.", sha256=None, generation=0)
    yield _manifest("ok-newer-generation", "ok", "Newer than asked for.", generation=2)
    yield _manifest(
        "ok-extra",
        "ok",
        "What the writer adds, beyond ASCII.",
        lambda d: d["entries"][0][10].update(name="ÄÖ", crc32=4_000_000_000),
    )

    def empty(document: dict[str, Any]) -> None:
        document.update(entries=[], counts={})

    yield _manifest("ok-empty", "ok", "A study without objects.", empty)


def _counts_and_order() -> Iterator[Case]:
    yield _manifest("hash", "manifest-hash", "(15) The row remembers another.", sha256="00" * 32)
    yield _manifest(
        "entry-dropped", "manifest-count", "(15) A frame is missing.", lambda d: d["entries"].pop(1)
    )
    yield _manifest(
        "count-too-low", "manifest-count", "(15) A frame too many.", lambda d: d["counts"].update(frame=3)
    )
    yield _manifest(
        "count-of-nothing",
        "manifest-count",
        "(15) Counts what isn't there.",
        lambda d: d["counts"].update(tags=0),
    )
    yield _manifest(
        "swapped",
        "manifest-order",
        "(15) Two frames exchanged.",
        lambda d: d["entries"].insert(0, d["entries"].pop(1)),
    )
    yield _manifest(
        "series-order",
        "manifest-order",
        "(15) A series in the wrong place.",
        lambda d: d["entries"][-1].__setitem__(0, NIL),
    )
    yield _manifest(
        "duplicate",
        "manifest-duplicate",
        "(15) A frame twice.",
        lambda d: d["entries"].insert(1, d["entries"][0]),
    )
    yield _manifest(
        "duplicate-place",
        "manifest-duplicate",
        "(15) Two objects for one frame.",
        lambda d: d["entries"].insert(1, _row("frame", 0, offset=9999)),
    )
    yield _manifest("generation", "generation", "(16) Older than the row.", generation=4)


def _forms() -> Iterator[Case]:
    def form(name: str, why: str, change: Change = _keep, **options: Any) -> Case:
        return _manifest(f"form-{name}", "manifest-form", f"(18) {why}", change, **options)

    def field(position: int, value: object) -> Change:
        return lambda d: d["entries"][0].__setitem__(position, value)

    yield form("space", "A space after a colon.", spell=lambda d: json.dumps(d, sort_keys=True))
    yield form(
        "key-order",
        "Keys in another order.",
        spell=lambda d: (
            _spell(d).replace('"format":"scanpass-manifest/1","header"', '"header"', 1)[:-1]
            + ',"format":"scanpass-manifest/1"}'
        ),
    )
    yield form("newline", "A newline at the end.", spell=lambda d: _spell(d) + "\n")
    yield form(
        "key-twice",
        "A key twice.",
        spell=lambda d: _spell(d).replace('{"counts"', '{"counts":{},"counts"', 1),
    )
    yield form(
        "escape",
        "A letter escaped that need not be.",
        spell=lambda d: _spell(d).replace("frame", "fr\\u0061me"),
    )
    yield form("not-json", "Cut in the middle.", spell=lambda d: _spell(d)[:200])
    yield form("not-an-object", "A list.", spell=lambda d: _spell([d]))
    yield form("deep", "Nested too deeply to read.", spell=lambda d: "[" * 5_000 + _spell(d))
    yield form("format", "Another format.", lambda d: d.update(format="scanpass-manifest/2"))
    yield form("field-unknown", "A field nobody defined.", lambda d: d.update(note=1))
    yield form("no-generation", "No generation.", lambda d: d["header"].pop("generation"))
    yield form("count-float", "A count that isn't whole.", lambda d: d["counts"].update(frame=4.0))
    yield form("uuid-upper", "A UUID in capitals.", field(0, SERIES.upper()))
    yield form("uuid-not", "No UUID.", field(4, "frame"))
    yield form("kind", "A kind that isn't on the list.", field(1, "movie"))
    yield form("level-true", "A level that is true.", field(2, True))
    yield form("level-too-high", "A level that is no u32.", field(2, 2**32))
    yield form("index-negative", "A negative index.", field(3, -1))
    yield form("pack-path", "A pack name with a path in it.", field(5, "../" + PACK[3:]))
    yield form("sealed-length", "A sealed length that doesn't follow from the length.", field(7, 160))
    yield form("hash-short", "A hash of 63 digits.", field(9, "0" * 63))
    yield form("extra-list", "Extra that isn't an object.", field(10, []))
    yield form("row-short", "A row of ten fields.", lambda d: d["entries"][0].pop())


def _packs() -> Iterator[Case]:
    stored = fixed("pack content", 400)
    extent = {"offset": 100, "length": 200, "sha256": hashlib.sha256(stored[100:300]).hexdigest()}

    def pack(
        name: str, expect: str, why: str, *, ask: str = PACK, content: bytes = stored, **change: Any
    ) -> Case:
        return case(
            f"pack-{name}",
            "read-pack",
            expect,
            why,
            packs={PACK: content.hex()},
            pack=ask,
            extent=extent | change,
        )

    yield pack("ok", "ok", "Two hundred bytes from the middle.")
    yield pack("name-with-path", "pack-name", "A way out of the folder.", ask="../../../../etc/passwd")
    yield pack("name-upper", "pack-name", "Capitals.", ask=PACK.upper())
    yield pack("name-newline", "pack-name", "A newline at its end.", ask=PACK + "\n")
    yield pack("missing", "pack-missing", "Nothing of this name.", ask=fixed_uuid("no pack").replace("-", ""))
    yield pack("empty", "extent", "The file is empty.", content=b"")
    yield pack("extent-beyond", "extent", "One byte past the end.", offset=201)
    yield pack("extent-negative", "extent", "Before the beginning.", offset=-100)
    yield pack("extent-nothing", "extent", "No bytes.", length=0)
    changed = bytes([*stored[:150], stored[150] ^ 1, *stored[151:]])
    yield pack("extent-hash", "extent-hash", "One bit rotted.", content=changed)
