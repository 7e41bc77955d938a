"""What everything in one worker shares."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

from idm_app.engine.progress import Progress
from idm_app.engine.throttle import TokenBucket


class Stopped(Exception):
    """The worker was told to stop. Not an error: everything received is kept."""


@contextmanager
def interrupted_by(event: Event) -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` in the main thread, which runs this, once ``event`` is set: how yt-dlp is told to end
    what ffmpeg records. Elsewhere than in the main thread, and on Windows, it does nothing.
    """
    if not hasattr(signal, "pthread_kill") or threading.current_thread() is not threading.main_thread():
        yield
        return
    is_over = Event()
    main = threading.get_ident()

    def wait() -> None:
        event.wait()
        if not is_over.is_set():
            signal.pthread_kill(main, signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=wait, name="conclusion", daemon=True).start()
    try:
        yield
    finally:
        is_over.set()
        signal.signal(signal.SIGINT, before)


@dataclass(slots=True)
class Connections:
    """How many connections the job may have; changed while it runs."""

    most: int = 1


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The limits, the way out for reports, and whether to stop."""

    bucket: TokenBucket
    progress: Progress
    stopping: Callable[[], bool]
    concluding: Event = field(default_factory=Event)
    """Set when what has no end of its own is to be ended with what is there: a recording."""
    connections: Connections = field(default_factory=Connections)
