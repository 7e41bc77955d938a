"""Rate limit: a token bucket that may go into debt, so that one read of any size is let through and paid for after."""

import threading
import time
from collections.abc import Callable

_BURST_SECONDS = 0.1


class TokenBucket:
    """Bytes that may still be taken now. One bucket for all connections of a download; safe to use from any thread."""

    def __init__(self, bytes_per_second: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.bytes_per_second = bytes_per_second
        self._tokens = 0.0
        self._filled_at = clock()

    def set_limit(self, bytes_per_second: int | None) -> None:
        """Change the limit; ``None`` lifts it. Debts made under the old one are forgiven."""
        with self._lock:
            self.bytes_per_second = bytes_per_second
            self._tokens = 0.0
            self._filled_at = self._clock()

    def take(self, size_bytes: int) -> None:
        """Count ``size_bytes`` as taken."""
        if self.bytes_per_second is not None:
            with self._lock:
                self._tokens -= size_bytes

    def wait_seconds(self) -> float:
        """How long to wait before the next read; 0 when it may happen now."""
        with self._lock:
            if self.bytes_per_second is None:
                return 0.0
            now = self._clock()
            burst = self.bytes_per_second * _BURST_SECONDS
            self._tokens = min(burst, self._tokens + (now - self._filled_at) * self.bytes_per_second)
            self._filled_at = now
            return 0.0 if self._tokens >= 0 else -self._tokens / self.bytes_per_second

    def pay(self, size_bytes: int) -> None:
        """Take ``size_bytes`` and sleep as long as that costs, in steps so short that a new limit is felt at once."""
        self.take(size_bytes)
        while (wait := self.wait_seconds()) > 0:
            time.sleep(min(wait, 0.1))
