"""The server's side of the engine: starts workers, reads what they report, limits and stops them. Event loop only."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from idm_app.engine.forking import ForkLauncher
from idm_app.engine.launchers import FreshLauncher, Launcher, Process
from idm_app.engine.messages import Command, Conclude, Failed, Job, Limit, Progressed, Report, Rested, decode, encode
from idm_app.engine.resting import Resting
from idm_app.errors import FAILURES

log = logging.getLogger(__name__)

STOP_SECONDS = 0.7
"""How long a worker may take to end by itself before it is killed."""
MOST_PAUSE_SECONDS = 60.0
"""Where workers cannot start, the next one waits: 1 s after the first that could not, then twice as long, to this."""
_READ_BYTES = 1 << 18
_LAUNCHES_AT_ONCE = 8
"""A job that waits for its worker to be started gets one that comes to rest meanwhile: small files need few workers."""


def default_launcher() -> Launcher:
    """What is best on this system: forking is safe and shares memory on Linux only."""
    return ForkLauncher() if sys.platform == "linux" else FreshLauncher()


@dataclass(slots=True, eq=False)
class _Worker:
    """One started job."""

    job: Job
    process: Process | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    has_spoken: bool = False


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
        self._workers: dict[int, _Worker] = {}
        self._readers: set[asyncio.Future[None]] = set()
        self._resting = Resting()
        self._launching = asyncio.Semaphore(_LAUNCHES_AT_ONCE)
        self._stillborn = 0
        """How many workers in a row could not start."""

    async def start(self) -> None:
        """Begin to warm up, in the background."""
        await self._launcher.start()

    def run(self, job: Job) -> Coroutine[Any, Any, None]:
        """Start a worker for ``job``; what is returned ends when it has the job. From the call on it can be stopped."""
        worker = self._workers[job.id] = _Worker(replace(job, may_rest=True))
        return self._run(worker, job)

    async def _run(self, worker: _Worker, job: Job) -> None:
        starting, stop = asyncio.ensure_future(self._launch()), asyncio.ensure_future(worker.stopping.wait())
        await asyncio.wait((starting, stop), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not starting.done():
            starting.cancel()
            self._bury(worker, None)
            return
        try:
            process = worker.process = starting.result()
        except OSError as error:
            log.exception("download %d: no worker could be started", job.id)
            self._fail(worker, str(error))
            self._bury(worker, None)
            return
        reader = asyncio.ensure_future(self._read(worker, process))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)
        if worker.stopping.is_set():
            process.end_input()
        else:
            self._send(process, worker.job)

    async def _launch(self) -> Process:
        if self._stillborn:
            await asyncio.sleep(min(MOST_PAUSE_SECONDS, 2.0 ** (self._stillborn - 1)))
        async with self._launching:
            return self._resting.take() or await self._launcher.launch()

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
            reports = [report for report in _folded(lines.splitlines()) if not isinstance(report, Rested)]
            return reports[-1] if reports else None
        finally:
            process.kill()
            await process.wait()

    def limit(self, download_id: int, bytes_per_second: int | None) -> None:
        """Change the rate limit of a running download; nothing happens if it is not running."""
        worker = self._workers.get(download_id)
        if worker is None or worker.stopping.is_set():
            return
        if worker.process:
            self._send(worker.process, Limit(bytes_per_second))
        else:  # it is being started, and finds the limit in its job
            worker.job = replace(worker.job, bytes_per_second_limit=bytes_per_second)

    def conclude(self, download_id: int) -> None:
        """End a recording with what is there; it then finishes as any other."""
        worker = self._workers.get(download_id)
        if worker and worker.process and not worker.stopping.is_set():
            self._send(worker.process, Conclude())

    def is_stopping(self, download_id: int) -> bool:
        """Whether :meth:`stop` was called for the running download. Still true inside ``on_exit``."""
        worker = self._workers.get(download_id)
        return worker is not None and worker.stopping.is_set()

    async def stop(self, download_id: int) -> None:
        """Stop a download; returns when its worker is gone. Every byte received is kept."""
        worker = self._workers.get(download_id)
        if worker is None:
            return
        worker.stopping.set()
        if worker.process:
            worker.process.end_input()
        try:
            await asyncio.wait_for(worker.gone.wait(), STOP_SECONDS)
        except TimeoutError:
            if worker.process:
                log.warning("download %d: its worker did not stop and is killed", download_id)
                worker.process.kill()
            await worker.gone.wait()

    async def close(self) -> None:
        """Stop all workers and whatever is kept warm."""
        await asyncio.gather(*(self.stop(download_id) for download_id in list(self._workers)))
        await asyncio.gather(*self._readers, return_exceptions=True)
        await self._resting.close()
        await self._launcher.close()

    def _send(self, process: Process, command: Command) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # it has just died: its end says the rest
            process.writer.write(encode(command))

    async def _read(self, worker: _Worker, process: Process) -> None:
        rests = False
        try:
            rest = b""
            while not rests and (block := await process.reader.read(_READ_BYTES)):
                *lines, rest = (rest + block).split(b"\n")
                for report in _folded(lines):
                    worker.has_spoken = True
                    if isinstance(report, Rested):
                        rests = not worker.stopping.is_set()
                    else:
                        self._on_report(worker.job.id, report)
        except OSError as error:
            log.info("download %d: %s", worker.job.id, error)
        finally:
            if rests:
                self._resting.add(process)
            exit_code = 0 if rests else await process.wait()
            if worker.has_spoken:
                self._stillborn = 0
            elif exit_code and exit_code > 0 and not worker.stopping.is_set():
                self._stillborn += 1
                self._fail(worker, f"It ended with exit code {exit_code}; the server's log says why.")
            self._bury(worker, exit_code)

    def _fail(self, worker: _Worker, detail: str) -> None:
        message, retryable = FAILURES["worker-cannot-start"]
        self._on_report(worker.job.id, Failed("worker-cannot-start", message, detail, retryable))

    def _bury(self, worker: _Worker, exit_code: int | None) -> None:
        try:
            self._on_exit(worker.job.id, exit_code)
        finally:
            if self._workers.get(worker.job.id) is worker:
                del self._workers[worker.job.id]
            worker.gone.set()


def _folded(lines: list[bytes]) -> list[Report | Rested]:
    """The reports of ``lines``; of progress that came together only the newest, with the newest details."""
    reports: list[Report | Rested] = []
    for line in lines:
        try:
            report: Report | Rested = decode(line)
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
