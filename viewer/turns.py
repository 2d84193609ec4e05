"""Opening one batch at a time in a process.

Threads that decrypt side by side fight over the interpreter and hold 4 MiB each: in turn, four viewers a process get an
eighth more frames. What waits here waits for a millisecond of work, never for a database or a slow client.
"""

from __future__ import annotations

from threading import Lock
from typing import Final

OPENING: Final = Lock()
