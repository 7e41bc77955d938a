"""Streams of one download that are fetched while its main one is: the sound while the picture comes."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from idm_app.engine.media_failures import media_failure
from idm_app.engine.progress import REPORT_SECONDS, Lane
from idm_app.engine.surroundings import Stopped, Surroundings

log = logging.getLogger(__name__)

Bring = Callable[[Surroundings], Any]


class SideStreams:
    """Each in a thread of its own, known by the name of its file. A running one gets a quarter of the connections, as
    most are only sound; the main one has the rest."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._abandoned = threading.Event()
        self._running: dict[str, _SideStream] = {}
        self.is_begun = False
        """Whether any was ever started."""

    def connections(self) -> int:
        """How many each may have now."""
        return self._around.connections.most // 4 or 1

    def main_connections(self) -> int:
        """How many are left for the main stream now."""
        running = sum(not stream.has_ended for stream in self._running.values())
        return max(1, self._around.connections.most - running * self.connections())

    def start(self, name: str, bring: Bring) -> None:
        """Let ``bring`` fetch the stream whose file is ``name``."""
        self.is_begun = True
        lane = self._around.progress.open_lane()
        stopping = self._around.stopping
        beside = replace(self._around, progress=lane, stopping=lambda: stopping() or self._abandoned.is_set())
        self._running[name] = _SideStream(lambda: bring(beside), lane)

    def result(self, name: str) -> Any:
        """What fetching ``name`` has given; ``None`` if it was not begun, or if trying again may mend its failure.

        Raises what it raised otherwise.
        """
        stream = self._running.pop(name, None)
        if stream is None:
            return None
        while not stream.wait(REPORT_SECONDS):
            self._around.progress.tick()
        self._around.progress.close_lane(stream.lane)
        if stream.error is None:
            return stream.answer
        if isinstance(stream.error, Stopped):
            raise stream.error
        failure = media_failure(stream.error)
        if failure.retryable and failure.failure_code != "disk-full":
            log.info("a stream at the side failed and is fetched again: %s", failure.detail)
            return None
        raise stream.error

    def abandon(self) -> None:
        """Stop those that still run, and wait for them."""
        self._abandoned.set()
        for stream in self._running.values():
            while not stream.wait(1):
                pass
            self._around.progress.close_lane(stream.lane)
        self._running.clear()


class _SideStream:
    """One of them."""

    def __init__(self, bring: Callable[[], Any], lane: Lane) -> None:
        self.lane = lane
        self.answer: Any = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(bring,), name="side stream", daemon=True)
        self._thread.start()

    @property
    def has_ended(self) -> bool:
        """Whether it is over."""
        return not self._thread.is_alive()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended, ``seconds`` from now at the latest."""
        self._thread.join(seconds)
        return self.has_ended

    def _run(self, bring: Callable[[], Any]) -> None:
        try:
            self.answer = bring()
        except BaseException as error:  # noqa: BLE001  raised again where its result is asked for
            self.error = error
