"""Firefox ESR and WebKitGTK of the machine, driven by what they bring: Marionette and WebKitWebDriver.

Both speak the commands of W3C WebDriver, one over a socket of its own, the other over HTTP, so neither a driver from
elsewhere nor a library is needed. They draw WebGL in software on a screen that Xvfb makes up.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.error import HTTPError

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.ports import free_port

START_WITHIN_S = 60.0
ANSWER_WITHIN_S = 120.0
# The name under which WebDriver hands out elements, W3C WebDriver 12.2.
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# Nothing but the pages asked for, and no question to anybody at the start; any free port.
_FIREFOX_PREFERENCES: dict[str, object] = {
    "marionette.port": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.normandy.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.enabled": False,
}

# Where WebKitWebDriver takes each command.
_ADDRESSES: dict[str, tuple[str, str]] = {
    "SetTimeouts": ("POST", "timeouts"),
    "Navigate": ("POST", "url"),
    "SetWindowRect": ("POST", "window/rect"),
    "ExecuteAsyncScript": ("POST", "execute/async"),
    "FindElement": ("POST", "element"),
    "ElementClick": ("POST", "element/{id}/click"),
    "ElementSendKeys": ("POST", "element/{id}/value"),
    "TakeScreenshot": ("GET", "screenshot"),
}


class Driver(Protocol):
    """One session of a browser: W3C WebDriver commands by the names and parameters that Marionette gives them."""

    def do(self, command: str, **facts: Any) -> Any: ...


class Engine:
    """A page in a browser that isn't Chromium."""

    def __init__(self, name: str, driver: Driver) -> None:
        self.name = name
        self._driver = driver
        driver.do("SetTimeouts", script=int(ANSWER_WITHIN_S * 1000), pageLoad=int(ANSWER_WITHIN_S * 1000))

    def go(self, address: str) -> None:
        self._driver.do("Navigate", url=address)

    def size(self, width: int, height: int) -> None:
        """Make the page so large: the window is larger by whatever stands around it."""
        inner = "return [outerWidth - innerWidth, outerHeight - innerHeight]"
        for _ in range(2):
            wide, high = self.run(inner)
            self._driver.do("SetWindowRect", width=width + wide, height=height + high)
            self.wait_for("return Math.abs(innerWidth - arguments[0]) < 2", width, within_s=10)

    def run(self, body: str, *arguments: Any) -> Any:
        """What a function of this body returns for these arguments, or what its promise comes to."""
        asked = "const done = arguments[arguments.length - 1], given = [...arguments].slice(0, -1);"
        asked += f"(async function () {{ {body} }})(...given)"
        asked += ".then((is) => done({ is }), (no) => done({ no: `${no}` }));"
        answer = self._driver.do("ExecuteAsyncScript", script=asked, args=list(arguments))
        assert "no" not in answer, answer["no"]
        return answer.get("is")

    def wait_for(self, body: str, *arguments: Any, within_s: float = 60.0) -> Any:
        """Run again until it returns something true."""
        deadline = time.monotonic() + within_s
        while not (found := self._try(body, *arguments)):
            assert time.monotonic() < deadline, f"{self.name} waited in vain for: {body}"
            time.sleep(0.05)
        return found

    def _try(self, body: str, *arguments: Any) -> Any:
        # Between two pages there is none to ask.
        try:
            return self.run(body, *arguments)
        except RuntimeError:
            return None

    def see(self, selector: str) -> None:
        """Wait until an element is there and takes room."""
        self.wait_for(
            "return Boolean(document.querySelector(arguments[0])?.getClientRects().length)", selector
        )

    def click(self, selector: str) -> None:
        self.see(selector)
        self._driver.do("ElementClick", id=self._find(selector))

    def type(self, selector: str, text: str) -> None:
        self.see(selector)
        self._driver.do("ElementSendKeys", id=self._find(selector), text=text)

    def follow(self, selector: str) -> None:
        """Click what leads to another page, and wait until that one is there."""
        self.run("window.isOld = true")
        self.click(selector)
        self.wait_for("return !window.isOld && document.readyState === 'complete'")

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    def shot(self, path: Path) -> None:
        path.write_bytes(self._screenshot())

    def _screenshot(self) -> bytes:
        return base64.b64decode(self._driver.do("TakeScreenshot", full=False))

    def pixels(self, selector: str) -> NDArray[np.uint8]:
        """What is to be seen where an element stands, grey, as the window shows it."""
        picture = Image.open(io.BytesIO(self._screenshot())).convert("L")
        x, y, width, height, inner = self.run(
            "const box = document.querySelector(arguments[0]).getBoundingClientRect();"
            "return [box.x, box.y, box.width, box.height, innerWidth]",
            selector,
        )
        ratio = picture.width / inner
        return np.asarray(picture.crop([round(ratio * side) for side in (x, y, x + width, y + height)]))  # type: ignore[arg-type]

    def _find(self, selector: str) -> str:
        return str(self._driver.do("FindElement", using="css selector", value=selector)[ELEMENT])


class _Marionette:
    """Firefox's own protocol: `length:[0, id, command, facts]`, answered by `length:[1, id, error, result]`.

    Source: firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), ANSWER_WITHIN_S)
        self._stream = self._socket.makefile("rb")
        self._read()  # its greeting
        self._number = 0
        self.do("NewSession", capabilities={})

    def do(self, command: str, **facts: Any) -> Any:
        self._number += 1
        # The page's own scripts, not a sandbox beside them: only there may modules be imported.
        page = {"sandbox": None} if command.startswith("Execute") else {}
        asked = json.dumps([0, self._number, f"WebDriver:{command}", {**facts, **page}]).encode()
        self._socket.sendall(b"%d:%s" % (len(asked), asked))
        _, _, error, result = self._read()
        if error:
            raise RuntimeError(f"{command}: {error['message']}")
        return result["value"] if isinstance(result, dict) and "value" in result else result

    def close(self) -> None:
        self._stream.close()
        self._socket.close()

    def _read(self) -> Any:
        length = b""
        while (one := self._stream.read(1)) != b":":
            assert one, "Firefox has hung up."
            length += one
        return json.loads(self._stream.read(int(length)))


class _OverHttp:
    """WebKitWebDriver: each command has its address."""

    def __init__(self, port: int, capabilities: dict[str, Any]) -> None:
        self._base = f"http://127.0.0.1:{port}/session"
        made = self._ask("POST", self._base, {"capabilities": {"alwaysMatch": capabilities}})
        self._base += f"/{made['sessionId']}"

    def do(self, command: str, **facts: Any) -> Any:
        method, path = _ADDRESSES[command]
        return self._ask(method, f"{self._base}/{path.format(**facts)}", facts if method == "POST" else None)

    def close(self) -> None:
        self._ask("DELETE", self._base, None)

    @staticmethod
    def _ask(method: str, address: str, facts: dict[str, Any] | None) -> Any:
        body = None if facts is None else json.dumps(facts).encode()
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as answer:
                return json.load(answer)["value"]
        except HTTPError as error:
            raise RuntimeError(error.read().decode()) from error


@contextmanager
def firefox(folder: Path) -> Iterator[Engine]:
    program = _needed("firefox-esr")
    lines = [f"user_pref({json.dumps(key)}, {json.dumps(is_)});" for key, is_ in _FIREFOX_PREFERENCES.items()]
    (folder / "user.js").write_text("\n".join(lines))
    told = folder / "MarionetteActivePort"
    with _screen() as display:
        command = [program, "--marionette", "--no-remote", "--profile", str(folder)]
        with _running(command, folder, display):
            port = int(_wait(lambda: told.exists() and told.read_text().strip()))
            session = _Marionette(port)
            try:
                yield Engine("Firefox", session)
            finally:
                session.close()


@contextmanager
def webkit(folder: Path) -> Iterator[Engine]:
    driver = _needed("WebKitWebDriver")
    browser = next(iter(sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))), None)
    if not browser:
        _missing("MiniBrowser of WebKitGTK")
    port = free_port()
    with _screen() as display, _running([driver, f"--port={port}"], folder, display):
        _wait(lambda: _listens(port))
        options = {"binary": str(browser), "args": ["--automation"]}
        session = _OverHttp(port, {"webkitgtk:browserOptions": options})
        try:
            yield Engine("WebKitGTK", session)
        finally:
            session.close()


ENGINES = {"firefox": firefox, "webkit": webkit}


def _needed(program: str) -> str:
    return shutil.which(program) or _missing(program)


def _missing(what: str) -> str:
    """Skipped with this reason, but in CI a failure."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{what} is missing on this machine.")
    raise AssertionError("unreachable")


@contextmanager
def _screen() -> Iterator[str]:
    """A screen in memory; Xvfb finds a number that is free and says it."""
    reading, writing = os.pipe()
    command = [
        _needed("Xvfb"),
        "-displayfd",
        str(writing),
        "-screen",
        "0",
        "1600x1200x24",
        "-nolisten",
        "tcp",
    ]
    process = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            yield f":{told.readline().strip()}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _running(command: list[str], home: Path, display: str) -> Iterator[None]:
    """A program with its children, at home in a folder of its own; all of them are gone afterwards."""
    environment = {
        **os.environ,
        "HOME": str(home),
        "DISPLAY": display,
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "NO_AT_BRIDGE": "1",
        "XDG_RUNTIME_DIR": str(home),
    }
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait(what: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + START_WITHIN_S
    while not (found := what()):
        assert time.monotonic() < deadline, "The browser did not start."
        time.sleep(0.05)
    return found


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
