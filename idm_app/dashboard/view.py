"""Which downloads a tab shows: its filters, its search, its order, its page. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self
from urllib.parse import urlencode

from idm_app.dashboard.row_state import site, title
from idm_app.model import Category, Download, Status
from idm_app.search import contains, words_of
from idm_app.units import utc_now

PAGE_SIZE = 40
"""Rows of bound elements on a page: NiceGUI walks every element of a page at each message."""

GROUPS = {
    "all": frozenset(Status),
    "unfinished": frozenset(status for status in Status if not status.is_finished),
    "finished": frozenset({Status.COMPLETED}),
    "failed": frozenset({Status.FAILED}),
}
DAYS = {"today": 0, "yesterday": 1, "week": 6, "month": 29}
"""Since the beginning of how many days ago."""


def order(download: Download) -> int:
    """Running first, then what will go on, then the history."""
    if download.status.is_running:
        return 0
    return 2 if download.status.is_finished else 1


SORTS: dict[str, Callable[[Download], Any]] = {
    "name": lambda download: title(download).casefold(),
    "status": lambda download: (order(download), download.status, -(download.progress or 0.0)),
    "size": lambda download: download.total_bytes or download.received_bytes or None,
    "rate": lambda download: download.bytes_per_second,
    "eta": lambda download: download.eta_seconds,
    "added": lambda download: download.id,
    "site": site,
}
"""By the name of the column; ``None`` comes last, in either direction."""
_MOVING = {"status", "size", "rate", "eta"}


@dataclass(frozen=True, slots=True)
class View:
    """What one tab shows. ``show`` is a key of :data:`GROUPS` or a category; ``sort`` a column, ``-`` for descending.

    ``status`` and ``day`` narrow it further; empty: any.
    """

    show: str = "all"
    text: str = ""
    offset: int = 0
    sort: str = ""
    status: str = ""
    day: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """From the page's address, which anybody may have typed."""

        def known(name: str, *values: Iterable[str]) -> str:
            value = query.get(name, "")
            return value if any(value in some for some in values) else ""

        return cls(
            show=known("show", GROUPS, set(Category)) or "all",
            text=query.get("q", "")[:1000],
            offset=_offset(query.get("page", "")),
            sort=known("sort", SORTS, {f"-{column}" for column in SORTS}),
            status=known("status", set(Status)),
            day=known("day", DAYS),
        )

    @property
    def query(self) -> str:
        """The inverse of :meth:`of`."""
        page = str(self.offset // PAGE_SIZE + 1) if self.offset else ""
        narrowed = {"sort": self.sort, "status": self.status, "day": self.day}
        said = {"show": self.show, "q": self.text, "page": page, **narrowed}
        return urlencode({name: value for name, value in said.items() if value and (name, value) != ("show", "all")})

    @property
    def moves(self) -> bool:
        """Whether it is ordered by numbers that change while a download runs."""
        return self.sort.removeprefix("-") in _MOVING

    def moved(self, pages: int) -> Self:
        """The same some pages further down."""
        return replace(self, offset=max(0, self.offset + pages * PAGE_SIZE))

    def within(self, count: int) -> Self:
        """The same, but not behind the end of ``count`` downloads."""
        return replace(self, offset=max(0, min(self.offset, (count - 1) // PAGE_SIZE * PAGE_SIZE)))

    def sorted_by(self, column: str) -> Self:
        """After a press on the head of ``column``: ascending, descending, then the order of its own."""
        following = {"": column, column: f"-{column}", f"-{column}": ""}
        return replace(self, sort=following.get(self.sort, column) if column in SORTS else "", offset=0)


def select(newest_first: Iterable[Download], view: View) -> list[int]:
    """The ids that ``view`` accepts, in the order in which they are shown."""
    words, since, until = words_of(view.text), *_span(view.day)
    statuses = GROUPS.get(view.show, GROUPS["all"])
    if view.status:
        statuses &= {Status(view.status)}
    accepted = [
        download
        for download in newest_first
        if download.status in statuses
        and (view.show in GROUPS or download.category == view.show)
        and (since is None or since <= download.created_at < until)
        and contains(download, words)
    ]
    return [download.id for download in _in_order(accepted, view.sort)]


def counts(by_status: dict[str, int], by_category: dict[str, int]) -> dict[str, int]:
    """How many downloads each filter accepts, from the manager's counts."""
    grouped = {group: sum(by_status.get(status, 0) for status in statuses) for group, statuses in GROUPS.items()}
    return {**grouped, **{category.value: by_category.get(category, 0) for category in Category}}


def _offset(page: str) -> int:
    is_number = page.isascii() and page.isdigit() and len(page) < 10
    return max(0, int(page) - 1) * PAGE_SIZE if is_number else 0


def _in_order(newest_first: list[Download], sort: str) -> list[Download]:
    if not sort:
        return sorted(newest_first, key=order)
    key = SORTS[sort.removeprefix("-")]
    keyed = [(key(download), download) for download in newest_first]
    known = [pair for pair in keyed if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=sort.startswith("-"))
    return [download for _, download in known] + [download for value, download in keyed if value is None]


def _span(day: str) -> tuple[datetime | None, datetime]:
    """From when until when something was added, by the days of this machine."""
    now = utc_now()
    if not day:
        return None, now
    midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    until = midnight if day == "yesterday" else now + timedelta(days=1)
    return midnight - timedelta(days=DAYS[day]), until
