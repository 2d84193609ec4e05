"""A confined reader for the whole session, as a worker has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal.dicom.sandbox import Sandbox


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    with Sandbox() as reader:
        yield reader
