"""R2: every secret and every word about a person, down every path that leads to the log. None arrives.

What is read is what the configured handler writes. Each path is walked with all of them at once, and must have left a
line: a path that logs nothing would prove nothing.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import celery
import pytest
from django.db import OperationalError, transaction
from django.http import StreamingHttpResponse
from django.urls import reverse

from portal.accounts.models import User
from portal.jobs.models import Job
from portal.jobs.queue import enqueue
from portal.jobs.run import KINDS, run
from portal.redaction import FACTS, JsonFormatter, LineFormatter, Redaction
from sharing.gateways import http
from sharing.gateways.base import Undeliverable
from sharing.gateways.memory import MemoryGateway
from tests.cast import signed_in
from tests.sharing.conftest import make_share, run_jobs

SECRETS = {
    "name": "Maria Garcia-Lopez",
    "name as in DICOM": "GARCIA-LOPEZ^MARIA",
    "birth date": "1986-04-12",
    "birth date, American": "04/12/1986",
    "phone": "+1 206-555-0142",
    "phone, plain": "+12065550142",
    "e-mail": "maria.garcia@mail.example",
    "chart number": "MRN-0099-A7731",
    "UID": "1.2.826.0.1.3680043.8.498.1234567890",
    "link": "https://scan.example/s/#3mJr7AoUXx2Wqd9fK4nZpQ",
    "invitation": "https://scan.example/invitation/#Zk8-_wQ2rT5yUi9oPaSdFg",
    "code": "482913",
    "password": "correct horse battery staple",
    "TOTP seed": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "recovery code": "ABCD EFGH IJKL MNOP",
    "cookie": "k3v9x0q2m5n8b1c4z7l6j5h4g3f2d1s0",
    "key": base64.b64encode(b"\x07" * 32).decode(),
    "vendor's token": "SKd41d8cd98f00b204e9800998ecf8427e",
    "address of the broker": "redis://default:hunter2hunter2@localhost:6379/0",
}
ALL = " | ".join(SECRETS.values())
# What would be left of each if only a part of it were taken out.
PIECES = {"Garcia", "GARCIA", "1986", "5550142", "555-0142", "MRN-0099", "3680043", "3mJr7Ao", "Zk8-_w", "482913",
          "battery", "JBSWY3DP", "EFGH", "k3v9x0q2", "BwcHBwcH", "SKd41d8c", "hunter2"}  # fmt: skip


def failed() -> ValueError:
    return ValueError(ALL)


@pytest.fixture(params=["line", "json"])
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What the one handler of the settings writes, in either form."""
    (handler,) = (one for one in logging.getLogger().handlers if one.name == "stderr")
    assert isinstance(handler, logging.StreamHandler)
    written, before = io.StringIO(), handler.formatter
    stream = handler.setStream(written)
    handler.setFormatter(LineFormatter() if request.param == "line" else JsonFormatter())
    yield written
    handler.setStream(stream)
    handler.setFormatter(before)


def assert_nothing_arrived(said: str) -> None:
    assert said.strip(), "nothing was logged, so nothing was proved"
    found = {name for name, value in SECRETS.items() if value in said}
    assert found == set()
    assert {piece for piece in PIECES if piece in said} == set()


# --- the web ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_r2_view_that_fails(log: io.StringIO, dana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """With everything in its body, query, headers, cookies, and in the exception and its cause."""

    def fails(*args: object, **named: object) -> None:
        try:
            raise OSError(ALL)
        except OSError as cause:
            raise failed() from cause

    monkeypatch.setattr("portal.records.views.desk.render", fails)
    client = signed_in(dana)
    client.raise_request_exception = False
    client.cookies["other"] = SECRETS["cookie"]
    headers = {"user-agent": SECRETS["name"], "referer": SECRETS["link"], "authorization": SECRETS["key"]}
    answer = client.get(reverse("desk"), {"q": ALL}, headers=headers)
    assert answer.status_code == 500
    assert_nothing_arrived(log.getvalue() + answer.content.decode())


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OperationalError(ALL), ValueError(ALL), RecursionError(ALL)])
def test_r2_act_that_fails_past_the_view(
    log: io.StringIO, dana: User, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*args: object, **named: object) -> None:
        raise error

    monkeypatch.setattr("portal.middleware.can", fails)
    monkeypatch.setattr("portal.middleware.check", fails)
    client = signed_in(dana)
    client.raise_request_exception = False
    assert client.post(reverse("find"), {"q": ALL}).status_code >= 500
    assert_nothing_arrived(log.getvalue())


def test_r2_stream_that_breaks(log: io.StringIO, rf: Any) -> None:
    from portal.problems import ErrorsMiddleware

    def bytes_then_failure() -> Iterator[bytes]:
        yield b"the first"
        raise failed()

    request = rf.get("/studies/", {"q": ALL})
    request.resolver_match = None
    answer = ErrorsMiddleware(lambda _: StreamingHttpResponse(bytes_then_failure()))(request)
    with pytest.raises(ValueError, match="Maria"):
        b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert_nothing_arrived(log.getvalue())


def test_r2_what_the_server_says_of_a_broken_stream(log: io.StringIO) -> None:
    """granian's logger has a handler of its own in the settings, the same one."""
    logger = logging.getLogger("_granian")
    assert "stderr" in {one.name for one in logger.handlers}  # and pytest's own
    assert not logger.propagate
    try:
        raise failed()
    except ValueError as error:
        logger.error("Application callable raised an exception\n%s" % ALL)  # noqa: UP031 (as Rust hands it over)
        logger.error("Application callable raised an exception", exc_info=error)
    assert_nothing_arrived(log.getvalue())


def test_r2_there_is_no_access_log() -> None:
    from portal.serving import programs

    assert "--no-access-log" in str(programs.web(8000))


# --- the worker ------------------------------------------------------------------------------------------------------


def fails_at_work(subject: object, lease: object) -> None:
    raise failed()


@pytest.mark.django_db(transaction=True)
def test_r2_job_that_fails(log: io.StringIO, monkeypatch: pytest.MonkeyPatch, smile: Any) -> None:
    monkeypatch.setitem(KINDS, "send-message", f"{__name__}.fails_at_work")
    with transaction.atomic():
        job = enqueue("send-message", smile.pk)
    run(job.pk)
    job.refresh_from_db()
    assert_nothing_arrived(log.getvalue() + job.failure)


def test_r2_task_that_celery_itself_sees_fail(log: io.StringIO) -> None:
    """Ours catches everything; this one is what Celery would make of one that doesn't."""
    app = celery.Celery("other", broker="memory://", set_as_current=False)

    @app.task(name="tests.fails")
    def fails(*args: str) -> None:
        raise failed()

    fails.apply(args=[ALL], throw=False)
    logging.getLogger("celery.worker.consumer").error(
        "Received and deleted unknown message: %r", {"body": ALL}
    )
    logging.getLogger("kombu.connection").error("Cannot connect to %s", SECRETS["address of the broker"])
    logging.getLogger("kombu.connection").error(f"Cannot connect to {SECRETS['address of the broker']}")
    assert_nothing_arrived(log.getvalue())


@pytest.mark.django_db
def test_r2_sweeper_that_fails(log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    from portal.jobs import sweep

    monkeypatch.setattr(sweep, "SWEEPERS", (f"{__name__}.failed_sweeper",))
    sweep.sweep_once()
    assert_nothing_arrived(log.getvalue())


def failed_sweeper() -> None:
    raise failed()


def test_r2_sweep_that_fails_whole(log: io.StringIO) -> None:
    from threading import Event

    from portal.serving.sweeper import Sweeper

    turned = Event()

    def sweep() -> None:
        turned.set()
        raise failed()

    sweeper = Sweeper(sweep)
    sweeper.start()
    assert turned.wait(10)
    sweeper.stop()
    assert_nothing_arrived(log.getvalue())


# --- vendors, other people's packages, what nobody caught ------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_r2_gateway_whose_library_quotes_all(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch, settings: Any, pat: Any, dana: User
) -> None:
    """The whole way: a share, its message, the worker, and a vendor's library that says what it was given."""

    def quotes_all(*args: object, **named: object) -> None:
        raise RuntimeError(ALL)

    settings.GATEWAY = "memory"
    monkeypatch.setattr(MemoryGateway, "deliver", quotes_all)
    make_share(pat, dana, address=SECRETS["phone"])
    run_jobs()
    assert "RuntimeError" in log.getvalue()
    failures = Job.objects.values_list("failure", flat=True)
    assert_nothing_arrived(log.getvalue() + "".join(failures))


def test_r2_vendor_that_can_not_be_reached_takes_nothing_along(monkeypatch: pytest.MonkeyPatch) -> None:
    def quotes_all(*args: object, **named: object) -> None:
        raise OSError(ALL)

    monkeypatch.setattr(http._opener, "open", quotes_all)
    with pytest.raises(Undeliverable) as refused:
        http.post("https://vendor.example/", ALL.encode(), {"Authorization": SECRETS["vendor's token"]})
    assert refused.value.__cause__ is None
    assert_nothing_arrived(repr(refused.value))


OTHERS: dict[str, Callable[[logging.Logger], None]] = {
    "with values beside": lambda logger: logger.warning("Invalid value for VR PN: %s", ALL),
    "with values by name": lambda logger: logger.warning("%(who)s is odd", {"who": ALL}),
    "with values inside": lambda logger: logger.warning(f"Invalid value for VR PN: {ALL}"),
    "with an exception as its message": lambda logger: logger.error(failed()),
    "with an exception": lambda logger: logger.error("broken", exc_info=failed()),
    "with a stack": lambda logger: logger.error("broken", stack_info=True),
    "with things hung on it": lambda logger: logger.error("broken", extra={"patient": ALL, "request": ALL}),
}


@pytest.mark.parametrize("package", ["PIL.Image", "botocore.endpoint", "urllib3.connectionpool", "reportlab"])
@pytest.mark.parametrize("how", OTHERS)
def test_r2_other_peoples_packages(log: io.StringIO, package: str, how: str) -> None:
    OTHERS[how](logging.getLogger(package))
    assert_nothing_arrived(log.getvalue())


def test_r2_pydicom_says_nothing_at_all(log: io.StringIO) -> None:
    logging.getLogger("pydicom").error("Invalid value: %s", ALL)
    assert log.getvalue() == ""


def test_r2_warning_of_what_was_read(log: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn(ALL, UserWarning, stacklevel=1)
    assert_nothing_arrived(log.getvalue())


UNCAUGHT = """
import django, logging, os, threading, warnings
django.setup()
secret = os.environ["ALL"]
warnings.warn(secret)
logging.getLogger("portal").error("%d", secret)
class Odd:
    def __del__(self): raise ValueError(secret)
Odd()
thread = threading.Thread(target=int, args=[secret])
thread.start()
thread.join()
raise ValueError(secret)
"""


def test_r2_what_nobody_caught(tmp_path: Any) -> None:
    """A process of its own, whose whole error stream is read: the hooks of this one are pytest's."""
    environment = {**os.environ, "SCANPASS_STATE": str(tmp_path), "ALL": ALL, "SCANPASS_LOG_FORMAT": "json"}
    ended = subprocess.run(
        [sys.executable, "-c", UNCAUGHT], env=environment, capture_output=True, text=True, check=False
    )
    assert_nothing_arrived(ended.stderr)
    said = [json.loads(line)["message"] for line in ended.stderr.splitlines()]  # every line is one object
    assert said == [
        "a message of py.warnings",
        "a message of portal that could not be written",
        "an error while cleaning up",
        "a thread ended by an error",
        "ended by an error",
    ]


# --- the form of a line ----------------------------------------------------------------------------------------------


def test_line_is_one_object_of_the_fields_that_are_allowed() -> None:
    record = logging.LogRecord("portal", logging.ERROR, __file__, 1, "job %s failed", ("7",), None)
    record.job, record.patient = "7", ALL
    Redaction().filter(record)
    line = json.loads(JsonFormatter().format(record))
    assert set(line) == {"at", "level", "logger", "message", "job"}
    assert (line["message"], line["job"]) == ("job 7 failed", "7")
    assert "patient" not in FACTS


def test_exception_is_its_type_and_places() -> None:
    try:
        raise failed()
    except ValueError as error:
        record = logging.LogRecord(
            "portal", logging.ERROR, __file__, 1, "x", (), (ValueError, error, error.__traceback__)
        )
    Redaction().filter(record)
    line = json.loads(JsonFormatter().format(record))
    assert line["error"] == "ValueError"
    assert "test_r2_logs.py" in line["places"][0]


def test_what_passes_two_handlers_is_redacted_once() -> None:
    record = logging.LogRecord("portal", logging.ERROR, __file__, 1, "job %s failed", ("7",), None)
    for _ in range(2):
        Redaction().filter(record)
    assert record.getMessage() == "job 7 failed"
