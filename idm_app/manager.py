"""What can be done with downloads. Dashboard, API and command line ask it.

Here what people want is written, in :mod:`idm_app.runs` what workers report, both into one ledger and nowhere else.
Event loop only, nothing blocking.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from idm_app import disk, jobs, playlists
from idm_app.address import check_never_reached, checked_address
from idm_app.background import Background, unhurried
from idm_app.categories import category_of
from idm_app.engine.messages import Expanded, Offered
from idm_app.engine.names import safe_name
from idm_app.errors import Duplicate, Refused, StoreFull, UnknownDownload, WrongStatus
from idm_app.feed import Feed, Frame, Subscription, snapshot
from idm_app.growing import GrowingFile
from idm_app.ledger import Ledger
from idm_app.model import Category, Download, Failure, Request, Status, check_transition
from idm_app.runs import Runs
from idm_app.settings import Options, Settings
from idm_app.store import Store
from idm_app.transfer import Restored, restore
from idm_app.units import format_instant, utc_now


class Manager:
    """All downloads, and what can be done with them."""

    def __init__(self, options: Options, store: Store) -> None:
        self.options = options
        self.settings = Settings.from_record(store.settings())
        self.server_id = store.server_id
        self._store = store
        self._feed = Feed()
        self._background = Background()
        self._ledger = Ledger(store, self._feed, self._background)
        self._runs = Runs(
            self._ledger, self._background, self.server_id, options, self.settings, on_expanded=self._on_expanded
        )

    # -- life

    async def start(self) -> None:
        """Go on with what the last run left unfinished."""
        parts = jobs.job_folder(0, self.server_id, self.options).parent
        await asyncio.to_thread(disk.sweep, parts, {d.id for d in self._ledger if d.status is not Status.COMPLETED})
        await self._runs.start()

    async def close(self) -> None:
        """Stop every worker, keep every byte, put the list on disk. What is unfinished goes on at the next start."""
        await self._runs.close()
        await self._background.finish()
        self._ledger.flush()
        await self._store.close()

    # -- asking

    def get(self, download_id: int) -> Download:
        """One download. Raises :class:`UnknownDownload`."""
        return self._ledger[download_id]

    def newest_first(self) -> Iterable[Download]:
        """All downloads."""
        return self._ledger.newest_first()

    def running(self) -> list[Download]:
        """Those that a worker works on."""
        return self._runs.running()

    def search(
        self,
        *,
        status: Status | None = None,
        category: Category | None = None,
        text: str = "",
        sort: str = "-id",
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[list[Download], int]:
        """One page of the downloads that fit, and how many fit. ``sort``: a field, with ``-`` for descending."""
        return self._ledger.search(status=status, category=category, text=text, sort=sort, limit=limit, offset=offset)

    async def probe(self, request: Request) -> Offered:
        """What an address offers. Raises :class:`InvalidAddress`, :class:`ProbeFailed`, :class:`TooManyProbes`."""
        request = replace(request, url=self._checked(request.url))
        job = jobs.job_for(Download(0, request, utc_now()), self.server_id, self.settings, self.options)
        return await self._runs.probes.probe(request, job)

    def finished_file(self, download_id: int) -> Path:
        """Where a finished download's file is. Raises :class:`WrongStatus` before it is done, :class:`FileGone`."""
        return disk.finished_file(self.get(download_id))

    def growing_file(self, download_id: int) -> GrowingFile:
        """What has arrived of one that is not finished. Raises :class:`WrongStatus`."""
        return GrowingFile(jobs.job_folder(self.get(download_id).id, self.server_id, self.options))

    def stats(self) -> dict[str, Any]:
        """Counts, total rate, free disk, and how long changes take to reach the clients."""
        running = self._runs.running()
        return {
            **self._ledger.counts(),
            "total": len(self._ledger),
            "bytes_per_second": sum(download.bytes_per_second or 0.0 for download in running),
            "progress": jobs.progress_of(running),
            "free_bytes": self._runs.free_space.bytes(),
            "feed": {"subscribers": self._feed.subscribers, **self._feed.latency()},
            "recovery": self._store.recovery,
        }

    def follow(self) -> tuple[str, Subscription]:
        """The feed's ``snapshot`` message, and a reader of what comes after it."""
        return self._feed.follow(lambda: snapshot(self.newest_first(), self._ledger.revision, self.stats()))

    def subscribe(self) -> Subscription:
        """A reader of the feed from this moment on."""
        return self._feed.subscribe(self._ledger.revision)

    def sent(self, frame: Frame) -> None:
        """A reader has passed ``frame`` on."""
        self._feed.sent(frame)

    # -- doing

    async def add(
        self,
        requests: Sequence[Request],
        *,
        start: bool = True,
        start_at: datetime | None = None,
        queue: str = "main",
        on_duplicate: str = "again",
        parent_id: int | None = None,
    ) -> list[Download]:
        """Take what is asked for, all or nothing. Durable when it returns; nothing has been fetched yet.

        Raises :class:`InvalidAddress`, :class:`Duplicate` (``on_duplicate="ask"``), :class:`StoreFull`.
        """
        checked = self._checked if parent_id is None else checked_address  # an entry of a playlist fails by itself
        requests = [
            replace(request, url=checked(request.url, "url" if len(requests) == 1 else f"urls[{number}]"))
            async for number, request in unhurried(enumerate(requests))
        ]
        known = {} if on_duplicate == "again" else {d.request.url: d for d in self._ledger}
        twin = next((known[request.url] for request in requests if request.url in known), None)
        if on_duplicate == "ask" and twin is not None:
            raise Duplicate(
                f"You already have this: #{twin.id}, added {format_instant(twin.created_at)}, {twin.status}. "
                "Send it with on_duplicate=again to download it once more."
            )
        answer, added = [], []
        async for request in unhurried(requests):
            if request.url in known:
                answer.append(known[request.url])
                continue
            download = self._new(request, start, start_at, queue, parent_id)
            known |= {} if on_duplicate == "again" else {request.url: download}
            answer.append(download)
            added.append(download)
        try:
            await self._ledger.commit()
        except StoreFull:
            for download in added:
                self._ledger.remove(download.id)
            raise
        asyncio.get_running_loop().call_soon(self._runs.start_ready)  # the answer goes first
        return [self._ledger.get(download.id) or download for download in answer]

    async def restore(self, entries: Sequence[Restored]) -> list[Download]:
        """Take those of another list that are not on this one yet, all or nothing. Raises :class:`StoreFull`."""
        added = await restore(entries, self._ledger)
        asyncio.get_running_loop().call_soon(self._runs.start_ready)
        return added

    async def pause(self, download_id: int) -> Download:
        """Stop it; every byte stays. A recording is ended and becomes a finished file. Raises :class:`WrongStatus`."""
        check_transition(self.get(download_id).status, Status.PAUSED)
        if self.get(download_id).phase == "recording":
            self._runs.conclude(download_id)
            return self.get(download_id)
        await self._runs.stop(download_id)
        download = self.get(download_id)
        if not download.status.is_finished:  # it may have ended while it was being stopped
            await self.act("pause", playlists.unfinished_children(download, self._ledger))
            self._ledger.change(replace(jobs.at_rest(download), status=Status.PAUSED, position=None, not_before=None))
            self._runs.start_ready()
        return await self._durable(download_id)

    async def resume(self, download_id: int) -> Download:
        """Go on with a paused one. Raises :class:`WrongStatus`."""
        return await self._enqueue(download_id, Status.PAUSED, "only a paused one can be resumed")

    async def retry(self, download_id: int) -> Download:
        """Try a failed one again, from the bytes that are there. Raises :class:`WrongStatus`."""
        return await self._enqueue(download_id, Status.FAILED, "only a failed one can be retried")

    async def remove(self, download_id: int, *, delete_file: bool = False) -> None:
        """Take it off the list (a running one is stopped first) and its unfinished parts off the disk."""
        await self._runs.stop(download_id)
        download = self.get(download_id)
        entries = playlists.incomplete_children(download, self._ledger)
        self._ledger.remove(download.id)
        self._runs.forget(download_id)
        await self.act("remove", entries)
        finished = filter(None, (download.path, *download.beside)) if delete_file else ()
        parts = jobs.job_folder(download_id, self.server_id, self.options)
        await asyncio.to_thread(disk.delete_files, parts, finished)
        self._runs.settle(download.parent_id)
        await self._ledger.commit()
        self._runs.start_ready()

    async def act(self, action: str, ids: Sequence[int] | None) -> int:
        """``pause``, ``resume``, ``retry`` or ``remove`` every one of ``ids`` (``None``: all) that allows it.

        Returns how many have changed.
        """
        actions: dict[str, Callable[[int], Awaitable[object]]] = {
            "pause": self.pause,
            "resume": self.resume,
            "retry": self.retry,
            "remove": self.remove,
        }
        chosen = [download.id for download in self._ledger] if ids is None else list(dict.fromkeys(ids))
        # The waiting ones first, so that a slot that becomes free starts none of them. All of a kind at once, so that
        # they share one commit.
        waiting = [download_id for download_id in chosen if download_id not in self._runs]
        running = [download_id for download_id in chosen if download_id in self._runs]
        changed = 0
        for group in (waiting, running):
            done = await asyncio.gather(*map(actions[action], group), return_exceptions=True)
            changed += sum(not isinstance(result, Refused) for result in done)
            for result in done:
                if isinstance(result, BaseException) and not isinstance(result, WrongStatus | UnknownDownload):
                    raise result
        return changed

    async def change(self, download_id: int, changes: dict[str, Any]) -> Download:
        """Change ``bytes_per_second_limit``, ``queue``, ``position``, ``title`` or ``url``, also while it runs."""
        download = self.get(download_id)
        request = download.request
        own = {key: value for key, value in changes.items() if key in ("queue", "position", "title")}
        if "position" in own and download.status is not Status.QUEUED:
            raise WrongStatus(f"Download #{download_id} is {download.status}; only a queued one has a position.")
        if "url" in changes:
            request = jobs.readdressed(request, self._checked(changes["url"]))
        if "bytes_per_second_limit" in changes:
            request = replace(request, bytes_per_second_limit=changes["bytes_per_second_limit"])
        self._ledger.change(replace(download, request=request, **own), save=True)
        self._runs.share_rate()
        if request.url != download.request.url:
            await self._runs.go_on_anew(download_id)
        return await self._durable(download_id)

    async def change_settings(self, changes: dict[str, Any]) -> Settings:
        """Change the settings; takes effect at once and is kept."""
        self.settings = self.settings.changed(**changes)
        self._store.put_settings(self.settings.to_record())
        await self._ledger.commit()
        self._runs.apply(self.settings)
        return self.settings

    # -- writing

    def _checked(self, url: str, field: str = "url") -> str:
        address = checked_address(url, field)
        check_never_reached(address, self.options.ports, field)
        return address

    def _on_expanded(self, parent: Download, report: Expanded) -> None:
        self._background.run(self._add_entries(parent, report))

    async def _add_entries(self, parent: Download, report: Expanded) -> None:
        requests = playlists.entry_requests(parent, report, playlists.children(parent, self._ledger))
        try:
            added = [download.id for download in await self.add(requests, parent_id=parent.id)]
        except Refused as error:
            failure = Failure("extraction-failed", str(error), f"{error.code}: an entry of the playlist", True)
            self._ledger.change(replace(jobs.at_rest(self.get(parent.id)), status=Status.FAILED, error=failure))
            return
        now = self._ledger.get(parent.id)  # what was done with it meanwhile is meant for them too
        if now is None or now.status is Status.PAUSED:
            await self.act("pause" if now else "remove", added)
        self._runs.settle(parent.id)

    def _new(
        self, request: Request, start: bool, start_at: datetime | None, queue: str, parent_id: int | None
    ) -> Download:
        download_id = self._ledger.next_id()
        filename = request.filename and safe_name(request.filename)
        return self._ledger.write(
            Download(
                id=download_id,
                request=request,
                created_at=utc_now(),
                status=Status.QUEUED if start else Status.PAUSED,
                filename=filename,
                category=request.category or category_of(filename or urlsplit(request.url).path),
                queue=queue,
                position=download_id if start else None,
                not_before=start_at,
                parent_id=parent_id,
            )
        )

    async def _enqueue(self, download_id: int, required: Status, otherwise: str) -> Download:
        download = self.get(download_id)
        if download.status is not required:
            raise WrongStatus(f"Download #{download_id} is {download.status}; {otherwise}.")
        entries = list(playlists.children(download, self._ledger))
        if entries:
            self._ledger.change(replace(jobs.untried(download), status=Status.DOWNLOADING))
            waiting = [entry.id for entry in entries if entry.status is required]
            await self.act("resume" if required is Status.PAUSED else "retry", waiting)
            self._runs.settle(download_id)
        else:
            self._runs.enqueue(download)
        return await self._durable(download_id)

    async def _durable(self, download_id: int) -> Download:
        await self._ledger.commit()
        return self.get(download_id)
