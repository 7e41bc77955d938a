"""What all tabs show, kept once: a bindable row for each download on some screen, the totals, the order of the lists.

One subscription to the feed, whatever the number of tabs. Event loop only.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from nicegui import Event, background_tasks, binding

from idm_app.dashboard.details_state import details_state
from idm_app.dashboard.row_state import row_state
from idm_app.dashboard.view import View, counts, select
from idm_app.dashboard.words import LANGUAGES, Words, words_in
from idm_app.errors import UnknownDownload
from idm_app.feed import Frame
from idm_app.manager import Manager
from idm_app.model import Download, Status
from idm_app.units import format_bytes, format_rate

_LIST_SECONDS = 0.25
"""At most four times a second a list gains, loses or moves rows; the first change after a pause shows at once."""
_TOTALS_SECONDS = 0.25
_ORDER_SECONDS = 1.0
"""At most once a second rows change places because a number has changed by which they are sorted."""
_GRAPH_SECONDS = 60
"""How far the graph of the total rate goes back; one point a second."""
_DETAILS_GRAPH_SECONDS = 180
_REMEMBERED_GRAPHS = 100
_LIST_CACHE = 32


@binding.bindable_dataclass
class Shown:
    """A download on some screen. The tabs' elements bind to ``state``; without any, it is forgotten."""

    state: dict[str, Any]


@binding.bindable_dataclass
class Totals:
    """What the status bar and the filters say, in one language."""

    bar: dict[str, Any]
    counts: dict[str, int]


class Board:
    """The dashboard's model: bindable values and two signals, fed by the manager."""

    def __init__(self, manager: Manager) -> None:
        self.manager = manager
        self.counts: dict[str, int] = {}
        """How many downloads each filter accepts."""
        self.list_changed: Event[[]] = Event()
        """Downloads have come, gone, or changed their status."""
        self.ended: Event[[list[Download]]] = Event()
        """These have just finished or failed."""
        self._totals = {language: Totals(bar={}, counts={}) for language in LANGUAGES}
        self._rows: WeakValueDictionary[tuple[str, int], Shown] = WeakValueDictionary()
        self._details: WeakValueDictionary[tuple[str, int], Shown] = WeakValueDictionary()
        self._unfinished: dict[int, Status] = {}
        self._lists: dict[View, list[int]] = {}
        self._total_rates = deque([0] * _GRAPH_SECONDS, _GRAPH_SECONDS)
        self._rates: dict[int, deque[int]] = {}
        self._announce_order = _Paced(_ORDER_SECONDS, self._order_has_changed)
        self._announce_list = _Paced(_LIST_SECONDS, self._list_has_changed)
        self._refresh_totals = _Paced(_TOTALS_SECONDS, self._read_totals)

    def start(self) -> None:
        """Follow the feed until the server stops."""
        self._read_totals()
        background_tasks.create(self._follow(), name="dashboard follows the feed")
        background_tasks.create(self._sample(), name="dashboard samples rates")

    def totals(self, words: Words) -> Totals:
        """The bindable totals, the same for every tab of a language."""
        return self._totals[words.language]

    def row(self, download: Download, words: Words) -> Shown:
        """The bindable row of ``download``, the same for every tab of a language. Keep it as long as it is shown."""
        key = (words.language, download.id)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = Shown(row_state(download, words))
        return row

    def details(self, download: Download, words: Words) -> Shown:
        """The same for the panel with all that is known of ``download``."""
        key = (words.language, download.id)
        details = self._details.get(key)
        if details is None:
            details = self._details[key] = Shown(self._details_state(download, words))
        return details

    def ids(self, view: View) -> list[int]:
        """All ids that ``view`` accepts, in order. Not to be changed."""
        ids = self._lists.get(view)
        if ids is None:
            if len(self._lists) >= _LIST_CACHE:
                self._lists.clear()
            ids = self._lists[view] = select(self.manager.newest_first(), view)
        return ids

    async def _follow(self) -> None:
        while True:
            subscription = self.manager.subscribe()
            self._catch_up()
            try:
                while (frame := await subscription.next()) is not None:
                    self._take(frame)
            finally:
                subscription.close()

    def _catch_up(self) -> None:
        for download in self.manager.newest_first():
            self._refresh_rows(download)
        self._unfinished = {d.id: d.status for d in self.manager.newest_first() if not d.status.is_finished}
        self._announce_list()

    def _take(self, frame: Frame) -> None:
        has_changed, ended = bool(frame.removed), []
        for download_id in frame.removed:
            self._unfinished.pop(download_id, None)
        for download_id in {update["id"] for update in frame.updates}.difference(frame.removed):
            try:
                download = self.manager.get(download_id)
            except UnknownDownload:  # removed since; a later frame says so
                continue
            self._refresh_rows(download)
            before = self._unfinished.get(download_id)
            if download.status.is_finished:
                if self._unfinished.pop(download_id, None):
                    ended.append(download)
            else:
                self._unfinished[download_id] = download.status
            has_changed |= download.status is not before
        if has_changed:
            self._announce_list()
        elif any(view.moves for view in self._lists):
            self._announce_order()
        self._refresh_totals()
        if ended:
            self.ended.emit(ended)

    def _refresh_rows(self, download: Download) -> None:
        for language in LANGUAGES:
            if row := self._rows.get((language, download.id)):
                row.state = row_state(download, words_in(language))
            if details := self._details.get((language, download.id)):
                details.state = self._details_state(download, words_in(language))

    def _details_state(self, download: Download, words: Words) -> dict[str, Any]:
        return details_state(download, self._rates.get(download.id, ()), words)

    def _list_has_changed(self) -> None:
        self._lists.clear()
        self._read_totals()
        self.list_changed.emit()

    def _order_has_changed(self) -> None:
        self._lists = {view: ids for view, ids in self._lists.items() if not view.moves}
        self.list_changed.emit()

    async def _sample(self) -> None:
        """A point of the graph each second; while nothing runs and none ran, nothing is sent."""
        while True:
            await asyncio.sleep(1)
            self._total_rates.append(round(self.manager.stats()["bytes_per_second"]))
            if any(self._total_rates):
                self._read_totals()
            for download in self.manager.running():
                rates = self._rates.setdefault(download.id, deque(maxlen=_DETAILS_GRAPH_SECONDS))
                rates.append(round(download.bytes_per_second or 0))
            while len(self._rates) > _REMEMBERED_GRAPHS:
                del self._rates[next(iter(self._rates))]

    def _read_totals(self) -> None:
        stats = self.manager.stats()
        by_status = stats["counts"]
        running = sum(by_status.get(status, 0) for status in Status if status.is_running)
        free_bytes = stats["free_bytes"]
        self.counts = counts(by_status, stats["categories"])
        for language, totals in self._totals.items():
            words = words_in(language)
            totals.counts = self.counts
            totals.bar = {
                "rate_text": format_rate(stats["bytes_per_second"]),
                "progress": stats["progress"],
                "rates": list(self._total_rates),
                "active_text": words("bar.active", count=running),
                "queued_text": words("bar.queued", count=by_status.get(Status.QUEUED, 0)),
                "free_text": "" if free_bytes is None else words("bar.free", size=format_bytes(free_bytes)),
            }


class _Paced:
    """Calls at once after a pause, else not more often than every ``seconds``; the last call is never lost."""

    def __init__(self, seconds: float, callback: Callable[[], Any]) -> None:
        self._seconds = seconds
        self._callback = callback
        self._may_call_at = float("-inf")
        self._planned = False

    def __call__(self) -> None:
        loop = asyncio.get_running_loop()
        if self._planned:
            return
        if loop.time() >= self._may_call_at:
            self._run()
        else:
            self._planned = True
            loop.call_at(self._may_call_at, self._run)

    def _run(self) -> None:
        self._planned = False
        self._may_call_at = asyncio.get_running_loop().time() + self._seconds
        self._callback()
