"""The open connections of one fetch on one libcurl multi handle: opened, driven, measured, closed. Decides nothing."""

import statistics
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import pycurl

from idm_app.engine.connection import Connection, Judge
from idm_app.engine.part_file import PartFile
from idm_app.engine.reach import Reach
from idm_app.engine.segments import Segment
from idm_app.engine.source import Source
from idm_app.engine.throttle import TokenBucket

STALL_SECONDS = 10.0
FIRST_BYTE_SECONDS = 30.0
"""The patience with a server that has sent nothing on any connection."""

_spare: dict[Reach, list[Any]] = {}
"""Multi handles of fetches that have ended: their connections are still open, and the next file of a worker that rests
need not wait for new ones. What one reach has let through is not for another."""


def warm_up() -> None:
    """Let libcurl do what it does once in a process."""
    pycurl.CurlMulti().close()
    pycurl.Curl().close()


class Pool:
    """Connections that are open, as a collection. Cookies, names and TLS sessions are shared among them."""

    def __init__(self, source: Source, part: PartFile, bucket: TokenBucket, judge: Judge) -> None:
        self._source = source
        self._part = part
        self._bucket = bucket
        self._judge = judge
        self._cookie_lines = source.cookie_lines()
        spare = _spare.setdefault(source.reach, [])
        self._multi = spare.pop() if spare else pycurl.CurlMulti()
        self._share = pycurl.CurlShare()
        for kind in (pycurl.LOCK_DATA_COOKIE, pycurl.LOCK_DATA_DNS, pycurl.LOCK_DATA_SSL_SESSION):
            self._share.setopt(pycurl.SH_SHARE, kind)
        self._open: dict[Any, Connection] = {}
        self._ended_rates: deque[float] = deque(maxlen=16)

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)

    @property
    def receiving(self) -> int:
        """On how many connections bytes come."""
        return sum(connection.is_receiving for connection in self._open.values())

    @property
    def usual_rate(self) -> float | None:
        """Bytes per second that a connection usually brings here; ``None`` while unknown."""
        rates = [c.bytes_per_second for c in self._open.values() if c.bytes_per_second]
        return statistics.median([*rates, *self._ended_rates]) if rates or self._ended_rates else None

    @property
    def slowest(self) -> Connection:
        """The one that brings the least; there has to be one."""
        return min(self._open.values(), key=lambda connection: connection.bytes_per_second or 0.0)

    def connect(
        self, segment: Segment, url: str, *, range_header: str | None, if_range: str | None, redirects: int
    ) -> None:
        """Open a connection for ``segment``."""
        segment.owned, segment.promised_end = True, None
        connection = Connection(segment, url, self._source, self._part, self._bucket, self._judge, redirects)
        handle = connection.open(self._share, range_header, if_range)
        while self._cookie_lines:
            handle.setopt(pycurl.COOKIELIST, self._cookie_lines.pop())
        self._multi.add_handle(handle)
        self._open[handle] = connection

    def drop(self, connection: Connection) -> None:
        """Close ``connection``, keeping what has arrived. Raises :class:`DownloadError` if that cannot be written."""
        self._multi.remove_handle(connection.curl)
        del self._open[connection.curl]
        connection.curl.close()
        connection.segment.owned = False
        connection.flush()

    def perform(self) -> Iterator[tuple[Connection, int, str]]:
        """Receive what is there. Gives the connections that have ended, with libcurl's code (0: well) and words."""
        while self._multi.perform()[0] == pycurl.E_CALL_MULTI_PERFORM:
            pass
        left = 1
        while left:
            left, done, failed = self._multi.info_read()
            for handle, code, text in [*((handle, 0, "") for handle in done), *failed]:
                connection = self._open.pop(handle)
                self._multi.remove_handle(handle)
                connection.segment.owned = False
                if connection.is_receiving:
                    self._ended_rates.append(connection.usual_rate(time.monotonic()))
                yield connection, code, text
                handle.close()

    def wait(self, seconds: float) -> None:
        """Until something arrives, ``seconds`` at most."""
        self._multi.select(seconds)

    def go_on_after_limit(self) -> None:
        """Let those receive again that the rate limit held."""
        for connection in self._open.values():
            if connection.is_paused and self._bucket.wait_seconds() == 0:
                connection.resume()

    def survey(self, now: float) -> Iterator[tuple[Connection, float]]:
        """Measure all; gives those from which nothing has come for too long, with the seconds."""
        longest = STALL_SECONDS if self.receiving else FIRST_BYTE_SECONDS
        for connection in self:
            silent_seconds = connection.survey(now)
            if silent_seconds > (STALL_SECONDS if connection.is_receiving else longest):
                yield connection, silent_seconds

    def close(self) -> None:
        """After the last connection was dropped."""
        _spare[self._source.reach].append(self._multi)
