"""Downloads that a full disk has paused go on by themselves once there is room."""

import asyncio
from collections.abc import Callable, Iterable

from idm_app.model import Download, Status

LOOK_SECONDS = 3.0
_SPARE_BYTES = 256 * 1024
_UNKNOWN_BYTES = 64 * 1024 * 1024
"""How much room there must be for one whose size nobody knows."""


def waits_for_room(download: Download) -> bool:
    """Whether a full disk, not a person, has paused it."""
    return download.status is Status.PAUSED and download.error is not None and download.error.code == "disk-full"


def needed_bytes(download: Download) -> int:
    """What still has to be written; several streams are joined into a file of their own."""
    if download.total_bytes is None:
        return _UNKNOWN_BYTES
    joined = download.total_bytes if len(download.streams) > 1 else 0
    return max(0, download.total_bytes - download.received_bytes) + joined + _SPARE_BYTES


class RoomWatch:
    """Looks every few seconds, as long as one waits. Event loop only; what it asks is quick and never raises."""

    def __init__(
        self,
        downloads: Callable[[], Iterable[Download]],
        free_bytes: Callable[[], int | None],
        go_on: Callable[[Download], None],
        has_place: Callable[[Download], bool] = lambda _: True,
    ) -> None:
        """``free_bytes``: for the parts; ``has_place``: whether the finished file fits where it goes."""
        self._downloads = downloads
        self._free_bytes = free_bytes
        self._go_on = go_on
        self._has_place = has_place
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """One may wait from now on."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        waiting = [download for download in self._downloads() if waits_for_room(download)]
        if not waiting:
            return
        self.begin()
        free = self._free_bytes() or 0
        fitting = next((d for d in waiting if needed_bytes(d) <= free and self._has_place(d)), None)
        if fitting is not None:  # one at a time: what it will take is still counted as free
            self._go_on(fitting)
