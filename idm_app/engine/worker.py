"""The process that does a job: ``python -m idm_app.engine.worker``.

It says that it is ready; one :class:`Job` line comes in, limits may follow, the end of input means stop.
Reports go out as lines. After a plain file it may be ready for another job, if the first allows it; media leave too
much behind.

Can be run by hand::

    (echo '{"type": "job", "id": 1, "url": "https://…", "folder": "/tmp", "job_folder": "/tmp/job"}'; cat) \\
        | python -m idm_app.engine.worker
"""

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

from idm_app.engine.messages import Allow, Conclude, Failed, Job, Limit, Ready, Report, decode, encode
from idm_app.engine.part_file import PART_NAME
from idm_app.engine.plain_file import LeadsToMedia, fetch_file, probe_file, source_of
from idm_app.engine.progress import Progress
from idm_app.engine.receipt import Receipt
from idm_app.engine.source import host_of
from idm_app.engine.surroundings import Connections, Stopped, Surroundings
from idm_app.engine.throttle import TokenBucket
from idm_app.errors import DownloadError

log = logging.getLogger(__name__)

NICENESS = 10
"""Workers give way to the server, so that the list stays lively while several run unthrottled."""
STOP_SECONDS = 0.3
"""How long a stop waits for what has arrived to be written down."""
MOST_JOBS = 100
"""After that many a worker ends: what may have leaked goes with it."""


class Border:
    """Reports out, limits in, and the end of input."""

    def __init__(self, commands: BinaryIO, reports_fd: int) -> None:
        self._commands = commands
        self._reports_fd = reports_fd
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[tuple[Job, Surroundings, threading.Event]] = SimpleQueue()
        self.stopping = threading.Event()
        self._around = self._surroundings()
        self._told = threading.Event()
        self._told.set()

    def jobs(self) -> Iterator[tuple[Job, Surroundings, threading.Event]]:
        """Each job when it comes, with what it needs, and what is to be set once its last report was sent: a stop
        waits for that. Does not end: the process does, at the end of input.
        """
        threading.Thread(target=self._read, name="commands", daemon=True).start()
        while True:
            yield self._jobs.get()

    def _surroundings(self, job: Job | None = None) -> Surroundings:
        return Surroundings(
            TokenBucket(job.bytes_per_second_limit if job else None),
            Progress(self.send, host=host_of(job.url) if job else ""),
            self.stopping.is_set,
            connections=Connections(job.connections if job else 1),
        )

    def send(self, *reports: Report | Ready) -> None:
        """Write lines. A reader that has gone means stop."""
        view = memoryview(b"".join(map(encode, reports)))
        with self._lock:
            try:
                while view:
                    view = view[os.write(self._reports_fd, view) :]
            except OSError:
                self.stopping.set()

    def _read(self) -> None:
        try:
            for line in self._commands:
                match decode(line):
                    case Job() as job:
                        self._around, self._told = self._surroundings(job), threading.Event()
                        self._jobs.put((job, self._around, self._told))
                    case Limit() as limit:
                        self._around.bucket.set_limit(limit.bytes_per_second)
                    case Allow() as allow:
                        self._around.connections.most = allow.connections
                    case Conclude():
                        self._around.concluding.set()
        except OSError:
            pass  # the server was killed: an end of input as well
        except ValueError:
            log.exception("unreadable command")
        self.stopping.set()
        self._told.wait(STOP_SECONDS)
        end_process(0)


def main(*, is_fresh: bool = False) -> None:
    """Do what comes in on standard input. Ends the process. ``is_fresh``: who has started it waits to hear of it."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s worker %(process)d %(levelname)s %(message)s")
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, signal.SIG_DFL)
    be_nice()
    reports_fd = os.dup(1)
    os.dup2(2, 1)  # nothing else can write into the border
    border = Border(os.fdopen(0, "rb", closefd=False), reports_fd)
    if is_fresh:
        border.send(Ready())
    for number, (job, around, told) in enumerate(border.jobs(), 1):
        report, is_as_before = run(job, around)
        rests = job.may_rest and is_as_before and number < MOST_JOBS
        around.progress.send(*([report] if report else ()), *([Ready()] if rests else ()))
        told.set()
        if not rests:
            end_process(0)


def run(job: Job, around: Surroundings) -> tuple[Report | None, bool]:
    """Do ``job``: the border where exceptions become reports.

    Returns its last report, ``None`` after a stop, and whether the process is as it was before.
    """
    is_as_before = True
    try:
        report = _known(job, around) or _plain(job, around)
        if report is None:
            is_as_before = False
            report = _media(job, around)
        return report, is_as_before
    except Stopped:
        return None, False
    except DownloadError as error:
        told = Failed(error.failure_code, str(error), error.detail, error.retryable, error.retry_after_seconds)
        return told, is_as_before
    except Exception as error:
        log.exception("download %d", job.id)
        failure = DownloadError("internal", f"{type(error).__name__}: {error}")
        return Failed(failure.failure_code, str(failure), failure.detail, failure.retryable), False


def _known(job: Job, around: Surroundings) -> Report | None:
    """What an earlier run has finished without being able to tell."""
    if job.only_probe or not (reports := Receipt(Path(job.job_folder)).reports()):
        return None
    around.progress.send(reports[0])
    return reports[1]


def _plain(job: Job, around: Surroundings) -> Report | None:
    """``None``: it is media."""
    if job.kind == "file" or (job.kind is None and not _is_claimed(job.url)):
        try:
            return probe_file(job, around) if job.only_probe else fetch_file(job, around)
        except LeadsToMedia:
            around.progress.replace_streams(())
            (Path(job.job_folder) / PART_NAME).unlink(missing_ok=True)
    return None


def _media(job: Job, around: Surroundings) -> Report:
    from idm_app.engine import ytdlp  # a third of a second, and 40 MB that plain files need not pay

    work = ytdlp.probe_media if job.only_probe else ytdlp.fetch_media
    try:
        return work(job, source_of(job), around)
    except ytdlp.NoPage:
        if job.kind is not None:
            raise
        job = replace(job, kind="file")
        return probe_file(job, around) if job.only_probe else fetch_file(job, around)


def _is_claimed(url: str) -> bool:
    """Whether yt-dlp has an extractor for just this site. Not asked if it would first have to be loaded."""
    extractors = sys.modules.get("idm_app.engine.extractors")
    return extractors is not None and bool(extractors.claims(url))


def be_nice() -> None:
    """Run this process and what it starts at a lower priority than the server. Doing it twice changes nothing.

    Linux shares processor time between sessions first (``sched(7)``, autogroup), and each worker leads one of its own:
    there, the session's own nice value is what counts. One that runs by hand leaves the terminal's as it is.
    """
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    if hasattr(os, "getsid") and os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(NICENESS))


def end_process(code: int) -> None:
    """End at once, with every child of this process (``ffmpeg``): all are in its own process group."""
    if os.name == "posix" and os.getpgrp() == os.getpid() and _has_children():
        os.killpg(0, signal.SIGKILL)
        time.sleep(1)
    os._exit(code)


def _has_children() -> bool:
    if not hasattr(os, "waitid"):  # macOS before Python 3.13: not known
        return True
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


if __name__ == "__main__":
    main(is_fresh=True)
