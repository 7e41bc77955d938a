"""How a worker process is started: the interface, and a fresh Python for each, which works everywhere."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Protocol

WORKER_MODULE = "idm_app.engine.worker"
START_SECONDS = 60.0
"""How long a fresh one may take to load what it needs, on a machine that may be busy."""


class Process(Protocol):
    """A worker's process: its reports, its input, its end."""

    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def end_input(self) -> None:
        """Tell it to stop."""

    def kill(self) -> None:
        """Kill it and all that it has started."""

    async def wait(self) -> int | None:
        """Its exit code once it is gone; ``None`` if unknown."""


class Launcher(Protocol):
    """Starts workers."""

    async def start(self) -> None:
        """Begin to warm up; returns at once."""

    async def launch(self) -> Process:
        """A worker that waits for its job. Raises ``OSError``, with a sentence for people if it ended at once."""

    async def close(self) -> None:
        """End whatever is kept warm."""


def worker_environment() -> dict[str, str]:
    """The environment without what only the server may know."""
    return {name: value for name, value in os.environ.items() if not name.startswith("IDM_")}


def kill_group(pid: int) -> None:
    """Kill a worker and whatever it has started: its process group; on Windows, its tree, while the worker lives."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    else:
        command = ["taskkill", "/F", "/T", "/PID", str(pid)]
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@dataclass(slots=True, eq=False)
class FreshProcess:
    """A worker that is a process of its own making."""

    process: asyncio.subprocess.Process
    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def end_input(self) -> None:
        """Tell it to stop."""
        self.writer.close()

    def kill(self) -> None:
        """Kill it and all that it has started."""
        kill_group(self.pid)

    async def wait(self) -> int | None:
        """Its exit code once it is gone."""
        exit_code = await self.process.wait()
        self.writer.close()
        if os.name == "posix":
            kill_group(self.pid)  # what it may have left behind
        return exit_code


class FreshLauncher:
    """Starts a Python for each worker and keeps one waiting, so that a job need not wait for its imports."""

    def __init__(self, *, keeps_spare: bool = True) -> None:
        self._keeps_spare = keeps_spare
        self._spare: asyncio.Future[FreshProcess] | None = None

    async def start(self) -> None:
        """Start the first spare worker in the background."""
        self._spare = asyncio.ensure_future(self._launch())

    async def launch(self) -> FreshProcess:
        """The spare worker, or a new one if it has died. Raises ``OSError``."""
        spare, self._spare = self._spare, None
        process = None
        try:
            if spare:
                with contextlib.suppress(OSError):
                    process = await spare
            if process is None or process.process.returncode is not None:
                process = await self._launch()
        finally:
            if self._keeps_spare:
                self._spare = asyncio.ensure_future(self._launch())
        return process

    async def close(self) -> None:
        """End the spare worker."""
        self._keeps_spare = False
        if self._spare:
            with contextlib.suppress(OSError):
                process = await self._spare
                process.end_input()
                await process.wait()

    async def _launch(self) -> FreshProcess:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            WORKER_MODULE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=worker_environment(),
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        worker = FreshProcess(process, process.pid, process.stdout, process.stdin)
        try:
            async with asyncio.timeout(START_SECONDS):
                is_ready = await process.stdout.readline()
        except (TimeoutError, asyncio.CancelledError) as error:
            worker.kill()
            await worker.wait()
            if isinstance(error, TimeoutError):
                raise OSError(f"It was not ready within {START_SECONDS:.0f} s; is this machine very busy?") from None
            raise
        if not is_ready:
            raise OSError(f"It ended with exit code {await worker.wait()}; the server's log says why.")
        return worker
