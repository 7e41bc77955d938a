"""A preloaded Python that forks workers: ``python -m idm_app.engine.zygote`` with a control socket as standard input.

Only for Linux. It is single-threaded and never does a job itself. It serves at once and warms up while nothing is
asked: first what plain files need, then yt-dlp, in steps short enough that nobody waits for them. A worker forked half
way imports the rest by itself.

Each ``fork`` message brings one socket, which becomes the worker's standard input and output. Answers are JSON:
``{"forked": pid}``, and ``{"gone": pid, "exit_code": n}`` once the worker is gone and all of its process group with it.
When the server is gone (the control socket ends), so are the workers within two seconds.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Iterator

from idm_app.engine import pool, worker

GRACE_SECONDS = 1.5
"""How long workers may take to end by themselves after the server has gone."""
BREAK_SECONDS = 0.5
"""How long warming up pauses after a fork: who has just been given a job needs the processor more."""
_LARGEST_MESSAGE_BYTES = 4096

_SLOW_IMPORTS = (
    "ssl", "http.client", "http.cookiejar", "urllib.request", "xml.etree.ElementTree", "concurrent.futures", "optparse",
    "charset_normalizer", "urllib3", "requests", "brotli", "certifi", "Cryptodome.Cipher.AES", "websockets.sync.client",
    "mutagen.id3", "mutagen.flac", "mutagen.mp4", "sqlite3", "platformdirs", "email.header",
)  # fmt: skip


def main() -> None:
    """Serve until the control socket ends."""
    worker.be_nice()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    Zygote(control).serve()


class Zygote:
    """Forks on demand, buries the dead, warms up in between."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._pids: set[int] = set()
        self._break_until = 0.0
        self._wake_reader, self._wake_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Until the server has gone."""
        gc.disable()  # a collection would copy memory that workers share
        steps: Iterator[None] | None = warm_up()
        while True:
            sources = [self._control.fileno(), self._wake_reader]
            break_seconds = max(0.0, self._break_until - time.monotonic())
            ready, _, _ = select.select(sources, [], [], break_seconds if steps else None)
            if self._wake_reader in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_reader, 512)
            self._bury()
            if sources[0] in ready and not self._answer():
                break
            if steps and not ready:
                steps = _advanced(steps)
        self._end_workers()

    def _answer(self) -> bool:
        """Read one message and do it; ``False`` at the end."""
        try:
            message, fds, _, _ = socket.recv_fds(self._control, _LARGEST_MESSAGE_BYTES, 1)
        except ConnectionResetError:  # the server was killed before it had read all answers
            return False
        if not message:
            return False
        pid = self._fork(fds[0])
        os.close(fds[0])
        self._pids.add(pid)
        self._break_until = time.monotonic() + BREAK_SECONDS
        self._tell({"forked": pid})
        return True

    def _fork(self, border_fd: int) -> int:
        pid = os.fork()
        if pid == 0:
            try:
                self._become_worker(border_fd)
            finally:
                os._exit(70)
        return pid

    def _become_worker(self, border_fd: int) -> None:
        gc.enable()
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.close(self._wake_reader)
        os.close(self._wake_writer)
        self._control.close()
        os.dup2(border_fd, 0)
        os.dup2(border_fd, 1)
        os.close(border_fd)
        worker.main()

    def _bury(self) -> None:
        """Take leave of workers that have ended, and kill what they left behind before their ids can be used again."""
        for pid in list(self._pids):
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                continue
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            self._pids.discard(pid)
            self._tell({"gone": pid, "exit_code": os.waitstatus_to_exitcode(status)})

    def _tell(self, record: dict[str, int]) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more; the next read says so
            self._control.send(json.dumps(record).encode())

    def _end_workers(self) -> None:
        until = time.monotonic() + GRACE_SECONDS
        while self._pids and time.monotonic() < until:
            self._bury()
            time.sleep(0.02)
        for pid in self._pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)


def warm_up() -> Iterator[None]:
    """Load what workers need, step by step, and leave memory as it can best be shared."""
    pool.warm_up()
    for name in _SLOW_IMPORTS:
        importlib.import_module(name)
        yield
    importlib.import_module("idm_app.engine.ytdlp")
    yield
    yield from importlib.import_module("idm_app.engine.extractors").warm_up()
    gc.collect()
    gc.freeze()
    if threading.active_count() != 1:
        raise RuntimeError("a thread was started while warming up; forking is not safe any more")


def _advanced(steps: Iterator[None]) -> Iterator[None] | None:
    """``steps`` after one more of them; ``None`` when there are no more."""
    try:
        next(steps)
    except StopIteration:
        return None
    return steps


if __name__ == "__main__":
    main()
