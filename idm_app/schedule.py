"""Which queued downloads may start now, and when a failed one is tried again. Pure."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from idm_app.model import Download, Failure

MAX_ATTEMPTS = 5
MAX_CRASHES = 3
MAX_RETRY_DELAY = timedelta(minutes=10)
MAX_DELAY_AWAY = timedelta(minutes=1)
"""To ask a network that is gone costs nobody anything."""
MAX_ATTEMPTS_AWAY = 480
"""A night: so long is a server waited for that was there and cannot be reached any more."""
_AWAY = frozenset({"timed-out", "connection-refused", "host-not-found"})
_TRANSIENT = frozenset({"connection-lost", "timed-out", "server-busy", "server-error"})


class Queue:
    """The ids of downloads that wait for their turn, in its order. Ten thousand cost no more than ten."""

    def __init__(self) -> None:
        self._turns: list[tuple[int, int]] = []

    def __iter__(self) -> Iterator[int]:
        return (download_id for _, download_id in self._turns)

    def add(self, download: Download) -> None:
        """It waits."""
        insort(self._turns, _turn(download))

    def remove(self, download: Download) -> None:
        """It does not wait any more, or not there. ``download`` is as it was when it was added."""
        del self._turns[bisect_left(self._turns, _turn(download))]


def startable(queued: Iterable[Download], free_slots: int, now: datetime) -> list[Download]:
    """The downloads to start, of those ``queued``, in the order of their turn: at most ``free_slots``."""
    return list(islice((download for download in queued if _is_time(download, now)), max(0, free_slots)))


def moved(queued: Iterable[Download], download_id: int, places: int) -> dict[int, int]:
    """New positions, by id, so that one download starts ``places`` (-1 or +1) later; empty where there is no room."""
    in_order = sorted(queued, key=_turn)
    here = next((place for place, download in enumerate(in_order) if download.id == download_id), None)
    if here is None or not 0 <= here + places < len(in_order):
        return {}
    one, other = in_order[here], in_order[here + places]
    return {one.id: _turn(other)[0], other.id: _turn(one)[0]}


def next_instant(queued: Iterable[Download]) -> datetime | None:
    """When the next waiting download becomes ready."""
    return min((download.not_before for download in queued if download.not_before is not None), default=None)


def retry_delay_seconds(
    failure: Failure,
    attempts: int,
    *,
    made_headway: bool,
    retry_after_seconds: float | None,
    is_begun: bool = False,
) -> float | None:
    """How long to wait before an attempt that nobody asked for; ``None``: give up.

    The worker has tried for a while already, so another attempt is made only after one that got further
    (``made_headway``), where the server has said when to come back, after a crash, or where bytes are there to go on
    from (``is_begun``) and the network, or the server, is gone: that may take a while. Doubles from 2 s; the server's
    ``Retry-After`` counts if longer, to 10 min.
    """
    if failure.code == "worker-crashed":
        return 1.0 if attempts < MAX_CRASHES else None
    if is_begun and failure.code in _AWAY:
        return min(MAX_DELAY_AWAY.total_seconds(), 2.0**attempts) if attempts < MAX_ATTEMPTS_AWAY else None
    is_hopeful = made_headway or retry_after_seconds is not None
    if failure.code not in _TRANSIENT or not is_hopeful or attempts >= MAX_ATTEMPTS:
        return None
    return min(MAX_RETRY_DELAY.total_seconds(), max(2.0**attempts, retry_after_seconds or 0.0))


def _is_time(download: Download, now: datetime) -> bool:
    if download.not_before is None or download.not_before <= now:
        return True
    # Nobody is told to wait for another attempt that long: the clock was put back meanwhile.
    return download.error is not None and download.not_before - now > MAX_RETRY_DELAY


def _turn(download: Download) -> tuple[int, int]:
    return (download.id if download.position is None else download.position, download.id)
