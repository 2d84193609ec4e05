"""What reaches the log: places and our own words, never a value."""

from __future__ import annotations

import io
import logging
import uuid

import pytest

from portal.redaction import LineFormatter, Redaction, redact


@pytest.fixture
def log():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(Redaction())
    handler.setFormatter(LineFormatter())
    logger = logging.Logger("portal.somebody")
    logger.addHandler(handler)
    logger.stream = stream
    return logger


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("opened /s/#3mJr7AoUXx2Wqd9fK4nZpQ now", "opened /s/#[token] now"),
        ("to +1 (555) 010-0199 today", "to [number] today"),
        ("to 5550100199", "to [number]"),
        ("born 1986-04-12.", "born [number]."),
        ("from maria.garcia+x@mail.example failed", "from [address] failed"),
        ("series 1.2.840.10008.5.1.4.1.1.2 is odd", "series [uid] is odd"),
        ("code 123456 refused", "code [number] refused"),
        ("entry 12345 of 3", "entry 12345 of 3"),
    ],
)
def test_what_identifies_or_opens_is_taken_out(said, kept):
    assert redact(said) == kept


def test_ids_of_rows_stay_readable():
    for _ in range(2000):
        line = f"job {uuid.uuid4()} failed"
        assert redact(line) == line


def test_further_lines_are_dropped_so_no_value_forges_a_line():
    assert redact("one\n2026-11-23 INFO portal all is well") == "one"


def test_an_exception_leaves_its_type_and_place_only(log):
    try:
        raise ValueError("Maria Garcia")
    except ValueError as error:
        log.error("it failed: %s", error, exc_info=error)
    said = log.stream.getvalue()
    assert "Garcia" not in said
    assert "it failed: ValueError" in said
    assert "test_redaction.py" in said


def test_the_cause_is_named_by_its_type(log):
    try:
        try:
            raise KeyError("Maria Garcia")
        except KeyError as cause:
            raise ValueError("Garcia") from cause
    except ValueError as error:
        log.error("it failed", exc_info=error)
    assert "ValueError after KeyError" in log.stream.getvalue()
    assert "Garcia" not in log.stream.getvalue()


def test_a_badly_written_log_call_does_not_end_the_act(log):
    log.error("%d of %d", "Maria Garcia")
    assert log.stream.getvalue().strip().endswith("a message of portal.somebody that could not be written")
