#!/usr/bin/env python3
"""Scanpass's one entry point: makes its own environment, then hands over to Django or pytest.

    python3 manage.py demo      set up, sample practice, serve on 127.0.0.1:8000
    python3 manage.py serve     set up, serve a real installation
    python3 manage.py test      set up, run the tests

This file and the two it imports are standard library only. It must parse on Python 3.8, so that an old
interpreter meets a sentence and not a syntax error.
"""

from __future__ import annotations

import sys


def refuse_old_python() -> None:
    """End with one line where the interpreter is older than the code it would have to read."""
    if sys.version_info < (3, 11):
        sys.exit(
            "Scanpass needs Python 3.11 or newer; this is %d.%d. Install it (Debian: apt install python3.11) and try"
            " again with: python3.11 manage.py %s"
            % (sys.version_info[0], sys.version_info[1], " ".join(sys.argv[1:]))
        )


def main() -> None:
    """Set up if this command and this interpreter call for it, then run the command."""
    refuse_old_python()
    from portal.serving import bootstrap, environment
    from portal.serving.refusal import CannotStart

    try:
        bootstrap.enter(sys.argv)
        environment.prepare(sys.argv)
        bootstrap.run(sys.argv)
    except CannotStart as refusal:
        sys.exit(str(refusal))
    except KeyboardInterrupt:
        sys.exit("Stopped. Run the same command again: it goes on from there.")


if __name__ == "__main__":
    main()
