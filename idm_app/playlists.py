"""A playlist is the parent of its entries, which are downloads of their own. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from idm_app.engine.messages import Expanded
from idm_app.errors import FAILURES
from idm_app.model import Download, Failure, Kind, Request, Status


def entry_requests(parent: Download, report: Expanded, there: Iterable[Download] = ()) -> list[Request]:
    """What to ask for, for each entry that is not ``there`` yet: as the playlist was asked for."""
    known = {(entry.request.url, entry.request.playlist_items) for entry in there}
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
        if (entry["url"], entry.get("playlist_items")) not in known
    ]


def children(parent: Download, downloads: Iterable[Download]) -> Iterator[Download]:
    """The entries that became downloads."""
    if parent.kind is not Kind.PLAYLIST:
        return iter(())
    return (download for download in downloads if download.parent_id == parent.id)


def waits_for_entries(download: Download) -> bool:
    """Whether it has turned out to be a playlist, but not all of its entries may be on the list."""
    return download.kind is Kind.PLAYLIST and download.status is Status.DOWNLOADING and download.progress is None


def unfinished_children(parent: Download, downloads: Iterable[Download]) -> list[int]:
    """Ids of the entries that may still be stopped."""
    stoppable = (Status.QUEUED, Status.PROBING, Status.DOWNLOADING, Status.PROCESSING)
    return [child.id for child in children(parent, downloads) if child.status in stoppable]


def incomplete_children(parent: Download, downloads: Iterable[Download]) -> list[int]:
    """Ids of the entries of which there is no finished file."""
    return [child.id for child in children(parent, downloads) if child.status is not Status.COMPLETED]


def settled(parent: Download, downloads: Iterable[Download], now: datetime) -> Download:
    """``parent`` as its entries stand: the share that is complete, and its end when none is left to do."""
    entries = list(children(parent, downloads))
    complete = sum(entry.status is Status.COMPLETED for entry in entries)
    if complete == len(entries):
        return replace(parent, status=Status.COMPLETED, progress=100.0, finished_at=now, error=None)
    parent = replace(parent, progress=round(complete * 100 / len(entries), 2))
    if not all(entry.status.is_finished for entry in entries):
        return parent
    message, retryable = FAILURES["entries-failed"]
    failure = Failure("entries-failed", message, f"{len(entries) - complete} of {len(entries)}", retryable)
    return replace(parent, status=Status.FAILED, finished_at=now, error=failure)
