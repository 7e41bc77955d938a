"""Real workers for the engine's tests: each job in a process of its own, as the server starts them."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import psutil

from idm_app.engine.messages import (
    Conclude,
    Failed,
    Finished,
    Job,
    Limit,
    Noted,
    Probed,
    Processing,
    Progressed,
    Ready,
    decode,
    encode,
)

R = TypeVar("R")


class Run:
    """One worker at its job."""

    def __init__(self, job: Job, **environment: str) -> None:
        self.reports: list[Any] = []
        self.lines: list[bytes] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "idm_app.engine.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, **environment},
        )
        self.pid = self._process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._log = b""
        self._log_reader = threading.Thread(target=self._read_log, daemon=True)
        self._log_reader.start()
        self._send(job)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _send(self, command: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(encode(command))
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not isinstance(report := decode(line), Ready):
                self.lines.append(line)
                self.reports.append(report)

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._log += line

    @property
    def log(self) -> str:
        """What it has written beside its reports."""
        return self._log.decode()

    def limit(self, bytes_per_second: int | None) -> None:
        """A new rate limit."""
        self._send(Limit(bytes_per_second))

    def conclude(self) -> None:
        """End a recording."""
        self._send(Conclude())

    def of(self, kind: type[R]) -> list[R]:
        """The reports of one kind."""
        return [report for report in self.reports if isinstance(report, kind)]

    def until(self, condition: Callable[["Run"], Any], seconds: float = 90) -> Self:
        """Wait for ``condition``."""
        end = time.monotonic() + seconds
        while not condition(self):
            assert time.monotonic() < end, f"not in {seconds} s: {self.reports[-3:]}\n{self.log}"
            assert self._process.poll() is None or condition(self), f"it ended: {self.reports[-3:]}\n{self.log}"
            time.sleep(0.005)
        return self

    @property
    def is_over(self) -> bool:
        """Whether the worker has ended."""
        return self._process.poll() is not None

    def until_received(self, size_bytes: int) -> Self:
        """Wait until so many bytes are told."""
        return self.until(lambda run: any(p.received_bytes >= size_bytes for p in run.of(Progressed)))

    def end(self, seconds: float = 60) -> Any:
        """Wait for the worker's end; its last report."""
        self._process.wait(seconds)
        self._reader.join(5)
        self._log_reader.join(5)
        assert "Traceback" not in self.log, self.log
        return self.reports[-1] if self.reports else None

    def stop(self) -> float:
        """Close its input; how long it took to end."""
        assert self._process.stdin is not None
        began = time.monotonic()
        self._process.stdin.close()
        self.end(5)
        return time.monotonic() - began

    def until_nothing_runs(self) -> None:
        """Wait until all that it has started is gone: what is killed takes a moment to die."""
        end = time.monotonic() + 5
        while left := [p for p in psutil.process_iter() if self._started(p)]:
            assert time.monotonic() < end, left
            time.sleep(0.01)

    def _started(self, process: psutil.Process) -> bool:
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            return os.getpgid(process.pid) == self.pid and process.status() != psutil.STATUS_ZOMBIE
        return False

    def kill(self) -> None:
        """SIGKILL, for it and all that it has started."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(5)
        self._reader.join(5)

    def finished(self) -> Path:
        """The path of the finished file; fails if there is none."""
        last = self.end()
        assert isinstance(last, Finished), (last, self.log)
        path = Path(last.path)
        assert path.stat().st_size == last.total_bytes
        return path

    def failed(self) -> Failed:
        """How it failed; fails if it did not."""
        last = self.end()
        assert isinstance(last, Failed), last
        return last


class Jobs:
    """Starts jobs that have their folders in one place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "files"
        self.job_folder = self.folder / ".idm" / "1"
        self._runs: list[Run] = []

    def start(self, url: str, **fields: Any) -> Run:
        """A worker for ``url``; ``fields`` are those of the job."""
        environment = fields.pop("environment", {})
        defaults = {"id": 1, "folder": str(self.folder), "job_folder": str(self.job_folder)}
        run = Run(Job(url=url, **{**defaults, **fields}), **environment)
        self._runs.append(run)
        return run

    def names(self) -> list[str]:
        """What is in the download folder, unfinished parts left out."""
        return sorted(path.name for path in self.folder.iterdir() if path.name != ".idm")

    def close(self) -> None:
        """Kill what still runs."""
        for run in self._runs:
            run.kill()


class RawOrigin:
    """Answers every request with the same bytes and closes."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> int:
        threading.Thread(target=self._serve, daemon=True).start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    connection.sendall(self._answer)
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(65536)
                except OSError:
                    continue


def sha256(path: Path) -> str:
    """Of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def phases(run: Run) -> list[str]:
    """What it was doing, in order, without repetitions."""
    told = [report.phase for report in run.reports if isinstance(report, Progressed | Processing)]
    return [phase for number, phase in enumerate(told) if number == 0 or told[number - 1] != phase]


__all__ = [
    "Failed",
    "Finished",
    "Jobs",
    "Noted",
    "Probed",
    "Processing",
    "Progressed",
    "RawOrigin",
    "Run",
    "phases",
    "sha256",
]
