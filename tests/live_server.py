"""The real server, ``python -m idm_app``, as a process with folders and a port of its own."""

import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx

START_SECONDS = 30
STOP_SECONDS = 15
_PORTS = range(20_000, 32_000)
"""Below those that systems give to outgoing connections, so that nobody takes it between a stop and a start."""


def free_port() -> int:
    """A port of loopback on which nobody listens."""
    while True:
        with socket.socket() as tried:
            port = random.choice(_PORTS)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class LiveServer:
    """One server, which can be stopped, killed and started again on the same folders and port."""

    def __init__(self, folder: Path, *options: str, trusts: ssl.SSLContext | None = None, **environment: str) -> None:
        """``trusts``: for a server with ``--cert``, who is believed to have signed it."""
        self.port = free_port()
        self.url = f"http{'s' if trusts else ''}://127.0.0.1:{self.port}"
        self.client = httpx.Client(base_url=self.url, timeout=30, trust_env=False, verify=trusts or True)
        self.data_dir, self.download_dir = folder / "data", folder / "files"
        self.log = folder / "server.log"
        self._options = options
        ours = {name: value for name, value in os.environ.items() if not name.startswith("IDM_")}
        self._environment = ours | environment
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def output(self) -> str:
        """All it has printed, over all its starts."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def start(self, *options: str) -> None:
        """Start it and wait until it answers; ``options`` for this start only."""
        folders = ["--data-dir", str(self.data_dir), "--download-dir", str(self.download_dir)]
        command = [sys.executable, "-m", "idm_app", "--no-browser", "--port", str(self.port), *folders]
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [*command, *self._options, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
            )
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self.is_running, f"the server ended with {self._child.poll()}:\n{self.output()}"
            assert time.monotonic() < until, f"the server does not answer:\n{self.output()}"
            time.sleep(0.02)

    def stop(self) -> int:
        """Ask it to stop; the exit code. One that does not stop is killed, and the test fails."""
        assert self._child is not None
        self._child.send_signal(signal.SIGTERM)
        try:
            return self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not stop in {STOP_SECONDS} s:\n{self.output()}") from None

    def kill(self) -> None:
        """End it without asking."""
        assert self._child is not None
        self._child.kill()
        self._child.wait()

    def restart(self, *options: str) -> None:
        """Stop it if it runs, and start it again."""
        if self.is_running:
            self.stop()
        self.start(*options)

    def close(self) -> None:
        """Stop it for good. An exit code or a traceback that should not be fails the test."""
        self.client.close()
        exit_code = self.stop() if self.is_running else 0
        assert exit_code == 0, f"the server ended with {exit_code}:\n{self.output()}"
        assert "Traceback" not in self.output(), self.output()

    def _answers(self) -> bool:
        try:
            return self.client.get("/api/health").is_success
        except httpx.HTTPError:
            return False
