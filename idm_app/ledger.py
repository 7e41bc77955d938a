"""All downloads as they are now: numbered, counted, published and stored by one hand.

Only the manager and its runs write here. Each change gets the next revision, goes to the feed at once, and to the
store with the next commit when the status changes, seldom for progress (byte offsets are in the worker's sidecar).
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from idm_app.background import Background
from idm_app.errors import UnknownDownload
from idm_app.feed import Feed
from idm_app.model import Category, Download, Status
from idm_app.schedule import Queue
from idm_app.search import contains, words_of
from idm_app.store import Store

_SAVE_PROGRESS_EVERY_SECONDS = 5.0
_SAVE_SECONDS = 0.05
"""What changes meanwhile is written with it."""
_MOST_UNSAVED = 200
"""A few milliseconds: longer lists must not hold the event loop up."""


class Ledger:
    """The dictionary of downloads, in order of their ids."""

    def __init__(self, store: Store, feed: Feed, background: Background) -> None:
        self._store = store
        self._feed = feed
        self._background = background
        self._saving = False
        self._downloads = {download.id: download for download in store.downloads()}
        self._last_id = store.last_id
        self._queue = Queue()
        for download in self._downloads.values():
            self._line_up(None, download)
        self._statuses = Counter(d.status for d in self._downloads.values())
        self._categories = Counter(d.category for d in self._downloads.values())
        self._saved_at: dict[int, float] = {}
        self._unsaved: set[int] = set()
        self.revision = max((d.revision for d in self._downloads.values()), default=0)

    def __getitem__(self, download_id: int) -> Download:
        try:
            return self._downloads[download_id]
        except KeyError:
            raise UnknownDownload(download_id) from None

    def get(self, download_id: int) -> Download | None:
        """One download, or ``None`` when it is gone."""
        return self._downloads.get(download_id)

    def __iter__(self) -> Iterator[Download]:
        return iter(tuple(self._downloads.values()))

    def __len__(self) -> int:
        return len(self._downloads)

    def newest_first(self) -> Iterable[Download]:
        """All, without copying them."""
        return reversed(self._downloads.values())

    def queued(self) -> Iterator[Download]:
        """Those that wait for their turn, in its order."""
        return map(self._downloads.__getitem__, self._queue)

    def counts(self) -> dict[str, dict[str, int]]:
        """How many downloads there are of each status and category."""
        return {
            "counts": {status.value: self._statuses[status] for status in Status},
            "categories": {category.value: self._categories[category] for category in Category},
        }

    def next_id(self) -> int:
        """An id that was never given out."""
        self._last_id += 1
        return self._last_id

    def write(self, download: Download, *, save: bool = False) -> Download:
        """Take ``download`` as the newest truth and tell everybody. Returns it with its revision.

        It is on disk after the next :meth:`commit`.
        """
        before = self._downloads.get(download.id)
        self.revision += 1
        now = replace(download, revision=self.revision)
        self._downloads[now.id] = now
        self._count(before, -1)
        self._count(now, +1)
        self._line_up(before, now)
        self._feed.publish(before, now)
        save = save or before is None or before.status is not now.status
        if save or time.monotonic() - self._saved_at.get(now.id, 0.0) > _SAVE_PROGRESS_EVERY_SECONDS:
            self._saved_at[now.id] = time.monotonic()
            self._unsaved.add(now.id)
            if len(self._unsaved) >= _MOST_UNSAVED:
                self.flush()
        return now

    def change(self, download: Download, *, save: bool = False) -> Download:
        """As :meth:`write`, and on disk soon without a commit of one's own."""
        now = self.write(download, save=save)
        if not self._saving:
            self._saving = True
            self._background.run(self._save())
        return now

    def flush(self) -> None:
        """Hand the store what it has to put on disk next."""
        self._store.put(*map(self._downloads.__getitem__, self._unsaved))
        self._unsaved.clear()

    async def commit(self) -> None:
        """Returns when all that was written is on disk. Raises :class:`StoreFull`."""
        self.flush()
        await self._store.commit()

    def remove(self, download_id: int) -> None:
        """Forget a download and tell everybody."""
        download = self._downloads.pop(download_id)
        self.revision += 1
        self._count(download, -1)
        self._line_up(download, None)
        self._saved_at.pop(download.id, None)
        self._unsaved.discard(download.id)
        self._store.remove(download.id)
        self._feed.remove(download.id, self.revision)

    def search(
        self, *, status: Status | None, category: Category | None, text: str, sort: str, limit: int, offset: int
    ) -> tuple[list[Download], int]:
        """One page of the downloads that fit, and how many fit. ``sort``: a field, with ``-`` for descending."""
        words = words_of(text)
        found = [
            download
            for download in self.newest_first()
            if (status is None or download.status is status)
            and (category is None or download.category is category)
            and contains(download, words)
        ]
        if sort != "-id":
            field, descending = sort.removeprefix("-"), sort.startswith("-")
            known = [download for download in found if getattr(download, field) is not None]
            known.sort(key=lambda download: _rank(getattr(download, field)), reverse=descending)
            found = known + [download for download in found if getattr(download, field) is None]
        return found[offset : offset + limit], len(found)

    async def _save(self) -> None:
        await asyncio.sleep(_SAVE_SECONDS)
        self._saving = False
        await self.commit()

    def _line_up(self, before: Download | None, now: Download | None) -> None:
        if before is not None and before.status is Status.QUEUED:
            self._queue.remove(before)
        if now is not None and now.status is Status.QUEUED:
            self._queue.add(now)

    def _count(self, download: Download | None, change: int) -> None:
        if download is not None:
            self._statuses[download.status] += change
            self._categories[download.category] += change


def _rank(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
