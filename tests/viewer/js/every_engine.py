"""`@every_engine`: the test runs in Chromium, and among the slow ones in Firefox ESR and WebKitGTK too."""

from __future__ import annotations

import pytest

from tests.engines import ENGINES

every_engine = pytest.mark.parametrize(
    "run", ["chromium", *(pytest.param(name, marks=pytest.mark.slow) for name in ENGINES)], indirect=True
)
