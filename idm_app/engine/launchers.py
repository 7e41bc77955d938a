"""Ways to start a worker process: a fresh Python (everywhere), or a fork of a preloaded one (Linux)."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from dataclasses import dataclass
from typing import Protocol

log = logging.getLogger(__name__)

WORKER_MODULE = "idm_app.engine.worker"
ZYGOTE_MODULE = "idm_app.engine.zygote"
_FORK_SECONDS = 5.0
_LARGEST_MESSAGE_BYTES = 4096


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
        """A worker that waits for its job. Raises ``OSError``."""

    async def close(self) -> None:
        """End whatever is kept warm."""


def default_launcher() -> Launcher:
    """What is best on this system: forking is safe and shares memory on Linux only."""
    return ForkLauncher() if sys.platform == "linux" else FreshLauncher()


def worker_environment() -> dict[str, str]:
    """The environment without what only the server may know."""
    return {name: value for name, value in os.environ.items() if not name.startswith("IDM_")}


def kill_group(pid: int) -> None:
    """Kill a worker and whatever it has started, which is in its process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)


@dataclass(slots=True)
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
        try:
            process = await spare if spare else await self._launch()
            if process.process.returncode is not None:
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
        return FreshProcess(process, process.pid, process.stdout, process.stdin)


@dataclass(slots=True)
class ForkedProcess:
    """A worker forked by the zygote."""

    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    gone: "asyncio.Future[int | None]"

    def end_input(self) -> None:
        """Tell it to stop. Its reports still come."""
        with contextlib.suppress(OSError):
            self.writer.write_eof()

    def kill(self) -> None:
        """Kill it and all that it has started."""
        if not self.gone.done():
            kill_group(self.pid)

    async def wait(self) -> int | None:
        """Its exit code once it is gone; ``None`` if the zygote has died before it."""
        exit_code = await asyncio.shield(self.gone)
        self.writer.close()
        return exit_code


class ForkLauncher:
    """Lets a zygote fork the workers. If it dies, a new one is started; if none can be had, fresh processes do."""

    def __init__(self) -> None:
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._forking: deque[asyncio.Future[int]] = deque()
        self._running: dict[int, asyncio.Future[int | None]] = {}
        self._fallback = FreshLauncher(keeps_spare=False)

    async def start(self) -> None:
        """Start the zygote; it serves at once and warms up by itself."""
        if self._control is not None:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self._control = ours
        loop = asyncio.get_running_loop()
        loop.add_reader(ours, self._on_answer)
        self._process = await loop.run_in_executor(None, _start_zygote, theirs)

    async def launch(self) -> Process:
        """A worker that waits for its job. Raises ``OSError``."""
        for _ in range(2):
            try:
                await self.start()
                return await self._fork()
            except OSError as error:
                log.warning("a new process that forks workers is started: %s", error)
                self._lose_zygote()
        return await self._fallback.launch()

    async def close(self) -> None:
        """End the zygote. It is killed: no worker is left, and on a busy machine it would take seconds to be asked."""
        process = self._process
        self._lose_zygote()
        if process is not None:
            process.kill()
            await asyncio.get_running_loop().run_in_executor(None, process.wait)

    async def _fork(self) -> ForkedProcess:
        assert self._control is not None
        ours, theirs = socket.socketpair()
        forked: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        with theirs:
            socket.send_fds(self._control, [b"fork"], [theirs.fileno()])
        self._forking.append(forked)
        try:
            pid = await asyncio.wait_for(asyncio.shield(forked), _FORK_SECONDS)
        except TimeoutError as error:
            ours.close()
            raise OSError("no answer from the process that forks workers") from error
        except OSError:
            ours.close()
            raise
        reader, writer = await asyncio.open_connection(sock=ours)
        return ForkedProcess(pid, reader, writer, self._running[pid])

    def _on_answer(self) -> None:
        assert self._control is not None
        try:
            message = self._control.recv(_LARGEST_MESSAGE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if not message:
            self._lose_zygote()
            return
        record = json.loads(message)
        if "forked" in record:
            self._running[record["forked"]] = asyncio.get_running_loop().create_future()
            self._forking.popleft().set_result(record["forked"])
        elif gone := self._running.pop(record["gone"], None):
            gone.set_result(record["exit_code"])

    def _lose_zygote(self) -> None:
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None
        for forked in self._forking:
            forked.set_exception(OSError("the process that forks workers has died"))
        self._forking.clear()
        for gone in self._running.values():
            gone.set_result(None)
        self._running.clear()


def _start_zygote(control: socket.socket) -> "subprocess.Popen[bytes]":
    with control:
        return subprocess.Popen(
            [sys.executable, "-m", ZYGOTE_MODULE],
            stdin=control.fileno(),
            stdout=subprocess.DEVNULL,
            env=worker_environment(),
            start_new_session=True,
        )
