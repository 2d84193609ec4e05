"""The outbox as a pipe: a message leaves when the test listens, and until then its sender stands in the sending."""

from __future__ import annotations

import os

from tests.flows.installation import Installation


class HeldPhone:
    """Inside the block the outbox is a pipe; afterwards it is the file again, with what was heard at its end."""

    def __init__(self, installation: Installation) -> None:
        self.path = installation.state / "outbox.jsonl"
        self.kept = self.path.read_bytes() if self.path.exists() else b""

    def __enter__(self) -> HeldPhone:
        self.path.unlink(missing_ok=True)
        os.mkfifo(self.path, 0o600)
        return self

    def hear(self) -> bytes:
        """Let one message out."""
        with open(self.path, "rb", buffering=0) as pipe:
            line = pipe.read(1 << 16)
        self.kept += line
        return line

    def __exit__(self, *_: object) -> None:
        self.path.unlink()
        self.path.write_bytes(self.kept)
