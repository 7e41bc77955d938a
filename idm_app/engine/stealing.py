"""From whom a connection that has nothing to do takes a share, and how much. Pure but for the clock."""

import statistics
import time
from collections import deque

from idm_app.engine.connection import Connection
from idm_app.engine.pool import Pool
from idm_app.engine.segments import Segment, kept_share

SMALLEST_SEGMENT_BYTES = 256 << 10
SMALLEST_SLOW_SEGMENT_BYTES = 32 << 10
"""Where a connection is slow, also what it brings in the time of a request is worth one."""
_FAST_BYTES_PER_SECOND = 100 << 20
"""A connection that brings this much is not held back by its server; more of them would only cost."""
_START_SECONDS = 0.2
"""What is there sooner than another request would bring it is left alone; the time to the first byte counts too."""
_LATE_ANSWER = 5
"""So many times as long as another request takes to begin is too long for one that has not begun."""


class Stealing:
    """Work stealing: nobody idles while another has more to do than it can bring in the time of a request."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._answer_seconds: deque[float] = deque(maxlen=16)
        self._start_seconds = _START_SECONDS

    def answered(self, seconds: float) -> None:
        """A request was answered after ``seconds``. Twice that is what another may take; the longest of one that was
        lost on its way says nothing of the others.
        """
        self._answer_seconds.append(seconds)
        self._start_seconds = max(_START_SECONDS, 2 * statistics.median(self._answer_seconds))

    def victim(self, thieves: int) -> tuple[Connection, int] | None:
        """Of whose segment one of ``thieves`` takes the end, and how many bytes it keeps; 0: it is better replaced.
        ``None``: nobody's is worth it.
        """
        rates = {c: rate for c in self._pool if c.segment.remaining and (rate := self._rate_of(c))}
        usual = self._pool.usual_rate
        if not rates or not usual:
            return None
        victim = max(rates, key=lambda c: (c.segment.remaining or 0) / rates[c])
        segment, rate = victim.segment, rates[victim]
        if rate > _FAST_BYTES_PER_SECOND:
            return None
        smallest = min(SMALLEST_SEGMENT_BYTES, max(SMALLEST_SLOW_SEGMENT_BYTES, int(rate * self._start_seconds)))
        patience = self._patience_seconds(segment)
        kept = kept_share(segment.remaining or 0, rate, usual, thieves, smallest=smallest, start_seconds=patience)
        return None if kept is None else (victim, kept)

    def _rate_of(self, connection: Connection) -> float | None:
        """What it brings, in bytes per second: next to nothing if it should have been answered long ago; ``None``: not
        known yet.
        """
        longest = _LATE_ANSWER * self._patience_seconds(connection.segment)
        is_late = not connection.is_receiving and time.monotonic() - connection.opened_at > longest
        return 1.0 if is_late else connection.bytes_per_second

    def _patience_seconds(self, segment: Segment) -> float:
        """With what a slow connection still has to bring: more with each that was given up for it."""
        return self._start_seconds * 4.0**segment.replaced
