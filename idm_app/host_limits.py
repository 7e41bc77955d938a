"""How many connections a host takes: what one download has learned by being refused, the next need not learn again."""

import time
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from idm_app.model import Download

REMEMBERED_SECONDS = 3600.0
"""Long enough for a list of files; a server that was short of breath once is not spared for ever."""


class HostLimits:
    """Hosts are named as in addresses, with the port if there is one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._learned: dict[str, tuple[int, float]] = {}

    def learn(self, host: str, connections: int, others: Iterable[Download]) -> None:
        """A download was refused more than ``connections`` while ``others`` ran."""
        self._learned[host] = (connections + _in_use(host, others), self._clock())

    def left(self, running: Iterable[Download]) -> dict[str, int]:
        """How many connections a further download may use, by host; at least one. Others take what they take."""
        since = self._clock() - REMEMBERED_SECONDS
        self._learned = {host: known for host, known in self._learned.items() if known[1] > since}
        there = list(running)
        return {host: max(1, most - _in_use(host, there)) for host, (most, _) in self._learned.items()}


def shares_host(download: Download, others: Iterable[Download]) -> bool:
    """Whether any of ``others`` comes from the host of ``download``."""
    host = _host_of(download)
    return any(_host_of(other) == host for other in others if other.id != download.id)


def _in_use(host: str, downloads: Iterable[Download]) -> int:
    return sum(download.connections for download in downloads if _host_of(download) == host)


def _host_of(download: Download) -> str:
    return urlsplit(download.request.url).netloc.rpartition("@")[2].lower()
