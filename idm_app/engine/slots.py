"""So many threads at a time as are allowed now."""

import threading
from collections.abc import Callable

_LOOK_SECONDS = 0.2
"""How soon those who wait notice that more are allowed."""


class Slots:
    """A context for each thread that fetches something; who comes while all are taken waits. ``most()`` may change."""

    def __init__(self, most: Callable[[], int]) -> None:
        self._most = most
        self._change = threading.Condition()
        self.taken = 0

    def __enter__(self) -> None:
        with self._change:
            while self.taken >= self._most():
                self._change.wait(_LOOK_SECONDS)
            self.taken += 1

    def __exit__(self, *_: object) -> None:
        with self._change:
            self.taken -= 1
            self._change.notify()
