"""Downloads at rest: a TinyDB on a durable storage, one server per folder, commits grouped and off the event loop."""

import asyncio
import json
import logging
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import orjson
from filelock import FileLock, Timeout
from tinydb import TinyDB
from tinydb.table import Document

from idm_app.errors import FolderInUse, StoreFull, StoreUnreadable
from idm_app.model import Download
from idm_app.store.documents import from_document, to_document
from idm_app.store.durable import DurableStorage, KeyedTable

__all__ = ["Store"]

log = logging.getLogger(__name__)


class _Database(TinyDB):
    table_class = KeyedTable


class Store:
    """The list of downloads and the settings on disk. Event loop only, but for the commits it hands to a thread."""

    def __init__(self, folder: Path, lock: FileLock) -> None:
        self._folder = folder
        self._lock = lock
        self._storage = DurableStorage(folder)
        self._group: asyncio.Future[None] | None = None
        self._committing = asyncio.Lock()
        self._is_closed = False

    @classmethod
    def open(cls, folder: Path, *, address: str = "", reset: bool = False) -> Self:
        """Take the folder and read the list. ``address`` is what a second server's refusal names.

        Raises :class:`FolderInUse`, :class:`StoreUnreadable`, ``OSError`` for a folder that cannot be used.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", mode=0o600)
        owner = folder / "owner.json"
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise FolderInUse(f"{folder} is used by another idm{_named(owner)}. Use that one, or --data-dir.") from None
        try:
            owner.write_text(json.dumps({"pid": os.getpid(), "address": address}))
            store = cls(folder, lock)
            store._load(reset)
        except BaseException:
            lock.release()
            raise
        return store

    def _load(self, reset: bool) -> None:
        try:
            self._storage.load()
        except StoreUnreadable:
            if not reset:
                raise
            self._storage.set_all_aside()
            self._storage.load()
        self._database = _Database(storage=lambda: self._storage)
        self._table: KeyedTable = self._database.table("downloads")  # type: ignore[assignment]
        self._records: KeyedTable = self._database.table("records")  # type: ignore[assignment]
        self._downloads = self._read_downloads()
        server = dict(self._records.find(_SERVER) or {})
        self.server_id: str = server.get("server_id") or secrets.token_hex(8)
        self.last_id: int = max([int(server.get("last_id", 0)), *(d.id for d in self._downloads)])
        self._put_server()

    @property
    def recovery(self) -> str | None:
        """What had to be mended at the start, for people; ``None``: nothing."""
        return " ".join(self._storage.recovery) or None

    @property
    def database(self) -> TinyDB:
        """For queries."""
        return self._database

    def downloads(self) -> list[Download]:
        """All as they were at the start, by id."""
        downloads, self._downloads = self._downloads, []
        return downloads

    def settings(self) -> dict[str, Any]:
        """The stored settings; ``{}`` at first."""
        return dict(self._records.find(_SETTINGS) or {})

    def put(self, *downloads: Download) -> None:
        """Insert or replace. In memory at once, on disk after :meth:`commit`."""
        for download in downloads:
            self._table.put(Document(to_document(download), download.id))
        if downloads and (highest := max(download.id for download in downloads)) > self.last_id:
            self.last_id = highest
            self._put_server()

    def remove(self, *ids: int) -> None:
        """Forget downloads; their ids are not used again."""
        for download_id in ids:
            self._table.drop(download_id)

    def put_settings(self, values: Mapping[str, Any]) -> None:
        """Replace the settings."""
        self._records.put(Document(values, _SETTINGS))

    async def commit(self) -> None:
        """Return when everything put or removed before the call is on disk. Callers at the same time share one write.

        Raises :class:`StoreFull`; what could not be written is tried again with the next commit.
        """
        if self._group is None:
            self._group = asyncio.ensure_future(self._write_group())
        await asyncio.shield(self._group)

    async def close(self) -> None:
        """Put everything on disk as a snapshot and give the folder free."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            async with self._committing:
                await asyncio.to_thread(self._storage.compact)
        except OSError as error:
            log.error("the list could not be written at the end: %s", error)
        finally:
            self._lock.release()

    async def _write_group(self) -> None:
        async with self._committing:
            self._group = None  # whoever comes from now on belongs to the next group
            try:
                await asyncio.to_thread(self._storage.commit)
            except OSError as error:
                raise StoreFull(
                    f"The list cannot be written to {self._folder} ({error.strerror}). Make room there and try again."
                ) from error

    def _read_downloads(self) -> list[Download]:
        downloads, damaged = [], {}
        for document in self._table:
            try:
                downloads.append(from_document(dict(document)))
            except (KeyError, TypeError, ValueError):
                damaged[str(document.doc_id)] = dict(document)
        if damaged:
            aside = self._folder / f"damaged-{secrets.token_hex(4)}.json"
            aside.write_bytes(orjson.dumps(damaged))
            for document_id in damaged:
                self._table.drop(int(document_id))
            self._storage.recovery.append(f"{len(damaged)} damaged downloads were set aside in {aside.name}.")
        return sorted(downloads, key=lambda download: download.id)

    def _put_server(self) -> None:
        self._records.put(Document({"server_id": self.server_id, "last_id": self.last_id}, _SERVER))


_SERVER, _SETTINGS = 1, 2


def _named(owner: Path) -> str:
    try:
        return f" at {json.loads(owner.read_text())['address']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
