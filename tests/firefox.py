"""A real Firefox with the extension, driven by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/) alone."""

import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from live_server import free_port
from websockets.exceptions import InvalidHandshake
from websockets.sync.client import ClientConnection, connect

EXTENSION = Path(__file__).parent.parent / "extension"
ADD_ON = "idm@download-manager.example"
UUID = "0f9d8a00-1111-4222-8333-444455556666"
"""Firefox gives each installation a random one; this preference fixes it."""
START_SECONDS, ANSWER_SECONDS = 90, 60


def program() -> str:
    """Its path. A missing browser is a failure, never a reason to skip: ``dev.py test`` installs one."""
    found = os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
    assert found, "no Firefox found; install one (Debian: apt-get install firefox-esr)"
    return found


class Firefox:
    """One browser window."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._numbers = itertools.count(1)

    def ask(self, method: str, **params: Any) -> Any:
        """One command of the protocol, and its result."""
        number = next(self._numbers)
        self._line.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._line.recv(ANSWER_SECONDS))
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                return answer["result"]

    def open(self, path: str) -> str:
        """A page of the extension in a tab of its own; its context."""
        context: str = self.ask("browsingContext.create", type="tab")["context"]
        url = f"moz-extension://{UUID}/{path}"
        self.ask("browsingContext.navigate", context=context, url=url, wait="complete")
        return context

    def evaluate(self, context: str, expression: str) -> Any:
        """The value of ``expression`` (a promise is waited for), as JSON knows it."""
        told = self.ask(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": context},
            awaitPromise=True,
        )
        assert told["type"] == "success", told
        value = told["result"].get("value")
        return None if value is None else json.loads(value)

    def wait_for(self, context: str, expression: str, seconds: float = 30) -> Any:
        """What ``expression`` gives once it is true."""
        until = time.monotonic() + seconds
        while not (value := self.evaluate(context, expression)):
            shown = self.evaluate(context, "document.body.innerText")
            assert time.monotonic() < until, f"{expression} did not become true:\n{shown}"
            time.sleep(0.1)
        return value


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """A browser with an empty ``profile`` and the extension."""
    profile.mkdir(parents=True)
    uuids = json.dumps(json.dumps({ADD_ON: UUID}))
    (profile / "user.js").write_text(f'user_pref("extensions.webextensions.uuids", {uuids});\n')
    port = free_port()
    command = [program(), "--headless", "--no-remote", "--profile", str(profile)]
    command += ["--remote-debugging-port", str(port), "--remote-allow-system-access"]
    with (profile.parent / "firefox.log").open("wb") as log:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    try:
        with _connected(port, child) as line:
            browser = Firefox(line)
            browser.ask("session.new", capabilities={})
            browser.ask("webExtension.install", extensionData={"type": "path", "path": str(EXTENSION)})
            yield browser
            browser.ask("browser.close")
    finally:
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _connected(port: int, child: subprocess.Popen[bytes]) -> ClientConnection:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            return connect(f"ws://127.0.0.1:{port}/session", max_size=None, proxy=None)
        except (OSError, InvalidHandshake):
            assert child.poll() is None, f"Firefox ended with {child.poll()}"
            assert time.monotonic() < until, "Firefox does not answer"
            time.sleep(0.1)
