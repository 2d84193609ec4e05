"""The one way in which a start ends early: a sentence that says what to do."""

from __future__ import annotations

import errno


class CannotStart(Exception):
    """Scanpass can't start; the message is one plain line for the person at the terminal."""


def explain(error: OSError) -> CannotStart:
    """The sentence for what the operating system refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CannotStart("The disk is full. Free some space and run the same command again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return CannotStart(
            f"This user may not write to {error.filename}. Change its owner, or use another folder."
        )
    return CannotStart(
        f"{error.filename or 'The system'}: {error.strerror}. Correct this and run the same command again."
    )
