"""Running something in a process of its own that is killed with SIGKILL at its n-th step on disk or database."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper


def killed_at(step: int, deed: Callable[[], object]) -> bool:
    """Do the deed in a child that dies before its step `step`; returns whether it got that far.

    A step is each fsync, link, rename and unlink, and each commit, before it and after it.
    """
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            _leave_the_parents_connections()
            _die_at(step)
            deed()
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "it failed where it should have been killed or ended"
    return False


def _leave_the_parents_connections() -> None:
    """Forget, unclosed, what the fork copied: the child opens its own.

    Where Playwright's loop runs, Django keeps connections apart from those made before it. The parent closes its own
    then and not the older one; the child, in which no loop runs, would go on with that, and leave its transaction open
    in the parent's hands when it is killed.
    """
    for one in connections.all(initialized_only=True):
        _inherited.append(one)
        del connections[one.alias]


_inherited: list[BaseDatabaseWrapper] = []


def _die_at(step: int) -> None:
    left = [step]

    def count() -> None:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    def counted(function: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **named: object) -> object:
            count()
            return function(*args, **named)

        return call

    for name in ("fsync", "link", "rename", "unlink"):
        setattr(os, name, counted(getattr(os, name)))
    commit = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]

    def counted_commit(self: BaseDatabaseWrapper) -> object:
        count()
        result = commit(self)
        count()
        return result

    BaseDatabaseWrapper._commit = counted_commit  # type: ignore[attr-defined]
