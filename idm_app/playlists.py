"""A playlist is the parent of its entries, which are downloads of their own. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from idm_app.engine.messages import Expanded
from idm_app.model import Download, Kind, Request, Status


def entry_requests(parent: Download, report: Expanded) -> list[Request]:
    """What to ask for, for each entry: as the playlist was asked for."""
    return [
        replace(
            parent.request,
            url=entry["url"],
            playlist_items=entry.get("playlist_items"),
            filename=None,
            referrer=None,
            checksum=None,
        )
        for entry in report.entries
    ]


def children(parent: Download, downloads: Iterable[Download]) -> Iterator[Download]:
    """The entries that became downloads."""
    if parent.kind is not Kind.PLAYLIST:
        return iter(())
    return (download for download in downloads if download.parent_id == parent.id)


def is_expanded(download: Download, downloads: Iterable[Download]) -> bool:
    """Whether its entries are on the list already."""
    return any(True for _ in children(download, downloads))


def unfinished_children(parent: Download, downloads: Iterable[Download]) -> list[int]:
    """Ids of the entries that may still be stopped."""
    stoppable = (Status.QUEUED, Status.PROBING, Status.DOWNLOADING, Status.PROCESSING)
    return [child.id for child in children(parent, downloads) if child.status in stoppable]


def settled(parent: Download, downloads: Iterable[Download], now: datetime) -> Download:
    """``parent`` as its entries stand: the share that is finished, and done when none is left to do."""
    entries = list(children(parent, downloads))
    ended = sum(entry.status.is_finished for entry in entries)
    if ended == len(entries):
        return replace(parent, status=Status.COMPLETED, progress=100.0, finished_at=now)
    return replace(parent, progress=round(ended * 100 / len(entries), 2))
