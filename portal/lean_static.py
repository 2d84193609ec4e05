"""Static files as whitenoise keeps them; our own modules joined, without their comments, and the styles of all pages.

The scripts are written to be read: small modules, a third of their bytes comments. A phone on a slow line needn't
pay for either. Each page's entry is served as one file whose name holds its hash (`patient.5f0c….js`), so that
browsers may keep it for good; nothing is renamed inside it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

from django.conf import settings
from whitenoise.storage import CompressedStaticFilesStorage

from portal.joined_modules import apart_from, join

ENTRIES: Final = ("js/viewer/patient.js", "js/viewer/dentist.js")
STYLES: Final = "css/page.css"
LIST: Final = "joined.json"
"""Which file stands for which entry. Beside the files, not among the addresses."""

# Comments that have their lines to themselves, so nothing inside a string or an expression can match; and those at the
# end of a line that hold no quote, for a string would end with one.
_BLOCKS = re.compile(r"^[ \t]*/\*\*.*?\*/[ \t]*\n", re.DOTALL | re.MULTILINE)
_LINES = re.compile(r"^[ \t]*//.*\n", re.MULTILINE)
_ENDS = re.compile(r"[ \t]{2,}//[^\"'`\n]*$", re.MULTILINE)
# A string over several lines is a shader with us, where indents mean nothing either.
_INDENTS = re.compile(r"^[ \t]+|^\n", re.MULTILINE)


def without_comments(script: str) -> str:
    """The script without `/** … */` blocks that stand alone, `//` comments, indents and empty lines."""
    return _INDENTS.sub("", _ENDS.sub("", _LINES.sub("", _BLOCKS.sub("", script))))


_STYLE_IMPORT = re.compile(r'^@import "([a-z]+\.css)";$', re.MULTILINE)


class LeanStaticFilesStorage(CompressedStaticFilesStorage):
    """Strips our modules under js/ and joins those of each entry before whitenoise compresses them."""

    def url(self, name: str | None) -> str:
        """The address of a file; of an entry, that of the joined one, once collected."""
        address: str = super().url(self._joined.get(name or "", name))
        return address

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[tuple[str, str, bool]]:
        if not dry_run:
            for name in paths:
                if name.startswith("js/") and name.endswith(".js"):
                    self._write(name, without_comments(self._read(name)))
            if STYLES in paths:
                self._write(
                    STYLES, _STYLE_IMPORT.sub(lambda one: self._read(f"css/{one[1]}"), self._read(STYLES))
                )
            joined = self._join([name for name in ENTRIES if name in paths])
            self._write(LIST, json.dumps(joined))
            paths = {**paths, **{name: (self, name) for name in joined.values()}}
        yield from super().post_process(paths, dry_run, **options)

    @cached_property
    def _joined(self) -> dict[str, str]:
        if settings.WHITENOISE_USE_FINDERS or not self.exists(LIST):
            return {}
        found: dict[str, str] = json.loads(self._read(LIST))
        return found

    def _join(self, entries: list[str]) -> dict[str, str]:
        made: dict[str, str] = {}
        for entry in entries:
            for name in [*apart_from(entry, self._read), entry]:
                if name not in made:
                    made[name] = self._write_hashed(name, join(name, self._read, lambda apart: made[apart]))
        return made

    def _write_hashed(self, name: str, script: str) -> str:
        digest = hashlib.sha256(script.encode()).hexdigest()[:12]
        hashed = f"{name.removesuffix('.js')}.{digest}.js"
        self._write(hashed, script)
        return hashed

    def _read(self, name: str) -> str:
        with self.open(name) as file:
            text: str = file.read().decode()
            return text

    def _write(self, name: str, text: str) -> None:
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)
