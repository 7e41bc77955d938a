"""Which downloads a tab shows: its filter, its search, its page. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from idm_app.model import Category, Download, Status

PAGE_SIZE = 40
"""Rows of bound elements on a page: NiceGUI walks every element of a page at each message."""

GROUPS = {
    "all": frozenset(Status),
    "unfinished": frozenset(status for status in Status if not status.is_finished),
    "finished": frozenset({Status.COMPLETED}),
    "failed": frozenset({Status.FAILED}),
}


@dataclass(frozen=True, slots=True)
class View:
    """What one tab shows. ``show`` is a key of :data:`GROUPS` or a category."""

    show: str = "all"
    text: str = ""
    offset: int = 0

    @classmethod
    def of(cls, show: str, text: str) -> Self:
        """From the page's address, which anybody may have typed."""
        known = show in GROUPS or show in set(Category)
        return cls(show if known else "all", text[:1000])

    def moved(self, pages: int) -> Self:
        """The same some pages further down."""
        return replace(self, offset=max(0, self.offset + pages * PAGE_SIZE))

    def accepts(self, download: Download) -> bool:
        """Whether ``download`` is to be shown."""
        if self.show in GROUPS:
            if download.status not in GROUPS[self.show]:
                return False
        elif download.category != self.show:
            return False
        if not self.text:
            return True
        searched = f"{download.title or ''} {download.filename or ''} {download.request.url}".casefold()
        return all(word in searched for word in self.text.casefold().split())


def order(download: Download) -> int:
    """Running first, then what will go on, then the history; each newest first."""
    if download.status.is_running:
        return 0
    return 2 if download.status.is_finished else 1


def select(newest_first: Iterable[Download], view: View) -> list[int]:
    """The ids that ``view`` accepts, in the order in which they are shown."""
    groups: tuple[list[int], list[int], list[int]] = ([], [], [])
    for download in newest_first:
        if view.accepts(download):
            groups[order(download)].append(download.id)
    return [*groups[0], *groups[1], *groups[2]]


def counts(by_status: dict[str, int], by_category: dict[str, int]) -> dict[str, int]:
    """How many downloads each filter accepts, from the manager's counts."""
    grouped = {group: sum(by_status.get(status, 0) for status in statuses) for group, statuses in GROUPS.items()}
    return {**grouped, **{category.value: by_category.get(category, 0) for category in Category}}
