"""Run a program that ends when the process that started it ends.

    python tether.py PARENT_PID PROGRAM [ARGUMENT...]

After `kill -9` of the supervisor nobody is left to end its children, and granian's workers would keep the
port. Linux can: PR_SET_PDEATHSIG survives `exec`, so this sets it and becomes the program. On other systems
there is no such signal, and only the supervisor's own orderly end takes the children along.

Source: prctl(2), PR_SET_PDEATHSIG.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with(parent_pid: int) -> None:
    """Have the kernel kill this process when `parent_pid`, its parent, is gone; end now if it already is."""
    if not sys.platform.startswith("linux"):
        return
    # SIGKILL, because nobody is left to insist when a polite signal is not followed.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have ended before the call above; the signal would then never come.
    if os.getppid() != parent_pid:
        os._exit(1)


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
