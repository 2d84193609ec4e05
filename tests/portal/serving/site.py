"""A stand-in for the site, run as a process of its own: the real supervisor over two tiny programs.

    python -m tests.portal.serving.site FOLDER BEHAVIOUR

Each program writes its process id (and that of a grandchild it starts) into FOLDER, then behaves.
"""

from __future__ import annotations

import sys
from pathlib import Path

from portal.serving import child, supervisor
from portal.serving.programs import Program
from portal.serving.refusal import CannotStart
from portal.serving.supervisor import Supervisor

PROGRAM = """
import os, pathlib, signal, subprocess, sys, time
folder, name, behaviour = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
quiet = dict.fromkeys(("stdout", "stderr"), subprocess.DEVNULL)
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"], **quiet)
if behaviour == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
fresh = folder / f".{name}"
(folder / f"{name}.mark").write_text(os.environ["SCANPASS_WORKER"])
fresh.write_text(f"{os.getpid()} {helper.pid}")
os.replace(fresh, folder / name)
if behaviour == "ends":
    sys.exit(3)
time.sleep(120)
"""


def main(folder: Path, behaviour: str) -> None:
    """Run until ended; say `ready` once both programs have written their ids, `swept` at each sweep."""
    child.FIRST_PAUSE_S = 0.02
    supervisor.END_WITHIN_S = 1.0
    programs = [
        Program(f"The {name} program", (sys.executable, "-c", PROGRAM, str(folder), name, behaviour))
        for name in ("web", "tasks")
    ]
    Supervisor(
        programs,
        sweep=lambda: (folder / "swept").touch(),
        on_end=lambda mark: (folder / "dead").write_text(mark),
        is_ready=lambda: (folder / "web").exists() and (folder / "tasks").exists(),
        on_ready=lambda: print("ready", flush=True),
    ).run()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2])
    except CannotStart as refusal:
        sys.exit(str(refusal))
