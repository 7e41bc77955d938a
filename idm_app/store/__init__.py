"""Downloads at rest: a TinyDB on a durable storage, one server per folder, commits grouped and off the event loop."""

import asyncio
import json
import logging
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from filelock import FileLock, Timeout
from tinydb import TinyDB
from tinydb.table import Document

from idm_app.errors import FolderInUse, StoreFull, StoreUnreadable
from idm_app.model import Download
from idm_app.store import files
from idm_app.store.documents import from_document, to_document
from idm_app.store.owner import read_owner, write_owner
from idm_app.store.storage import COMPACT_AT_BYTES, DurableStorage, set_aside_all
from idm_app.store.table import Database, DownloadTable

__all__ = ["Store", "to_document"]

log = logging.getLogger(__name__)

_SERVER, _SETTINGS = 1, 2
_Result = TypeVar("_Result")


class Store:
    """The list of downloads and the settings on disk. Event loop only; what waits for the disk does so in threads."""

    def __init__(self, folder: Path, lock: FileLock, storage: DurableStorage) -> None:
        """Not for callers: :meth:`open`."""
        self._folder = folder
        self._lock = lock
        self._storage = storage
        self.database: TinyDB = Database(storage=lambda: storage)
        """For queries."""
        self._table = cast(DownloadTable, self.database.table("downloads"))
        self._records = cast(DownloadTable, self.database.table("records"))
        server = self._records.get(doc_id=_SERVER)
        known = dict(server) if isinstance(server, Document) else {}
        self.server_id: str = known.get("server_id") or secrets.token_hex(8)
        """Random, the same as long as the folder lives."""
        self.last_id: int = max(known.get("last_id", 0), *(document.doc_id for document in self._table), 0)
        """The highest id ever given out."""
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="store")
        self._writing = asyncio.Lock()
        self._group: asyncio.Task[None] | None = None
        self._compaction: asyncio.Task[None] | None = None
        self._is_closed = False
        self._put_server()
        if not known:
            storage.commit()

    @classmethod
    def open(cls, folder: Path, *, address: str = "", reset: bool = False) -> Self:
        """Take the folder and read the list. ``address`` is what a second server's refusal names.

        ``reset``: if the list cannot be read, set its files aside and begin empty.
        Raises :class:`FolderInUse`, :class:`StoreUnreadable`, ``OSError`` for a folder that cannot be used.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", mode=0o600, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            owner = read_owner(folder)
            by = f"another idm at {owner.address} (process {owner.pid})" if owner else "another idm"
            raise FolderInUse(f"{folder} is in use by {by}. Use that one, or another --data-dir.") from None
        try:
            write_owner(folder, address)
            try:
                storage = DurableStorage(folder)
            except StoreUnreadable:
                if not reset:
                    raise
                set_aside_all(folder)
                storage = DurableStorage(folder)
            store = cls(folder, lock, storage)
        except BaseException:
            lock.release()
            raise
        if store.recovery:
            log.warning("%s", store.recovery)
        return store

    @property
    def recovery(self) -> str | None:
        """What had to be mended at the start, for people; ``None``: nothing."""
        return " ".join(self._storage.recovery) or None

    def downloads(self) -> list[Download]:
        """All, by id. One that is damaged is set aside in a file and told in :attr:`recovery`."""
        downloads, damaged = [], {}
        for document in self._table:
            try:
                download = from_document(document)
                if download.id != document.doc_id:
                    raise ValueError(f"#{download.id} stands under #{document.doc_id}")
                downloads.append(download)
            except (TypeError, ValueError) as error:
                log.warning("download #%d is damaged: %s", document.doc_id, error)
                damaged[document.doc_id] = dict(document)
        if damaged:
            self._set_aside(damaged)
        return sorted(downloads, key=lambda download: download.id)

    def settings(self) -> dict[str, Any]:
        """The stored settings; ``{}`` at first."""
        record = self._records.get(doc_id=_SETTINGS)
        return dict(record) if isinstance(record, Document) else {}

    def put(self, *downloads: Download) -> None:
        """Insert or replace. In memory at once, on disk after :meth:`commit`."""
        if not downloads:
            return
        self._table.replace(*(Document(to_document(download), download.id) for download in downloads))
        self.last_id = max((self.last_id, *(download.id for download in downloads)))

    def remove(self, *ids: int) -> None:
        """Forget downloads; their ids are not used again."""
        self._table.remove(doc_ids=ids)

    def put_settings(self, values: Mapping[str, Any]) -> None:
        """Replace the settings."""
        self._records.replace(Document(values, _SETTINGS))

    async def commit(self) -> None:
        """Return when everything put or removed before the call is on disk. Callers at the same time share one write.

        Raises :class:`StoreFull`; what could not be written is tried again with the next commit.
        """
        if self._group is None:
            self._group = asyncio.create_task(self._write_group())
            self._group.add_done_callback(_retrieve)  # every caller may have gone away
        await asyncio.shield(self._group)

    async def close(self) -> None:
        """Put everything on disk as a snapshot and give the folder free. Nothing may be put after it."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if self._compaction is not None:
                await self._compaction
            await self.commit()
            async with self._writing:
                await self._in_thread(self._storage.compact)
        except (StoreFull, OSError) as error:
            log.error("the list could not be written at the end: %s", error)
        finally:
            self._threads.shutdown(wait=False)
            self._lock.release()

    async def _write_group(self) -> None:
        async with self._writing:
            self._group = None  # whoever comes from now on belongs to the next group
            self._put_server()
            changes = self._storage.take()
            try:
                if changes:
                    await self._in_thread(self._storage.append, changes)
            except OSError as error:
                self._storage.give_back(changes)
                raise StoreFull(
                    f"The list cannot be written to {self._folder} ({error.strerror}). Make room there and try again."
                ) from error
        if self._storage.journaled_bytes > COMPACT_AT_BYTES and self._compaction is None and not self._is_closed:
            self._compaction = asyncio.create_task(self._compact())

    async def _compact(self) -> None:
        """Write a snapshot while commits go on into the next journal."""
        try:
            async with self._writing:
                generation = await self._in_thread(self._storage.begin_generation)
            await self._in_thread(self._storage.write_snapshot, generation)
        except OSError as error:
            log.warning("the journal could not be compacted: %s", error)
        finally:
            self._compaction = None

    async def _in_thread(self, call: Callable[..., _Result], *arguments: Any) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *arguments)

    def _set_aside(self, damaged: dict[int, Any]) -> None:
        path = files.aside(self._folder / "downloads.json")
        try:
            files.write_whole(path, [json.dumps(damaged, indent=1).encode()])
        except OSError as error:
            log.warning("damaged downloads stay where they are: %s", error)
            return
        self.remove(*damaged)
        how_many = "A damaged download was" if len(damaged) == 1 else f"{len(damaged)} damaged downloads were"
        self._storage.recovery.append(f"{how_many} left out; kept for you in {path.name}.")

    def _put_server(self) -> None:
        self._records.replace(Document({"server_id": self.server_id, "last_id": self.last_id}, _SERVER))


def _retrieve(task: "asyncio.Task[None]") -> None:
    if not task.cancelled():
        task.exception()
