"""What an origin remembers of the requests it got. Instants are those of ``time.monotonic()``."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Exchange:
    """One request, and what was sent for it."""

    method: str
    path: str
    headers: dict[str, str]
    """By lower-case name."""
    number: int = 0
    """Counts the GETs of the path."""
    at: float = field(default_factory=time.monotonic)
    bytes_sent: int = 0
    """Of the body."""
    marks: list[tuple[float, int]] = field(default_factory=list)
    """For each send: when it began, and how many bytes it was (256 KiB at most)."""

    at_end: Callable[[], None] = lambda: None

    def sent(self, byte_count: int) -> None:
        self.bytes_sent += byte_count
        self.marks.append((time.monotonic(), byte_count))

    def end(self) -> None:
        """It is not one of the :attr:`Stats.connections` any more. Called before the last bytes go, so that a client
        that has them is never counted twice."""
        self.at_end()
        self.at_end = lambda: None


class Stats:
    """What was asked of one path."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.connections = 0
        """Requests being answered now."""
        self.most_connections = 0
        self._gets = 0
        self._lock = threading.Lock()

    @contextmanager
    def open(self, exchange: Exchange) -> Iterator[int]:
        """Count it in, and out at the end; yields how many are being answered."""
        with self._lock:
            exchange.number = self._gets
            self._gets += exchange.method != "HEAD"
            self.exchanges.append(exchange)
            self.connections += 1
            self.most_connections = max(self.most_connections, self.connections)
            connections = self.connections
        exchange.at_end = self._close
        try:
            yield connections
        finally:
            exchange.end()

    def _close(self) -> None:
        with self._lock:
            self.connections -= 1

    @property
    def requests(self) -> int:
        return len(self.exchanges)

    @property
    def headers(self) -> list[dict[str, str]]:
        return [exchange.headers for exchange in self.exchanges]

    @property
    def ranges(self) -> list[str]:
        """``Range`` of each request; empty where there was none."""
        return [headers.get("range", "") for headers in self.headers]

    @property
    def bytes_sent(self) -> int:
        """Of all bodies."""
        return sum(exchange.bytes_sent for exchange in self.exchanges)

    @property
    def last_byte_at(self) -> float:
        """When the last bytes of a body were sent; 0 before the first."""
        return max((exchange.marks[-1][0] for exchange in self.exchanges if exchange.marks), default=0.0)

    def sent_at(self, byte_count: int) -> float | None:
        """When ``byte_count`` bytes, over all connections, were sent; ``None`` while they are not."""
        total = 0
        for at, sent in sorted(mark for exchange in self.exchanges for mark in exchange.marks):
            total += sent
            if total >= byte_count:
                return at
        return None
