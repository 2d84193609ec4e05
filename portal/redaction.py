"""What may stand in a log line: our own sentences and ids; never a path's secrets, a value or a trace's data.

Tracebacks are cut to file, line and exception type, because exception texts carry what was being parsed. What is
redacted by pattern is only the second line of defence: a name has no pattern, so no call of ours logs a value, and of
what others' packages say only the sentence stays, with its places for values left open.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

OURS: Final = ("portal", "sharing", "viewer")
# They speak of queues, workers and connections; what else speaks may have read a file of a patient's.
OF_THE_MACHINERY: Final = ("celery", "kombu", "amqp", "_granian", "granian", "django", "redis")
# What a call of ours may add to a line, as `extra`; whatever else hangs on a record is not written.
FACTS: Final = ("job", "kind", "sweeper", "view", "status")

# Anything that looks like a link token, an e-mail address, a DICOM UID, a phone number or a date, a code.
_PATTERNS = (
    (re.compile(r"#[1-9A-HJ-NP-Za-km-z]{22}\b"), "#[token]"),
    (re.compile(r"#[\w-]{22}(?![\w-])"), "#[token]"),  # links of owners and invitations
    (re.compile(r"://[^/\s@]+@"), "://[secret]@"),  # the password in a broker's or database's address
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
        # A record passes each handler once; what the first made of it is not taken for others' words by the second.
        if getattr(record, "is_redacted", False):
            return True
        record.msg = redact(_message(record) if _is_of(record, OURS) else _others(record))
        record.args = ()
        if record.exc_info:
            record.exc_text = _places(record.exc_info[1])
        record.stack_info = None
        record.is_redacted = True
        return True


def _is_of(record: logging.LogRecord, loggers: tuple[str, ...]) -> bool:
    return record.name.partition(".")[0] in loggers


def _others(record: logging.LogRecord) -> str:
    """The sentence of a package that isn't ours, without what it put into it."""
    if record.args:
        return str(record.msg)
    if _is_of(record, OF_THE_MACHINERY):
        return _type_of(record.msg) if isinstance(record.msg, BaseException) else str(record.msg)
    return f"a message of {record.name}"


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


class JsonFormatter(logging.Formatter):
    """One JSON object a line, of these fields alone: time, level, logger, message, an exception's places, `FACTS`."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"at": at, "level": record.levelname, "logger": record.name}
        line["message"] = str(record.msg)
        line |= {name: redact(str(getattr(record, name))) for name in FACTS if hasattr(record, name)}
        if record.exc_text:
            line["error"], *places = record.exc_text.split("\n")
            line["places"] = [place.strip() for place in places]
        return json.dumps(line)


# --- what nobody caught ----------------------------------------------------------------------------------------


def log_the_uncaught() -> None:
    """Send what nobody caught through the log too: Python's own hooks print the exception's text."""
    # Where a test runner has put its own hook, that one stays.
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _uncaught_in_thread
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _unraisable
    # A warning's text quotes what was read; through the log only that there was one stays.
    logging.captureWarnings(True)
    # A handler that fails would print the record with its arguments.
    logging.raiseExceptions = False


def _unraisable(thrown: sys.UnraisableHookArgs) -> None:
    logging.getLogger("portal").error("an error while cleaning up", exc_info=thrown.exc_value)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("portal").critical("ended by an error", exc_info=error)


def _uncaught_in_thread(thrown: threading.ExceptHookArgs) -> None:
    if thrown.exc_value is not None and not isinstance(thrown.exc_value, SystemExit):
        logging.getLogger("portal").critical("a thread ended by an error", exc_info=thrown.exc_value)
