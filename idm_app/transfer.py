"""The whole list as a document, and such a document back into a list.

What may be secret (cookies, headers) and what means nothing elsewhere (absolute paths, offsets, revisions) stays here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from idm_app import __version__
from idm_app.background import unhurried
from idm_app.errors import StoreFull
from idm_app.ledger import Ledger
from idm_app.model import Download, Kind, Status
from idm_app.store import to_document
from idm_app.units import format_instant

FORMAT = "idm"
VERSION = 1
_AT_ONCE = 500
"""Downloads in one piece of the document."""
_FIELDS = ("id", "parent_id", "status", "kind", "title", "total_bytes", "created_at", "finished_at", "queue")


@dataclass(frozen=True, slots=True)
class Restored:
    """One entry of a document: the download, as yet without an id of ours."""

    download: Download
    """Its ``id`` and ``parent_id`` are those of the document."""
    is_dated: bool
    """Whether ``created_at`` comes from the document; if so it tells downloads of one address apart."""


def document_parts(downloads: Sequence[Download], download_dir: Path, now: datetime) -> Iterator[bytes]:
    """The document, JSON, in pieces of :data:`_AT_ONCE` downloads."""
    head = {"format": FORMAT, "version": VERSION, "idm": __version__, "exported_at": format_instant(now)}
    yield orjson.dumps(head)[:-1] + b',"downloads":['
    for start in range(0, len(downloads), _AT_ONCE):
        entries = (_dumped(entry_of(d, download_dir)) for d in downloads[start : start + _AT_ONCE])
        yield (b",\n" if start else b"\n") + b",\n".join(entries)
    yield b"\n]}\n"


def entry_of(download: Download, download_dir: Path) -> dict[str, Any]:
    """One download of the document; what is as usual is left out."""
    stored = to_document(download)
    request = {name: value for name, value in stored["request"].items() if name not in ("headers", "cookies")}
    entry = {**request, **{name: stored[name] for name in _FIELDS if name in stored}}
    if download.error:
        entry["error"] = download.error.code
    elif "not_before" in stored:
        entry["start_at"] = stored["not_before"]
    if download.path and Path(download.path).is_relative_to(download_dir):
        entry["saved_as"] = Path(download.path).relative_to(download_dir).as_posix()
    return entry


async def restore(entries: Iterable[Restored], ledger: Ledger) -> list[Download]:
    """Put those that are not there yet on the list, all or nothing. Durable when it returns.

    Raises :class:`StoreFull`.
    """
    by_address = {download.request.url for download in ledger}
    by_birth = {(download.request.url, download.created_at): download.id for download in ledger}
    ids: dict[int, int] = {}
    added: list[Download] = []
    async for entry in unhurried(entries):
        download, birth = entry.download, (entry.download.request.url, entry.download.created_at)
        known = by_birth.get(birth) if entry.is_dated else (download.request.url in by_address or None)
        if known is None:
            new = _placed(
                download, ledger.next_id(), None if download.parent_id is None else ids.get(download.parent_id)
            )
            added.append(ledger.write(new))
            known = by_birth[birth] = new.id
            by_address.add(download.request.url)
        if entry.is_dated and download.id:
            ids[download.id] = known
    try:
        await ledger.commit()
    except StoreFull:
        for download in added:
            ledger.remove(download.id)
        raise
    return added


def _placed(download: Download, download_id: int, parent_id: int | None) -> Download:
    status = download.status
    if status.is_running and download.kind is not Kind.PLAYLIST:
        status = Status.QUEUED
    position = download_id if status is Status.QUEUED else None
    return replace(download, id=download_id, parent_id=parent_id, status=status, position=position)


def _dumped(entry: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(entry)
    except TypeError:  # a file's name that is not UTF-8
        return orjson.dumps(
            {name: value for name, value in entry.items() if name not in ("saved_as", "title", "filename")}
        )
