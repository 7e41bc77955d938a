"""How many connections a server takes, learned by being refused. Pure."""

import sys

REGAIN_SECONDS = 1.0
"""Before as many as were once taken are tried again; twice as long after each refusal."""


class Allowance:
    """Of the connections that are wanted, those that the server takes.

    A refusal counts all that are there as enough. Where more were taken before, the server may not have noticed yet
    that one has ended, or be short of breath: they are tried again later.
    """

    def __init__(self) -> None:
        self._allowed = sys.maxsize
        self._most_taken = 0
        self._setbacks = 0
        self._regain_at = 0.0

    def took(self, connections: int) -> None:
        """Bytes come on so many."""
        self._most_taken = max(self._most_taken, connections)

    def refused(self, left: int, now: float) -> int:
        """One more than ``left`` was not taken. Returns how many the server takes, as far as is known."""
        self._allowed = max(1, left)
        if self._allowed < self._most_taken:
            self._regain_at = now + REGAIN_SECONDS * 2**self._setbacks
            self._setbacks += 1
        return max(self._allowed, self._most_taken)

    def at(self, now: float) -> int:
        """How many connections it takes."""
        if self._allowed < self._most_taken and now >= self._regain_at:
            self._allowed = self._most_taken
        return self._allowed
