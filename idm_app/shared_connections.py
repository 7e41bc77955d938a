"""How many connections each running download may have, so that no host gets more than are allowed there.

That is a setting, and what a host has turned out to take: what one download has learned by being refused, the next need
not learn again. Divided among those that run from the same host, anew whenever anything changes.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from idm_app.fairness import fair_shares
from idm_app.model import Download
from idm_app.settings import Settings

REMEMBERED_SECONDS = 3600.0
"""Long enough for a list of files; a server that was short of breath once is not spared for ever."""


class SharedConnections:
    """Tells those that run what they may have. Hosts are named as in addresses, with the port if there is one.

    Event loop only.
    """

    def __init__(
        self,
        running: Callable[[], Iterable[Download]],
        tell: Callable[[int, int], None],
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._running = running
        self._tell = tell
        self._settings = settings
        self._clock = clock
        self._learned: dict[str, tuple[int, float]] = {}
        self._hosts: dict[int, str] = {}
        """Where the bytes of those that run come from: as their address names it, until a redirect leads elsewhere."""
        self._shares: dict[int, int] = {}

    def apply(self, settings: Settings) -> None:
        """From the next :meth:`share_out` on."""
        self._settings = settings

    def reached(self, download_id: int, host: str) -> None:
        """The bytes of a download come from another host than its address names."""
        self._hosts[download_id] = host
        self.share_out()

    def learn(self, download_id: int, host: str, connections: int) -> None:
        """A running download was refused more than ``connections``."""
        others = (other for other in self._running() if other.id != download_id and self._host_of(other) == host)
        known = {host: known for host, known in self._learned.items() if self._is_remembered(known)}
        self._learned = known | {host: (connections + sum(other.connections for other in others), self._clock())}
        self.share_out()

    def forget(self, download_id: int) -> None:
        """It has ended."""
        self._hosts.pop(download_id, None)

    def shares_host(self, download: Download) -> bool:
        """Whether another running download comes from the host of ``download``."""
        host = self._host_of(download)
        return any(other.id != download.id and self._host_of(other) == host for other in self._running())

    def share_out(self) -> dict[int, int]:
        """Divide anew. How many each may have: at least one, however many run."""
        before, self._shares = self._shares, {}
        demands: dict[str, dict[int, float]] = defaultdict(dict)
        for download in self._running():
            wanted = download.request.connections or self._settings.connections
            demands[self._host_of(download)][download.id] = wanted
        for host, wanting in demands.items():
            fair = fair_shares(self._most_at(host), wanting)
            self._shares |= {download_id: max(1, int(share)) for download_id, share in fair.items()}
        for download_id, share in self._shares.items():
            if before.get(download_id, share) != share:
                self._tell(download_id, share)
        return self._shares

    def _most_at(self, host: str) -> int:
        most, known = self._settings.connections_per_host, self._learned.get(host)
        return min(most, known[0]) if known and self._is_remembered(known) else most

    def _is_remembered(self, known: tuple[int, float]) -> bool:
        return self._clock() - known[1] < REMEMBERED_SECONDS

    def _host_of(self, download: Download) -> str:
        host = self._hosts.get(download.id)
        if host is None:
            host = self._hosts[download.id] = urlsplit(download.request.url).netloc.rpartition("@")[2].lower()
        return host
