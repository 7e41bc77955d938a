"""Smoothed rate and time left."""

from collections import deque

_SAMPLE_SECONDS = 0.1


class Meter:
    """Rate over a sliding window. Every ``now`` is ``time.monotonic()`` or a test's own clock."""

    def __init__(self, window_seconds: float = 3.0) -> None:
        self._window_seconds = window_seconds
        self._samples: deque[tuple[float, int]] = deque()
        self._latest: tuple[float, int] | None = None

    def update(self, received_bytes: int, now: float) -> None:
        """``received_bytes`` are there at ``now``. Call it also when nothing came: the rate falls then."""
        if self._latest is not None and received_bytes < self._latest[1]:
            self._samples.clear()  # begun anew
        if not self._samples or now - self._samples[-1][0] >= _SAMPLE_SECONDS:
            self._samples.append((now, received_bytes))
        self._latest = (now, received_bytes)
        while len(self._samples) > 2 and now - self._samples[1][0] >= self._window_seconds:
            self._samples.popleft()

    @property
    def bytes_per_second(self) -> float | None:
        """The rate; ``None`` in the first tenth of a second."""
        if self._latest is None:
            return None
        (began_at, began_with), (now, received) = self._samples[0], self._latest
        return (received - began_with) / (now - began_at) if now - began_at >= _SAMPLE_SECONDS else None

    def eta_seconds(self, total_bytes: int | None) -> float | None:
        """Seconds until ``total_bytes`` are there at this rate; ``None`` if unknown."""
        rate = self.bytes_per_second
        if total_bytes is None or not rate or self._latest is None:
            return None
        return max(0.0, total_bytes - self._latest[1]) / rate
