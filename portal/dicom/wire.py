"""Messages between the parent and its confined child, over pipes.

    u32 length of the JSON ‖ u64 length of the payload ‖ JSON ‖ payload          big endian

The child has read hostile bytes, so the parent believes nothing: lengths are capped, and records are rebuilt
field by field against their types.
"""

from __future__ import annotations

import dataclasses
import json
import math
import struct
import types
import typing
from typing import Any, Final, TypeVar

HEAD: Final = struct.Struct(">LQ")
MAX_JSON_BYTES: Final = 64 << 20
MAX_PAYLOAD_BYTES: Final = 512 << 20

Record = TypeVar("Record")


class WrongRecord(ValueError):
    """A message that isn't what was agreed."""


def pack(message: dict[str, Any], payload_length: int = 0) -> bytes:
    """The head and JSON of a message; the payload follows it."""
    text = json.dumps(message, allow_nan=False, separators=(",", ":")).encode()
    return HEAD.pack(len(text), payload_length) + text


def record_of(value: Any) -> dict[str, Any]:
    """A frozen dataclass as JSON-able data."""
    return dataclasses.asdict(value)


def rebuild(record: type[Record], data: Any) -> Record:
    """The dataclass `record` from parsed JSON; raises `WrongRecord` if a field is missing, extra or of another type."""
    if not isinstance(data, dict):
        raise WrongRecord
    hints = _hints(record)
    if data.keys() != hints.keys():
        raise WrongRecord
    return record(**{name: _value(hints[name], item) for name, item in data.items()})


def _value(hint: Any, item: Any) -> Any:
    if dataclasses.is_dataclass(hint):
        return rebuild(typing.cast(type, hint), item)
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return _one_of(typing.get_args(hint), item)
    if origin is tuple:
        return _tuple(typing.get_args(hint), item)
    if hint is float:
        return _finite(item)
    if hint is type(item) or (hint is type(None) and item is None):
        return item
    raise WrongRecord


def _finite(item: Any) -> float:
    if type(item) not in (int, float) or not math.isfinite(item):
        raise WrongRecord
    return float(item)


def _one_of(hints: tuple[Any, ...], item: Any) -> Any:
    for hint in hints:
        try:
            return _value(hint, item)
        except WrongRecord:
            continue
    raise WrongRecord


def _tuple(hints: tuple[Any, ...], item: Any) -> tuple[Any, ...]:
    if not isinstance(item, list):
        raise WrongRecord
    if len(hints) == 2 and hints[1] is Ellipsis:
        return tuple(_value(hints[0], element) for element in item)
    if len(hints) != len(item):
        raise WrongRecord
    return tuple(_value(hint, element) for hint, element in zip(hints, item, strict=True))


_known_hints: dict[type, dict[str, Any]] = {}


def _hints(record: type) -> dict[str, Any]:
    """Resolving annotations takes longer than a header, so it is done once a class."""
    if record not in _known_hints:
        _known_hints[record] = typing.get_type_hints(record)
    return _known_hints[record]
