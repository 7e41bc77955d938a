"""Workers that have done a plain file and may do the next, or were started and not needed: for many small files,
starting them would cost the most."""

import asyncio

from idm_app.engine.launchers import Process

REST_SECONDS = 2.0
"""How long one waits for a job before it is ended: an idle server stays small."""


STOP_SECONDS = 0.7
"""How long one may take to end by itself at the end of the server."""


class Resting:
    """The workers without a job, the one that rests the shortest first. Event loop only."""

    def __init__(self) -> None:
        self._timers: dict[Process, asyncio.TimerHandle] = {}
        self._ending: dict[asyncio.Future[int | None], Process] = {}

    def add(self, process: Process) -> None:
        """Keep ``process``, which has just done a job, for a while."""
        self._timers[process] = asyncio.get_running_loop().call_later(REST_SECONDS, self._end, process)

    def take(self) -> Process | None:
        """One that is alive; ``None`` if there is none."""
        while self._timers:
            process, timer = self._timers.popitem()
            timer.cancel()
            if not process.reader.at_eof():
                return process
            self._let_go(process)
        return None

    async def close(self) -> None:
        """End all; one that does not end by itself is killed."""
        for process in list(self._timers):
            self._end(process)
        if self._ending:
            _, late = await asyncio.wait(self._ending, timeout=STOP_SECONDS)
            for ending in late:
                self._ending[ending].kill()
            await asyncio.gather(*late, return_exceptions=True)

    def _end(self, process: Process) -> None:
        self._timers.pop(process).cancel()
        process.end_input()
        self._let_go(process)

    def _let_go(self, process: Process) -> None:
        ending = asyncio.ensure_future(process.wait())
        self._ending[ending] = process
        ending.add_done_callback(self._ending.pop)
