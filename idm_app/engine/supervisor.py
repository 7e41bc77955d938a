"""The server's side of the engine: starts workers, reads what they report, limits and stops them. Event loop only."""

import asyncio
import contextlib
import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from idm_app.engine.forking import ForkLauncher
from idm_app.engine.launchers import FreshLauncher, Launcher, Process
from idm_app.engine.messages import (
    Allow,
    Command,
    Conclude,
    Failed,
    Job,
    Limit,
    Progressed,
    Ready,
    Report,
    decode,
    encode,
)
from idm_app.engine.resting import Resting
from idm_app.errors import FAILURES

log = logging.getLogger(__name__)

STOP_SECONDS = 0.7
"""How long a worker may take to end by itself before it is killed."""
MOST_PAUSE_SECONDS = 60.0
"""Where workers cannot start, the next one waits: 1 s after the first that could not, then twice as long, to this."""
_READ_BYTES = 1 << 18
_LAUNCHES_AT_ONCE = 2
_PATIENCE_SECONDS = 0.1
"""Jobs wait that long for workers that come to rest: small files are done sooner than more workers are started."""


def default_launcher() -> Launcher:
    """What is best on this system: forking is safe and shares memory on Linux only."""
    return ForkLauncher() if sys.platform == "linux" else FreshLauncher()


@dataclass(slots=True, eq=False)
class _Run:
    """One job from the call of :meth:`Supervisor.run` until its worker is gone or free."""

    job: Job
    process: Process | None = None
    is_stopping: bool = False
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Starts, reads and stops workers.

    ``on_report(download_id, report)`` and, once for each started job, when its last report was given and its worker is
    gone or free for another job, ``on_exit(download_id, exit_code)`` are called on the event loop. ``exit_code`` is
    ``None`` if unknown, negative for a signal.
    """

    def __init__(
        self,
        on_report: Callable[[int, Report], None],
        on_exit: Callable[[int, int | None], None],
        launcher: Launcher | None = None,
    ) -> None:
        self._on_report = on_report
        self._on_exit = on_exit
        self._launcher = launcher or default_launcher()
        self._runs: dict[int, _Run] = {}
        self._waiting: deque[_Run] = deque()
        """Those whose job nobody has yet."""
        self._working: dict[Process, _Run] = {}
        self._resting = Resting()
        self._launches: set[asyncio.Future[None]] = set()
        self._readers: set[asyncio.Future[None]] = set()
        self._rested_at: deque[float] = deque()
        self._patience: asyncio.TimerHandle | None = None
        self._stillborn = 0
        """How many workers in a row could not start."""

    async def start(self) -> None:
        """Begin to warm up, in the background."""
        await self._launcher.start()

    def run(self, job: Job) -> None:
        """Give ``job`` to a worker as soon as there is one. From the call on it can be stopped."""
        run = self._runs[job.id] = _Run(replace(job, may_rest=True))
        self._waiting.append(run)
        self._hand_out()

    def _hand_out(self) -> None:
        """Jobs that wait go to workers that rest. Where fewer have come to rest lately than jobs are left, more workers
        are started, a few at a time."""
        while self._waiting and (process := self._resting.take()):
            self._give(self._waiting.popleft(), process)
        if not self._waiting:
            return
        since = time.monotonic() - _PATIENCE_SECONDS
        while self._rested_at and self._rested_at[0] < since:
            self._rested_at.popleft()
        wanted = len(self._waiting) - len(self._rested_at)
        if wanted <= 0 and self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(_PATIENCE_SECONDS, self._lose_patience)
        while len(self._launches) < min(wanted, _LAUNCHES_AT_ONCE):
            _kept(self._launches, self._launch()).add_done_callback(lambda _: self._hand_out())

    def _lose_patience(self) -> None:
        self._patience = None
        self._hand_out()

    async def _launch(self) -> None:
        """Start a worker for who has waited the longest. If it cannot start, he is told."""
        try:
            if self._stillborn:
                await asyncio.sleep(min(MOST_PAUSE_SECONDS, 2.0 ** (self._stillborn - 1)))
            process = await self._launcher.launch()
        except OSError as error:
            log.error("no worker could be started: %s", error)
            self._stillborn += 1
            if self._waiting:
                run = self._waiting.popleft()
                message, retryable = FAILURES["worker-cannot-start"]
                self._on_report(run.job.id, Failed("worker-cannot-start", message, str(error), retryable))
                self._bury(run, None)
            return
        self._stillborn = 0
        _kept(self._readers, self._read(process))
        if self._waiting:
            self._give(self._waiting.popleft(), process)
        else:
            self._resting.add(process)

    def _give(self, run: _Run, process: Process) -> None:
        run.process, self._working[process] = process, run
        self._send(process, run.job)

    async def ask(self, job: Job) -> Report | None:
        """Let a worker do ``job`` and return its last report; ``None`` if there was none.

        A cancelled one is killed. Raises ``OSError`` if no worker can be started.
        """
        process = await self._launcher.launch()
        try:
            self._send(process, job)
            lines = b""
            while block := await process.reader.read(_READ_BYTES):
                lines += block
            reports = [report for report in _folded(lines.splitlines()) if not isinstance(report, Ready)]
            return reports[-1] if reports else None
        finally:
            process.kill()
            await process.wait()

    def limit(self, download_id: int, bytes_per_second: int | None) -> None:
        """Change the rate limit of a running download; nothing happens if it is not running."""
        self._change(download_id, Limit(bytes_per_second), bytes_per_second_limit=bytes_per_second)

    def allow(self, download_id: int, connections: int) -> None:
        """Change how many connections a running download may have; nothing happens if it is not running."""
        self._change(download_id, Allow(connections), connections=connections)

    def _change(self, download_id: int, command: Command, **in_job: Any) -> None:
        run = self._runs.get(download_id)
        if run is None or run.is_stopping:
            return
        if run.process:
            self._send(run.process, command)
        else:  # it waits for a worker, who finds it in the job
            run.job = replace(run.job, **in_job)

    def conclude(self, download_id: int) -> None:
        """End a recording with what is there; it then finishes as any other."""
        run = self._runs.get(download_id)
        if run and run.process and not run.is_stopping:
            self._send(run.process, Conclude())

    def is_stopping(self, download_id: int) -> bool:
        """Whether :meth:`stop` was called for the running download. Still true inside ``on_exit``."""
        run = self._runs.get(download_id)
        return run is not None and run.is_stopping

    async def stop(self, download_id: int) -> None:
        """Stop a download; returns when its worker is gone. Every byte received is kept."""
        run = self._runs.get(download_id)
        if run is None:
            return
        run.is_stopping = True
        if run.process is None:
            self._waiting.remove(run)
            self._bury(run, None)
            return
        run.process.end_input()
        try:
            await asyncio.wait_for(run.gone.wait(), STOP_SECONDS)
        except TimeoutError:
            log.warning("download %d: its worker did not stop and is killed", download_id)
            run.process.kill()
            await run.gone.wait()

    async def close(self) -> None:
        """Stop all workers and whatever is kept warm."""
        await asyncio.gather(*(self.stop(download_id) for download_id in list(self._runs)))
        for launch in self._launches:
            launch.cancel()
        await asyncio.gather(*self._launches, return_exceptions=True)
        await self._resting.close()
        await asyncio.gather(*self._readers, return_exceptions=True)
        await self._launcher.close()

    def _send(self, process: Process, command: Command) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # it has just died: its end says the rest
            process.writer.write(encode(command))

    async def _read(self, process: Process) -> None:
        """What ``process`` reports on one job after the other, until it is gone."""
        rest = b""
        try:
            while block := await process.reader.read(_READ_BYTES):
                *lines, rest = (rest + block).split(b"\n")
                for report in _folded(lines):
                    self._take(report, process)
        except OSError as error:
            log.info("worker %d: %s", process.pid, error)
        finally:
            if run := self._working.get(process):
                exit_code = await process.wait()
                del self._working[process]
                self._bury(run, exit_code)

    def _take(self, report: Report | Ready, process: Process) -> None:
        run = self._working[process]
        if not isinstance(report, Ready):
            self._on_report(run.job.id, report)
        elif not run.is_stopping:
            del self._working[process]
            self._resting.add(process)
            self._rested_at.append(time.monotonic())
            self._bury(run, 0)
            self._hand_out()

    def _bury(self, run: _Run, exit_code: int | None) -> None:
        try:
            self._on_exit(run.job.id, exit_code)
        finally:
            if self._runs.get(run.job.id) is run:
                del self._runs[run.job.id]
            run.gone.set()


def _kept(futures: set[asyncio.Future[None]], coroutine: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
    """``coroutine`` as a future that is in ``futures`` until it is done."""
    future = asyncio.ensure_future(coroutine)
    futures.add(future)
    future.add_done_callback(futures.discard)
    return future


def _folded(lines: list[bytes]) -> list[Report | Ready]:
    """The reports of ``lines``; of progress that came together only the newest, with the newest details."""
    reports: list[Report | Ready] = []
    for line in lines:
        try:
            report: Report | Ready = decode(line)
        except (ValueError, TypeError):
            log.exception("a worker wrote what is no report")
            continue
        last = reports[-1] if reports else None
        if isinstance(report, Progressed) and isinstance(last, Progressed):
            reports[-1] = replace(
                report,
                segments=last.segments if report.segments is None else report.segments,
                streams=last.streams if report.streams is None else report.streams,
            )
        else:
            reports.append(report)
    return reports
