"""The sweep goes on after an error, and logs no more of it than its class."""

from __future__ import annotations

from threading import Event

import pytest

from portal.serving.sweeper import Sweeper


def test_sweep_survives_an_error_without_telling_its_words(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []
    again = Event()

    def sweep() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("Maria Garcia")
        again.set()

    sweeper = Sweeper(sweep, every_s=0.01)
    sweeper.start()
    assert again.wait(timeout=60)
    sweeper.stop()
    sweeper.join(timeout=60)
    assert "ValueError" in caplog.text
    assert "Maria" not in caplog.text
