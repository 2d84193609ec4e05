"""Canaries: planted words and pixels, every form in which they could lie on a disk, and a raw search for them.

A canary is looked for as it is and as UTF-16, base64 (at its three offsets), hex, percent-encoded, and under an
unkeyed hash: a birth date or a phone number behind plain SHA-256 is found by trying them all.

The search reads every byte once: a table of all two-byte beginnings picks the places worth a look, the four-byte
beginnings thin them out, and what is left is compared in full. In ciphertext a needle of six bytes turns up by
chance once in 2^48 places, so a find is a find.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

READ_BYTES = 16 * 1024 * 1024
SHORTEST_NEEDLE = 6
BLOCK_BYTES = 64
# Fewer different bytes than this in a block of pixels, and other pictures could hold the same block.
DISTINCT_BYTES = 32
# A code has six digits, as the parts of a second in a timestamp and pieces of hexadecimal ids have: bare digits
# count only where they stand alone. Then a chance find needs a number of exactly six digits to be the same, one in a
# million for each number that is written out.
CODE = rb"(?<![0-9A-Fa-f.])%s(?![0-9A-Fa-f])"


@dataclass(frozen=True)
class Needle:
    """One form of one canary. `pattern` is what must match around the bytes, where the bytes alone are too common."""

    canary: str
    form: str
    data: bytes
    pattern: re.Pattern[bytes] | None = None

    def stands_at(self, data: bytes, place: int) -> bool:
        """Whether it lies there, with the surroundings it needs."""
        if data[place : place + len(self.data)] != self.data:
            return False
        return self.pattern is None or bool(self.pattern.match(data, place))


@dataclass(frozen=True, order=True)
class Find:
    """A canary where none should be."""

    where: str
    canary: str
    form: str


# --- forms -----------------------------------------------------------------------------------------------------------


def of_text(canary: str, *texts: str) -> list[Needle]:
    """Every form of texts that people write, in the cases they are written in."""
    spelt = {case for text in texts for case in (text, text.upper(), text.lower(), text.title())}
    return [needle for text in sorted(spelt) for needle in _forms(canary, text)]


def of_secret(canary: str, *texts: str) -> list[Needle]:
    """Every form of texts of which another case would be another text: tokens, cookies, keys."""
    return [needle for text in texts for needle in _forms(canary, text)]


def of_bytes(canary: str, data: bytes) -> list[Needle]:
    """Every form of bytes: raw, hex, base64."""
    return [Needle(canary, form, found) for form, found in {"plain": data, **_wrapped(data)}.items()]


def of_code(canary: str, code: str) -> list[Needle]:
    """A one-time code: alone, as the messages and forms write it, and every form that carries more than six bytes."""
    digits = code.encode()
    alone = Needle(canary, "plain", digits, re.compile(CODE % digits))
    written = [f"{code} is your", f"#{code}", f'"code": "{code}"', f'"code":"{code}"', f"code={code}"]
    sentences = [needle for text in written for needle in _forms(canary, text)]
    wide = [
        needle
        for needle in _forms(canary, code)
        if needle.form != "plain" and len(needle.data) > SHORTEST_NEEDLE
    ]
    return [alone, *sentences, *wide]


def of_pixels(canary: str, data: bytes, *, most: int = 3) -> list[Needle]:
    """Distinctive blocks of image data, spread over it. Fails where there is none: nothing would then be looked for."""
    found = _distinctive(data)[:: max(1, len(_distinctive(data)) // most)][:most]
    assert found, f"{canary} has no distinctive block"
    return [needle for block in found for needle in of_bytes(canary, block)]


def _distinctive(data: bytes) -> list[bytes]:
    whole = np.frombuffer(data, np.uint8, len(data) // BLOCK_BYTES * BLOCK_BYTES).reshape(-1, BLOCK_BYTES)
    kinds = (np.diff(np.sort(whole, axis=1), axis=1) != 0).sum(axis=1) + 1
    return [whole[place].tobytes() for place in np.flatnonzero(kinds >= DISTINCT_BYTES)]


def _forms(canary: str, text: str) -> Iterator[Needle]:
    plain = text.encode()
    encoded = {
        "plain": plain,
        "utf-16-le": text.encode("utf-16-le"),
        "utf-16-be": text.encode("utf-16-be"),
        **_wrapped(plain),
        **{f"{form} of utf-16": data for form, data in _wrapped(text.encode("utf-16-le")).items()},
        **_percent(plain),
        **_hashed(plain),
    }
    return (Needle(canary, form, data) for form, data in encoded.items() if len(data) >= SHORTEST_NEEDLE)


def _wrapped(data: bytes) -> dict[str, bytes]:
    hexadecimal = data.hex()
    forms = {"hex": hexadecimal.encode(), "HEX": hexadecimal.upper().encode()}
    for offset in range(3):
        core = _base64_core(data, offset)
        forms[f"base64+{offset}"] = core
        if core.translate(_URL_SAFE) != core:
            forms[f"base64url+{offset}"] = core.translate(_URL_SAFE)
    return forms


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _base64_core(data: bytes, offset: int) -> bytes:
    """The letters that `data` gives whatever stands before and after it, `offset` bytes into a group of three."""
    letters = base64.b64encode(bytes(offset) + data).rstrip(b"=")
    touched_by_the_next = (offset + len(data)) % 3 != 0
    return letters[(0, 2, 3)[offset] : len(letters) - touched_by_the_next]


def _percent(plain: bytes) -> dict[str, bytes]:
    every = "".join(f"%{byte:02X}" for byte in plain).encode()
    needed = quote(plain, safe="").encode()
    forms = {"percent, every byte": every, "percent, every byte, lower": every.lower()}
    if needed != plain:
        forms |= {"percent": needed, "percent, lower": re.sub(rb"%..", lambda hit: hit[0].lower(), needed)}
    if b" " in plain:
        forms["percent, plus"] = needed.replace(b"%20", b"+")
    return forms


def _hashed(plain: bytes) -> dict[str, bytes]:
    forms = {}
    for name in ("md5", "sha1", "sha256"):
        digest = hashlib.new(name, plain, usedforsecurity=False).digest()
        forms |= {name: digest, f"{name} in hex": digest.hex().encode()}
    return forms


# --- the search ------------------------------------------------------------------------------------------------------


class Search:
    """Looks for all needles at once."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        self.needles = list(needles)
        assert all(len(needle.data) >= SHORTEST_NEEDLE for needle in self.needles)
        self._by_word: dict[int, list[Needle]] = defaultdict(list)
        self._pairs = np.zeros(1 << 16, bool)
        for needle in self.needles:
            self._by_word[int.from_bytes(needle.data[:4])].append(needle)
            self._pairs[int.from_bytes(needle.data[:2])] = True
        self._words = np.array(sorted(self._by_word), np.uint32)
        self._overlap = max(len(needle.data) for needle in self.needles) + 8

    def in_bytes(self, data: bytes) -> set[Needle]:
        """The needles in `data`."""
        found: set[Needle] = set()
        for place, word in self._candidates(data):
            found.update(needle for needle in self._by_word[word] if needle.stands_at(data, place))
        return found

    def _candidates(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Places with a needle's first four bytes, and these. Pairs are looked up at even and at odd places in turn."""
        for start in (0, 1) if len(data) >= 4 else ():
            pairs = np.frombuffer(data, ">u2", max(0, len(data) - start) // 2, start)
            hits = np.flatnonzero(self._pairs[pairs[:-1]])
            words = pairs[hits].astype(np.uint32) << 16 | pairs[hits + 1]
            worth_it = np.isin(words, self._words)
            yield from zip((hits[worth_it] * 2 + start).tolist(), words[worth_it].tolist(), strict=True)

    def in_file(self, path: Path) -> set[Needle]:
        """The needles in a file; a file that has gone meanwhile holds none."""
        found: set[Needle] = set()
        try:
            with open(path, "rb") as file:
                tail = b""
                while piece := file.read(READ_BYTES):
                    found |= self.in_bytes(tail + piece)
                    tail = (tail + piece)[-self._overlap :]
        except (FileNotFoundError, ProcessLookupError):
            pass
        return found

    def below(self, folder: Path, *, without: Iterable[str] = (), since: float = 0.0) -> list[Find]:
        """What is found in the files below a folder that were written `since`, and in the names of all.

        `without` are paths relative to the folder. What vanishes meanwhile is passed over.
        """
        left_out = {str(folder / name) for name in without}
        finds = []
        for where, folders, files in os.walk(folder):
            folders[:] = [name for name in folders if os.path.join(where, name) not in left_out]
            for path in (Path(where, name) for name in (*folders, *files)):
                if str(path) not in left_out:
                    finds += self._at(path, str(path.relative_to(folder)), since)
        return sorted(finds)

    def _at(self, path: Path, where: str, since: float) -> list[Find]:
        finds = _finds(f"name {where}", self.in_bytes(where.encode()))
        try:
            facts = path.lstat()
        except FileNotFoundError:
            return finds
        if stat.S_ISREG(facts.st_mode) and facts.st_mtime >= since:
            finds += _finds(where, self.in_file(path))
        return finds

    def in_memory(self, where: str, data: bytes) -> list[Find]:
        """What is found in bytes that came from `where`."""
        return sorted(_finds(where, self.in_bytes(data)))


def _finds(where: str, needles: Iterable[Needle]) -> list[Find]:
    return [Find(where, needle.canary, needle.form) for needle in needles]
