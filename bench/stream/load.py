"""wrk as the viewers: keep-alive connections that ask for one address after the other."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_LUA = """\
local paths = {{{paths}}}
local at = 0
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
{headers}
"""


@dataclass(frozen=True)
class Target:
    """A server's way to the frames: each of `paths` answers with `frames_each` of them."""

    name: str
    port: int
    paths: list[str]
    frames_each: float
    headers: dict[str, str]

    def script(self, folder: Path) -> Path:
        """The wrk script of this target."""
        path = folder / f"{self.name}.lua"
        headers = "\n".join(f'wrk.headers["{name}"] = [[{value}]]' for name, value in self.headers.items())
        path.write_text(_LUA.format(paths=",".join(f'"{one}"' for one in self.paths), headers=headers))
        return path


def frames_per_s(target: Target, *, viewers: int, seconds: float, folder: Path) -> float:
    """Frames a second to `viewers` connections. Raises SystemExit when anything but 200 came back."""
    script, address = target.script(folder), f"http://127.0.0.1:{target.port}"
    command = ["wrk", "-t1", f"-c{viewers}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script), address]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        raise SystemExit(f"{target.name} did not serve everything:\n{told}")
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", told)
    if rate is None:
        raise SystemExit(f"wrk said nothing of {target.name}:\n{told}")
    return float(rate[1]) * target.frames_each
