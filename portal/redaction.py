"""What may stand in a log line: our own sentences and ids; never a path's secrets, a value or a trace's data.

Tracebacks are cut to file, line and exception type, because exception texts carry what was being parsed. What is
redacted by pattern is only the second line of defence: a name has no pattern, so no call of ours logs a value.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from types import TracebackType

# Anything that looks like a link token, an e-mail address, a DICOM UID, a phone number or a date, a code.
_PATTERNS = (
    (re.compile(r"#[1-9A-HJ-NP-Za-km-z]{22}\b"), "#[token]"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"), "[address]"),
    (re.compile(r"\b\d+(?:\.\d+){5,}\b"), "[uid]"),
    (re.compile(r"(?<![\w-])\+?\d[\d ().-]{4,}\d(?![\w-])"), "[number]"),
)


def redact(text: str) -> str:
    """The text's first line, without anything that identifies a person or opens a door.

    Further lines go: they are others' traces, and a line break in a value would forge a line of the log.
    """
    text = text.strip().partition("\n")[0].rstrip("\r")
    for pattern, word in _PATTERNS:
        text = pattern.sub(word, text)
    return text


class Redaction(logging.Filter):
    """Redacts each record's message and drops its exception's text."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(_message(record))
        record.args = ()
        if record.exc_info:
            record.exc_text = _places(record.exc_info[1])
        record.stack_info = None
        return True


def _message(record: logging.LogRecord) -> str:
    # An exception among the arguments would bring its text along; only its type stays.
    if isinstance(record.args, tuple):
        record.args = tuple(
            _type_of(value) if isinstance(value, BaseException) else value for value in record.args
        )
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        # A badly written call must not end the act that logs.
        return f"a message of {record.name} that could not be written"


def _type_of(error: BaseException) -> str:
    return type(error).__name__


def _places(error: BaseException | None) -> str:
    if error is None:
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
    cause = error.__cause__ or error.__context__
    return "\n".join([_type_of(error) + (f" after {_type_of(cause)}" if cause else ""), *lines])


class LineFormatter(logging.Formatter):
    """Time, level, logger, message: one line, then the places of an exception."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatException(self, ei: object) -> str:  # noqa: N802 (the standard library's name)
        return ""


# --- what nobody caught ----------------------------------------------------------------------------------------


def log_the_uncaught() -> None:
    """Send what nobody caught through the log too: Python's own hooks print the exception's text."""
    # Where a test runner has put its own hook, that one stays.
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _uncaught_in_thread
    # A handler that fails would print the record with its arguments.
    logging.raiseExceptions = False


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("portal").critical("ended by an error", exc_info=error)


def _uncaught_in_thread(thrown: threading.ExceptHookArgs) -> None:
    if thrown.exc_value is not None and not isinstance(thrown.exc_value, SystemExit):
        logging.getLogger("portal").critical("a thread ended by an error", exc_info=thrown.exc_value)
