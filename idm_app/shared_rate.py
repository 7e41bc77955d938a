"""One rate limit for all downloads together, divided among those that run. Changed while they run."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from idm_app.fairness import fair_shares
from idm_app.model import Download

ADJUST_SECONDS = 0.5
_LEAST_BYTES_PER_SECOND = 1000
_HEADROOM = 1.25
"""A slow download keeps this much more than it uses, so that it shows when it could take more."""
_USES_ITS_SHARE = 0.9
_WORTH_TELLING = 0.01


@dataclass(frozen=True, slots=True)
class Demand:
    """What a download could take. Rates in bytes per second; ``None``: no limit, not known, none given yet."""

    own_limit: int | None = None
    rate: float | None = None
    share: int | None = None

    @property
    def most(self) -> float:
        """More than this it cannot use."""
        own = float("inf") if self.own_limit is None else float(self.own_limit)
        if self.rate is None or self.share is None or self.rate > _USES_ITS_SHARE * self.share:
            return own
        return min(own, max(self.rate * _HEADROOM, _LEAST_BYTES_PER_SECOND))


def shares(limit: int, demands: Mapping[int, Demand]) -> dict[int, int | None]:
    """What each may take, of ``limit`` together, but for 1 kB/s that every one keeps."""
    fair = fair_shares(limit, {number: demand.most for number, demand in demands.items()})
    return {number: max(_LEAST_BYTES_PER_SECOND, int(share)) for number, share in fair.items()}


class SharedRate:
    """Tells those that run what they may take, again twice a second while there is a limit. Event loop only."""

    def __init__(
        self, running: Callable[[], Iterable[Download]], tell: Callable[[int, int | None], None], limit: int | None
    ) -> None:
        self._running = running
        self._tell = tell
        self._limit = limit
        self._shares: dict[int, int | None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def limit(self, bytes_per_second: int | None) -> None:
        """All together take at most that, from the next :meth:`share_out` on."""
        self._limit = bytes_per_second

    def share_out(self) -> dict[int, int | None]:
        """Divide anew: the number, the limits or the speeds of those that run have changed. What each may take."""
        self.stop()
        before, running = self._shares, self._running()
        if self._limit is None:
            self._shares = {download.id: download.request.bytes_per_second_limit for download in running}
        else:
            self._shares = shares(self._limit, {download.id: self._demand(download) for download in running})
        for number, share in self._shares.items():
            if number not in before or _differ(before[number], share):
                self._tell(number, share)
            else:
                self._shares[number] = before[number]
        if self._limit is not None and self._shares:
            self._timer = asyncio.get_running_loop().call_later(ADJUST_SECONDS, self.share_out)
        return self._shares

    def _demand(self, download: Download) -> Demand:
        share = self._shares.get(download.id)
        return Demand(download.request.bytes_per_second_limit, download.bytes_per_second, share)

    def stop(self) -> None:
        """Until the next :meth:`share_out`."""
        if self._timer:
            self._timer.cancel()
            self._timer = None


def _differ(before: int | None, after: int | None) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(after - before) > _WORTH_TELLING * before
