"""ES modules joined into one file, so that a page asks once for its scripts. The sources stay as they are written.

Each module becomes a function of its own, called in the order of the imports, so no two names can meet:

    const $codec = (() => { …the module… return { undoItem, halfTable }; })();
    const $decode_worker = (() => { const { undoItem } = $codec; … })();

Only the forms our own modules use are read; any other import or export is refused in words, never guessed at.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import Final

Read = Callable[[str], str]
"""The text of a module by its name, such as `js/viewer/codec.js`; without comments that stand alone."""
Rename = Callable[[str], str]
"""What the file of a module that stands apart is called where it is served."""

_IMPORT: Final = re.compile(r'^import\s+(?:([^"\';]+?)\s+from\s+)?"([^"]+)";[^\n]*\n', re.MULTILINE)
_PASSED_ON: Final = re.compile(r'^export\s+\{([^}]*)\}\s+from\s+"([^"]+)";[^\n]*\n', re.MULTILINE)
_LISTED: Final = re.compile(r"^export\s+\{([^}]*)\};[^\n]*\n", re.MULTILINE)
_DECLARED: Final = re.compile(
    r"^export\s+((?:async\s+)?function\s*\*?|class|const)\s+([A-Za-z_]\w*)", re.MULTILINE
)
_LATER: Final = re.compile(r'(?<![\w.{])import\("([^"]+)"\)')
_WORKER: Final = re.compile(r'new URL\("([^"]+)", import\.meta\.url\)')
_LEFT: Final = re.compile(r"^(?:import|export)\b[^\n(]*", re.MULTILINE)


HOW: Final = (
    'Write `import { name } from "./file.js";` and `export const name`, `function` or `class`; '
    "little else is joined."
)


class CannotJoin(ValueError):
    """A module is written in a way that isn't joined; the message says which and how."""


def join(entry: str, read: Read, rename: Rename = lambda name: name) -> str:
    """The module `entry` and all it imports, as one module without imports. Raises `CannotJoin`."""
    return _Joint(read, rename).joined(entry)


def apart_from(entry: str, read: Read) -> list[str]:
    """The modules that `entry`, or what it imports, fetches by themselves, each joined as a file of its own.

    Workers, `new URL("./x.js", import.meta.url)`, and what only some people want, `import("./x.js")`.
    """
    found: list[str] = []

    def note(name: str) -> str:
        found.append(name)
        return name

    join(entry, read, note)
    return found


class _Joint:
    """The pieces so far, what is done, and the way that leads to the module at hand."""

    def __init__(self, read: Read, rename: Rename) -> None:
        self._read, self._rename = read, rename
        self._pieces: list[str] = []
        self._done: set[str] = set()
        self._way: list[str] = []

    def joined(self, entry: str) -> str:
        given = self._add(entry)
        names = ", ".join(name.partition(":")[0] for name in given)
        tail = [f"export const {{ {names} }} = {_variable(entry)};\n"] if given else []
        return "".join([*self._pieces, *tail])

    def need(self, name: str) -> str:
        """Join the module first, if it isn't yet; the variable it is kept in."""
        if name in self._way:
            circle = " → ".join([*self._way[self._way.index(name) :], name])
            raise CannotJoin(
                f"Modules import each other in a circle: {circle}. Move what both need to a third."
            )
        if name not in self._done:
            self._add(name)
        return _variable(name)

    def apart(self, name: str) -> str:
        """The file name under which a module is served that isn't joined here."""
        return posixpath.basename(self._rename(name))

    def _add(self, name: str) -> list[str]:
        """Join a module; what it exports."""
        self._way.append(name)
        piece = _Piece(name, self)
        script = piece.of(self._read(name))
        self._way.pop()
        self._done.add(name)
        self._pieces.append(script)
        return piece.given


class _Piece:
    """One module as a function that is called at once; its methods rewrite what the patterns above find."""

    def __init__(self, name: str, joint: _Joint) -> None:
        self._name, self._joint = name, joint
        self.given: list[str] = []

    def of(self, script: str) -> str:
        script = _IMPORT.sub(self._imported, script)
        script = _PASSED_ON.sub(self._passed_on, script)
        script = _LISTED.sub(self._listed, script)
        script = _DECLARED.sub(self._declared, script)
        script = _LATER.sub(self._later, script)
        script = _WORKER.sub(self._worker, script)
        if left := _LEFT.search(script):
            raise CannotJoin(f"{self._name} says “{left[0].strip()}”. {HOW}")
        answer = f"return {{ {', '.join(self.given)} }};\n" if self.given else ""
        return f"const {_variable(self._name)} = (() => {{\n{script.strip()}\n{answer}}})();\n"

    def _imported(self, match: re.Match[str]) -> str:
        module, wanted = self._joint.need(self._near(match[2])), match[1]
        if wanted is None:
            return ""
        if wanted.startswith("{"):
            pairs = (_pair(inner, outer) for inner, outer in _names(wanted.strip("{}")))
            return f"const {{ {', '.join(pairs)} }} = {module};\n"
        if whole := re.fullmatch(r"\*\s+as\s+(\w+)", wanted):
            return f"const {whole[1]} = {module};\n"
        raise CannotJoin(f"{self._name} imports a default, {wanted}. {HOW}")

    def _passed_on(self, match: re.Match[str]) -> str:
        module = self._joint.need(self._near(match[2]))
        self.given += [f"{outer}: {module}.{inner}" for inner, outer in _names(match[1])]
        return ""

    def _listed(self, match: re.Match[str]) -> str:
        self.given += [_pair(outer, inner) for inner, outer in _names(match[1])]
        return ""

    def _declared(self, match: re.Match[str]) -> str:
        self.given.append(match[2])
        return match[0].removeprefix("export").lstrip()

    def _later(self, match: re.Match[str]) -> str:
        return f'import("./{self._joint.apart(self._near(match[1]))}")'

    def _worker(self, match: re.Match[str]) -> str:
        return f'new URL("./{self._joint.apart(self._near(match[1]))}", import.meta.url)'

    def _near(self, address: str) -> str:
        if not address.startswith("."):
            raise CannotJoin(f"{self._name} imports {address}. {HOW}")
        return posixpath.normpath(posixpath.join(posixpath.dirname(self._name), address))


def _variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name.removeprefix("js/").removesuffix(".js"))


def _names(text: str) -> list[tuple[str, str]]:
    """`a, b as c` → [(a, a), (b, c)]."""
    pairs = (part.split(" as ") for part in " ".join(text.split()).split(",") if part.strip())
    return [(pair[0].strip(), pair[-1].strip()) for pair in pairs]


def _pair(key: str, value: str) -> str:
    return key if key == value else f"{key}: {value}"
