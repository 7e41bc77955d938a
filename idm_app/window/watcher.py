"""What the window has to know of the downloads: how many run, and which have just ended."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from idm_app.errors import CommandError
from idm_app.remote import Resource, Server

_ACTIVE = ("queued", "probing", "downloading", "processing")
_AGAIN_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Ended:
    """Words for a notification."""

    heading: str
    text: str


class Watcher:
    """Reads the feed in a thread of its own."""

    def __init__(self, address: str) -> None:
        self.running = 0
        """How many downloads a worker is at."""
        self._address = address
        self._before: dict[int, str] = {}

    def start(self, on_ended: Callable[[Ended], None]) -> None:
        """``on_ended`` is called from the thread."""
        threading.Thread(target=self._read, args=(on_ended,), daemon=True).start()

    def _read(self, on_ended: Callable[[Ended], None]) -> None:
        while True:
            try:
                for downloads, changed in Server(self._address).states():
                    self.running = sum(d["status"] in _ACTIVE[1:] for d in downloads.values())
                    if ended := self.ended(downloads, changed):
                        on_ended(ended)
            except CommandError:
                time.sleep(_AGAIN_SECONDS)

    def ended(self, downloads: dict[int, Resource], changed: list[Resource]) -> Ended | None:
        """What to say of those that were active before ``changed`` and are not any more."""
        ids = [d["id"] for d in changed if d["status"] not in _ACTIVE and self._before.get(d["id"]) in _ACTIVE]
        self._before |= {download["id"]: download["status"] for download in changed}
        over = [downloads[i] for i in dict.fromkeys(ids) if downloads[i]["status"] in ("completed", "failed")]
        if not over:
            return None
        if len(over) > 1:
            return Ended(f"{len(over)} downloads have ended", ", ".join(_title(download) for download in over[:5]))
        only = over[0]
        if only["status"] == "completed":
            return Ended("Download complete", _title(only))
        return Ended("Download failed", f"{_title(only)}: {only['error']['message']}")


def _title(download: Resource) -> str:
    return str(download["title"] or download["filename"] or download["url"])
