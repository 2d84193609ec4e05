"""What lies in clear after a whole walk: every sink, every form of every planted word, picture, code and key.

    python -m bench.sweep
    DATABASE_URL=postgres://… CELERY_BROKER_URL=redis://… python -m bench.sweep

The walk and the search are those of tests/flows/test_nothing_in_clear.py. The control plants every form of every canary
amid random bytes and must find all of them, or the zeros above it mean nothing.
"""

from __future__ import annotations

import sys

from bench.state import make_state


def main() -> int:
    with make_state():
        from bench.sweep.sinks import sweep

        return sweep()


if __name__ == "__main__":
    sys.exit(main())
