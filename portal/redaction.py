"""What may stand in a log line: our own sentences and ids; never a path's secrets, a value or a trace's data.

Tracebacks are cut to file, line and exception type, because exception texts carry what was being parsed.
"""

from __future__ import annotations

import logging
import re
import traceback

# Anything that looks like a link token, a phone number, an e-mail address, a date or a DICOM UID.
_PATTERNS = (
    (re.compile(r"#[1-9A-HJ-NP-Za-km-z]{22}\b"), "#[token]"),
    (re.compile(r"\+?\d[\d ().-]{7,}\d"), "[number]"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"), "[address]"),
    (re.compile(r"\b\d+(?:\.\d+){5,}\b"), "[uid]"),
)


def redact(text: str) -> str:
    """The text without anything that identifies a person or opens a door."""
    for pattern, word in _PATTERNS:
        text = pattern.sub(word, text)
    return text


class Redaction(logging.Filter):
    """Redacts each record's message and drops its exception's text."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = ()
        if record.exc_info:
            record.exc_text = _places(record.exc_info[1])
        record.stack_info = None
        return True


def _places(error: BaseException | None) -> str:
    if error is None:
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
    return "\n".join([type(error).__name__, *lines])


class LineFormatter(logging.Formatter):
    """Time, level, logger, message: one line, then the places of an exception."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatException(self, ei: object) -> str:  # noqa: N802 (the standard library's name)
        return ""
