"""When a broken connection is tried again, and when enough was tried."""

import random

from idm_app.errors import DownloadError

MOST_TRIES = 6
"""In a row without a new byte: with the pauses between them ten seconds."""
MOST_TRIES_UNREACHED = 2
"""While no server has answered yet: a wrong name or a closed port is said soon."""
LONGEST_WAIT_SECONDS = 30.0
"""What a server may ask for; for more the download is given back, to be queued."""
LONGEST_WITHOUT_PROGRESS_SECONDS = 45.0
TOLD_WAIT_SECONDS = 2.0
"""Longer pauses are told to the user."""
_UNREACHED = frozenset({"host-not-found", "connection-refused"})


class Retries:
    """Counts failures in a row. New bytes begin a new row: more than were ever there, or a server that sends the same
    half again and again would be asked for ever."""

    def __init__(self, received_bytes: int, now: float) -> None:
        self.was_answered = False
        """Whether a server has ever answered."""
        self._tries = 0
        self._most_received_bytes = received_bytes
        self._progress_at = now

    def progressed(self, received_bytes: int, now: float) -> None:
        """So many bytes are there."""
        if received_bytes > self._most_received_bytes:
            self._most_received_bytes, self._tries, self._progress_at = received_bytes, 0, now

    def begin_anew(self, now: float) -> None:
        """Another version of the file is fetched from its start."""
        self._most_received_bytes, self._progress_at = 0, now

    def wait_seconds(self, failure: DownloadError, now: float, *, at_once: bool) -> float:
        """How long to wait before the next try: growing, and never the same for two. Raises ``failure`` if enough.

        ``at_once``: the first try of a row need not wait, as bytes were coming just now.
        """
        self._tries += 1
        unreached = not self.was_answered and failure.failure_code in _UNREACHED
        delay = min(5.0, 0.3 * 2.0 ** (self._tries - 1)) * random.uniform(0.8, 1.2)
        if at_once and self._tries == 1:
            delay = 0.0
        delay = max(delay, failure.retry_after_seconds or 0.0)
        hopeless = self._tries > 1 and now - self._progress_at > LONGEST_WITHOUT_PROGRESS_SECONDS
        enough = self._tries >= (MOST_TRIES_UNREACHED if unreached else MOST_TRIES)
        if enough or hopeless or delay > LONGEST_WAIT_SECONDS:
            raise failure
        return delay
