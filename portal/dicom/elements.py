"""Reading the elements of a data set, and tolerant access to their values.

Runs in the confined child, over pydicom. pydicom swallows an early end of file; here it is a verdict. The
picture isn't read, only found.
"""

from __future__ import annotations

import logging
import math
import unicodedata
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import pydicom.config
from pydicom.charset import convert_encodings
from pydicom.dataset import Dataset
from pydicom.filereader import data_element_generator
from pydicom.tag import BaseTag

from portal.dicom.part10 import Body
from portal.dicom.verdicts import refused

PIXEL_DATA: Final = 0x7FE00010
FLOAT_PIXELS: Final = (0x7FE00008, 0x7FE00009)
UNDEFINED: Final = 0xFFFFFFFF
MAX_TEXT: Final = 1024
MAX_VALUE_BYTES: Final = 16 << 20
"""Longer values (documents, private data) are passed over: none of them is asked for."""


def silence_pydicom() -> None:
    """pydicom writes birth dates and UIDs to its log and to warnings: nothing of that may leave the child."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE


@dataclass(frozen=True)
class PixelElement:
    """Where the picture lies in the body: the offset and length of its value; undefined when encapsulated."""

    tag: int
    offset: int
    length: int

    @property
    def is_encapsulated(self) -> bool:
        """Compressed pictures have no length of their own (PS3.5 A.4)."""
        return self.length == UNDEFINED


def read_elements(body: Body) -> tuple[Dataset, PixelElement | None]:
    """The data set before its picture, and where the picture lies.

    Raises `IngestRefused("truncated")` if a value reaches past the end; pydicom's own errors come through.
    """
    stream = body.open(body.offset)
    stop = _Stop(stream, len(body.data))
    elements: dict[BaseTag, Any] = {}
    try:
        for element in data_element_generator(
            stream, body.is_implicit, body.syntax.is_little_endian, stop, MAX_VALUE_BYTES
        ):
            elements[element.tag] = element
    except EOFError as error:
        raise refused("truncated") from error
    if stop.is_cut:
        raise refused("truncated")
    dataset = Dataset(elements)
    encoding = convert_encodings(texts(dataset, "SpecificCharacterSet") or None)
    dataset.set_original_encoding(body.is_implicit, body.syntax.is_little_endian, encoding)
    return dataset, stop.pixels


class _Stop:
    """Asked by pydicom before each value: stops at the picture, and at a value that isn't all there."""

    def __init__(self, stream: BinaryIO, end: int) -> None:
        self._stream, self._end = stream, end
        self.pixels: PixelElement | None = None
        self.is_cut = False

    def __call__(self, tag: BaseTag, vr: str | None, length: int) -> bool:
        offset = self._stream.tell()
        number = int(tag)  # comparing pydicom's own tags took a tenth of a header's time
        if number == PIXEL_DATA or number in FLOAT_PIXELS:
            self.pixels = PixelElement(number, offset, length)
            return True
        self.is_cut = length != UNDEFINED and offset + length > self._end
        return self.is_cut


def text(dataset: Dataset, keyword: str) -> str:
    """A value as text without control characters, at most 1,024 characters; "" if absent or unreadable."""
    values = texts(dataset, keyword)
    return _clean("\\".join(values))


def texts(dataset: Dataset, keyword: str) -> list[str]:
    """All values of an element as text."""
    value = _value(dataset, keyword)
    if value is None:
        return []
    return [_clean(str(item)) for item in _many(value)]


def numbers(dataset: Dataset, keyword: str) -> list[float]:
    """All values of an element as finite numbers; none if one of them isn't."""
    values = []
    for item in _many(_value(dataset, keyword)):
        try:
            value = float(item)
        except (TypeError, ValueError, OverflowError):
            return []
        if not math.isfinite(value):
            return []
        values.append(value)
    return values


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first value as a number, or None."""
    values = numbers(dataset, keyword)
    return values[0] if values else None


def integer(dataset: Dataset, keyword: str) -> int | None:
    """The first value as a whole number, or None."""
    value = number(dataset, keyword)
    return None if value is None or abs(value) >= 1 << 53 else int(value)


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; none if absent or not a sequence."""
    value = _value(dataset, keyword)
    return [item for item in _many(value) if isinstance(item, Dataset)] if value is not None else []


def _value(dataset: Dataset, keyword: str) -> Any:
    """pydicom converts a value when it is asked for; on hostile bytes that fails in many ways."""
    try:
        return dataset.get(keyword)
    except (MemoryError, RecursionError):
        raise
    except Exception:  # an unreadable value is an absent one; the file may still be shown
        return None


def _many(value: Any) -> Iterable[Any]:
    if value is None or isinstance(value, (str, bytes)):
        return () if value is None else (value,)
    return value if isinstance(value, Iterable) and not hasattr(value, "components") else (value,)


def _clean(value: str) -> str:
    """Drop control characters and lone surrogates, which no database or JSON reader wants."""
    if value.isprintable():
        return value.strip()[:MAX_TEXT]
    kept = "".join(character for character in value if unicodedata.category(character) not in ("Cc", "Cs"))
    return kept.strip()[:MAX_TEXT]
