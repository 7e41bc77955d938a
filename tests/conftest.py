"""What all tests share: the real server as a subprocess, origins that misbehave, a real browser with the extension."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fault_server import FaultServer

ROOT = Path(__file__).parent.parent


class Server:
    """``python -m idm_app`` with folders and a port of its own."""

    def __init__(self, folder: Path, port: int, *options: str, **environment: str) -> None:
        self.data_dir, self.download_dir = folder / "data", folder / "files"
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=self.url, timeout=30)
        self._log = folder / "server.log"
        self._options, self._environment = options, environment
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Start it and wait until it answers."""
        folders = ["--data-dir", str(self.data_dir), "--download-dir", str(self.download_dir)]
        command = [sys.executable, "-m", "idm_app", "--no-browser", "--port", str(self.port), *folders]
        environment = {**os.environ, **self._environment}
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [*command, *self._options, *options], stdout=log, stderr=log, env=environment
            )
        until = time.monotonic() + 30
        while True:
            try:
                self.client.get("/api/health").raise_for_status()
                return
            except httpx.HTTPError:
                ended = self._child.poll()
                assert ended is None, f"the server ended with {ended}:\n{self.output()}"
                assert time.monotonic() < until, f"the server does not answer:\n{self.output()}"
                time.sleep(0.02)

    @property
    def pid(self) -> int:
        """Of the running server."""
        assert self._child is not None
        return self._child.pid

    def output(self) -> str:
        """All it has printed."""
        return self._log.read_text("utf-8", "replace")

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._child is not None
        self._child.send_signal(signal.SIGTERM)
        return self._child.wait(15)

    def kill(self) -> None:
        """SIGKILL."""
        assert self._child is not None
        self._child.kill()
        self._child.wait(5)

    def restart(self, *options: str) -> None:
        """Stop it if it runs, and start it again on the same folders and port."""
        if self._child is not None and self._child.poll() is None:
            self.stop()
        self.start(*options)

    def close(self) -> None:
        """Stop it for good; a traceback in its log fails the test."""
        if self._child is not None and self._child.poll() is None:
            self.stop()
        self.client.close()
        assert "Traceback" not in self.output(), self.output()


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture
def server_factory(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def make(*options: str, **environment: str) -> Server:
        with socket.create_server(("127.0.0.1", 0)) as found:
            port = found.getsockname()[1]
        folder = tmp_path / f"server{len(servers)}"
        folder.mkdir()
        servers.append(Server(folder, port, *options, **environment))
        servers[-1].start()
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def server(server_factory: Callable[..., Server]) -> Server:
    return server_factory()


@pytest.fixture
def origin() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture(scope="session")
def media_site() -> Iterator[Any]:
    from media_site import MediaSite

    with MediaSite() as site:
        yield site


# -- browsers


def chromium() -> str:
    """A Chromium to test with. There is always one: ``dev.py test`` installs it."""
    named = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert named, "no Chromium found; run the tests with: python3 dev.py test"
    return named


@pytest.fixture(scope="session")
def playwright() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Any) -> Iterator[Any]:
    running = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
    yield running
    running.close()


@dataclass
class Extension:
    """A browser with the extension loaded, told which server is ours."""

    context: Any
    id: str
    server_url: str

    def open_popup(self) -> Any:
        """The popup as a page of its own."""
        page = self.context.new_page()
        page.goto(f"chrome-extension://{self.id}/popup/popup.html")
        return page

    @property
    def worker(self) -> Any:
        """The service worker."""
        return self.context.service_workers[0]


@pytest.fixture
def extension(playwright: Any, server: Server, tmp_path: Path) -> Iterator[Extension]:
    folder = str(ROOT / "extension")
    context = playwright.chromium.launch_persistent_context(
        str(tmp_path / "profile"),
        executable_path=chromium(),
        headless=True,
        args=["--no-sandbox", f"--disable-extensions-except={folder}", f"--load-extension={folder}"],
    )
    worker = context.service_workers[0] if context.service_workers else context.wait_for_event("serviceworker")
    worker.evaluate("url => chrome.storage.local.set({server: url})", server.url)
    yield Extension(context, worker.url.split("/")[2], server.url)
    context.close()
