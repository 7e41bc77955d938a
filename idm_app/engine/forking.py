"""The server's side of the zygote, a preloaded Python that forks the workers. Linux only."""

import asyncio
import contextlib
import json
import logging
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass

from idm_app.engine.launchers import FreshLauncher, Process, kill_group, worker_environment

log = logging.getLogger(__name__)

ZYGOTE_MODULE = "idm_app.engine.zygote"
CALM_SECONDS = 60.0
"""How long fresh processes do the work after a zygote that has not forked once: the next would fare no better."""
_FORK_SECONDS = 5.0
_LARGEST_MESSAGE_BYTES = 4096


@dataclass(slots=True, eq=False)
class ForkedProcess:
    """A worker forked by a zygote."""

    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    gone: "asyncio.Future[int | None]"

    def end_input(self) -> None:
        """Tell it to stop. Its reports still come."""
        with contextlib.suppress(OSError, RuntimeError):  # it has just died
            self.writer.write_eof()

    def kill(self) -> None:
        """Kill it and all that it has started."""
        if not self.gone.done() or (self.gone.result() is None and not self.reader.at_eof()):
            kill_group(self.pid)

    async def wait(self) -> int | None:
        """Its exit code once it is gone; ``None`` if the zygote has died before it."""
        exit_code = await asyncio.shield(self.gone)
        self.writer.close()
        return exit_code


class ForkLauncher:
    """Lets a zygote fork the workers. If it dies, a new one is started; if none can be had, fresh processes do."""

    def __init__(self) -> None:
        self._zygote: _Zygote | None = None
        self._fallback = FreshLauncher(keeps_spare=False)
        self._calm_until = 0.0

    async def start(self) -> None:
        """Start the zygote; it serves at once and warms up by itself."""
        self._living_zygote()

    async def launch(self) -> Process:
        """A worker that waits for its job. Raises ``OSError``."""
        for _ in range(2):
            if time.monotonic() < self._calm_until:
                break
            zygote = self._living_zygote()
            try:
                return await zygote.fork()
            except OSError as error:
                if zygote is self._zygote:  # of those who waited for it, one says so
                    log.warning("a new process that forks workers is needed: %s", error)
                    self._calm_until = 0.0 if zygote.has_forked else time.monotonic() + CALM_SECONDS
                    self._zygote = None
                await zygote.kill()
        return await self._fallback.launch()

    async def close(self) -> None:
        """End the zygote. It is killed: no worker is left, and on a busy machine it would take seconds to be asked."""
        if self._zygote is not None:
            await self._zygote.kill()

    def _living_zygote(self) -> "_Zygote":
        if self._zygote is None:
            self._zygote = _Zygote()
        return self._zygote


class _Zygote:
    """One zygote, as the server sees it."""

    def __init__(self) -> None:
        self.has_forked = False
        self._forking: deque[asyncio.Future[int]] = deque()
        self._running: dict[int, asyncio.Future[int | None]] = {}
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._control, self._on_answer)
        self._process = self._loop.run_in_executor(None, _start, theirs)

    async def fork(self) -> ForkedProcess:
        """A worker that waits for its job. Raises ``OSError`` if it has died, could not be started, or is silent."""
        await asyncio.shield(self._process)
        if self._control.fileno() < 0:
            raise OSError("the process that forks workers has died")
        ours, theirs = socket.socketpair()
        forked: asyncio.Future[int] = self._loop.create_future()
        try:
            with theirs:
                socket.send_fds(self._control, [b"fork"], [theirs.fileno()])
            self._forking.append(forked)
            pid = await asyncio.wait_for(asyncio.shield(forked), _FORK_SECONDS)
            reader, writer = await asyncio.open_connection(sock=ours)
        except TimeoutError as error:
            ours.close()
            raise OSError("no answer from the process that forks workers") from error
        except BaseException:  # a worker that is forked nevertheless finds its input ended
            ours.close()
            raise
        return ForkedProcess(pid, reader, writer, self._running[pid])

    def lose(self) -> None:
        """Expect nothing more of it. Doing it twice changes nothing."""
        if self._control.fileno() < 0:
            return
        self._loop.remove_reader(self._control)
        self._control.close()
        for forked in self._forking:
            forked.set_exception(OSError("the process that forks workers has died"))
        self._forking.clear()
        for gone in self._running.values():
            gone.set_result(None)
        self._running.clear()

    async def kill(self) -> None:
        """End it, and wait until it has ended. Its workers go on."""
        self.lose()
        with contextlib.suppress(OSError):
            process = await self._process
            process.kill()
            await self._loop.run_in_executor(None, process.wait)

    def _on_answer(self) -> None:
        try:
            message = self._control.recv(_LARGEST_MESSAGE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if not message:
            self.lose()
            return
        record = json.loads(message)
        if "forked" in record:
            self.has_forked = True
            self._running[record["forked"]] = self._loop.create_future()
            self._forking.popleft().set_result(record["forked"])
        elif gone := self._running.pop(record["gone"], None):
            gone.set_result(record["exit_code"])


def _start(control: socket.socket) -> "subprocess.Popen[bytes]":
    with control:
        return subprocess.Popen(
            [sys.executable, "-m", ZYGOTE_MODULE],
            stdin=control.fileno(),
            stdout=subprocess.DEVNULL,
            env=worker_environment(),
            start_new_session=True,
        )
