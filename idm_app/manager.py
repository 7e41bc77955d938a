"""What can be done with downloads. Dashboard, API and command line ask it; workers report to it.

The only writer: every change goes through its ledger. Event loop only, nothing blocking.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from idm_app import disk, jobs, playlists, schedule
from idm_app.address import checked_address
from idm_app.engine.messages import Expanded, Failed, Offered, Report
from idm_app.engine.supervisor import Supervisor
from idm_app.errors import FAILURES, Duplicate, Refused, StoreFull, UnknownDownload, WrongStatus
from idm_app.feed import Feed, Frame, Subscription, snapshot
from idm_app.ledger import Ledger
from idm_app.model import Category, Download, Failure, Kind, Request, Status, check_transition
from idm_app.probes import Probes
from idm_app.room import RoomWatch
from idm_app.settings import Options, Settings
from idm_app.shared_rate import SharedRate
from idm_app.store import Store
from idm_app.transfer import Restored, restore
from idm_app.units import format_instant, utc_now

log = logging.getLogger(__name__)


class Manager:
    """All downloads, and what can be done with them."""

    def __init__(self, options: Options, store: Store) -> None:
        self.options = options
        self.settings = Settings.from_record(store.settings())
        self.server_id = store.server_id
        self._store = store
        self._feed = Feed()
        self._ledger = Ledger(store, self._feed)
        self._supervisor = Supervisor(self._on_report, self._on_exit)
        self._probes = Probes(self._supervisor.ask)
        self._active: set[int] = set()
        self._rate = SharedRate(self._running, self._supervisor.limit, self.settings.bytes_per_second_limit)
        self._stopping: set[int] = set()
        self._bytes_at_start: dict[int, int] = {}
        self._background: set[asyncio.Future[Any]] = set()
        self._saving = False
        self._alarm: asyncio.TimerHandle | None = None
        self._free_space = disk.FreeSpace(options.download_dir)
        self._room = RoomWatch(lambda: self._ledger, self._free_space.bytes, self._go_on)
        self._closing = False

    # -- life

    async def start(self) -> None:
        """Go on with what the last run left unfinished."""
        await self._supervisor.start()
        parts = jobs.job_folder(0, self.server_id, self.options).parent
        await asyncio.to_thread(disk.sweep, parts, {d.id for d in self._ledger if d.status is not Status.COMPLETED})
        for download in self._ledger:
            if download.status.is_running and download.kind is not Kind.PLAYLIST:
                self._write(replace(jobs.at_rest(download), status=Status.QUEUED))
        self._room.begin()
        self._start_ready()

    async def close(self) -> None:
        """Stop every worker, keep every byte, put the list on disk. What is unfinished goes on at the next start."""
        self._closing = True
        self._rate.stop()
        self._room.stop()
        if self._alarm:
            self._alarm.cancel()
        active = tuple(self._active)
        await self._supervisor.close()
        for download_id in active:
            self._ledger.write(self._ledger[download_id], save=True)
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._store.close()

    # -- asking

    def get(self, download_id: int) -> Download:
        """One download. Raises :class:`UnknownDownload`."""
        return self._ledger[download_id]

    def newest_first(self) -> Iterable[Download]:
        """All downloads."""
        return self._ledger.newest_first()

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
        request = replace(request, url=checked_address(request.url))
        job = jobs.job_for(Download(0, request, utc_now()), self.server_id, self.settings, self.options)
        return await self._probes.probe(request, job)

    def finished_file(self, download_id: int) -> Path:
        """Where a finished download's file is. Raises :class:`WrongStatus` before it is done, :class:`FileGone`."""
        return disk.finished_file(self.get(download_id))

    def stats(self) -> dict[str, Any]:
        """Counts, total rate, free disk, and how long changes take to reach the clients."""
        running = self._running()
        return {
            **self._ledger.counts(),
            "total": len(self._ledger),
            "bytes_per_second": sum(download.bytes_per_second or 0.0 for download in running),
            "progress": jobs.progress_of(running),
            "free_bytes": self._free_space.bytes(),
            "feed": {"subscribers": self._feed.subscribers, **self._feed.latency()},
            "recovery": self._store.recovery,
        }

    def snapshot(self) -> dict[str, Any]:
        """The feed's ``snapshot`` message as it is now."""
        return snapshot(self.newest_first(), self._ledger.revision, self.stats())

    def subscribe(self) -> Subscription:
        """A reader of the feed from this moment on. Take :meth:`snapshot` in the same step of the event loop."""
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
        requests = [
            replace(request, url=checked_address(request.url, "url" if len(requests) == 1 else f"urls[{number}]"))
            for number, request in enumerate(requests)
        ]
        known = {} if on_duplicate == "again" else {d.request.url: d for d in self._ledger}
        twin = next((known[request.url] for request in requests if request.url in known), None)
        if on_duplicate == "ask" and twin is not None:
            raise Duplicate(
                f"You already have this: #{twin.id}, added {format_instant(twin.created_at)}, {twin.status}. "
                "Send it with on_duplicate=again to download it once more."
            )
        answer, added = [], []
        for request in requests:
            if request.url in known:
                answer.append(known[request.url])
                continue
            download = self._new(request, start, start_at, queue, parent_id)
            known |= {} if on_duplicate == "again" else {request.url: download}
            answer.append(download)
            added.append(download)
            if len(added) % 500 == 0:
                await asyncio.sleep(0)  # a long list is no reason to hold the others up
        try:
            await self._store.commit()
        except StoreFull:
            for download in added:
                self._ledger.remove(download)
            raise
        asyncio.get_running_loop().call_soon(self._start_ready)  # the answer goes first
        return [self._ledger.get(download.id) or download for download in answer]

    async def restore(self, entries: Sequence[Restored]) -> list[Download]:
        """Take those of another list that are not on this one yet, all or nothing. Raises :class:`StoreFull`."""
        added = await restore(entries, self._ledger, self._store)
        asyncio.get_running_loop().call_soon(self._start_ready)
        return added

    async def pause(self, download_id: int) -> Download:
        """Stop it; every byte stays. A recording is ended and becomes a finished file. Raises :class:`WrongStatus`."""
        check_transition(self.get(download_id).status, Status.PAUSED)
        if self.get(download_id).phase == "recording":
            self._supervisor.conclude(download_id)
            return self.get(download_id)
        await self._stop_worker(download_id)
        download = self.get(download_id)
        if not download.status.is_finished:  # it may have ended while it was being stopped
            await self.act("pause", playlists.unfinished_children(download, self._ledger))
            self._write(replace(jobs.at_rest(download), status=Status.PAUSED, position=None, not_before=None))
            self._start_ready()
        return await self._durable(download_id)

    async def resume(self, download_id: int) -> Download:
        """Go on with a paused one. Raises :class:`WrongStatus`."""
        return await self._enqueue(download_id, Status.PAUSED, "only a paused one can be resumed")

    async def retry(self, download_id: int) -> Download:
        """Try a failed one again, from the bytes that are there. Raises :class:`WrongStatus`."""
        return await self._enqueue(download_id, Status.FAILED, "only a failed one can be retried")

    async def remove(self, download_id: int, *, delete_file: bool = False) -> None:
        """Take it off the list (a running one is stopped first) and its unfinished parts off the disk."""
        await self._stop_worker(download_id)
        await self.act("remove", playlists.unfinished_children(self.get(download_id), self._ledger))
        download = self.get(download_id)
        self._ledger.remove(download)
        self._bytes_at_start.pop(download_id, None)
        finished = filter(None, (download.path, *download.beside)) if delete_file else ()
        parts = jobs.job_folder(download_id, self.server_id, self.options)
        await asyncio.to_thread(disk.delete_files, parts, finished)
        await self._store.commit()
        self._start_ready()

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
        waiting = [download_id for download_id in chosen if download_id not in self._active]
        running = [download_id for download_id in chosen if download_id in self._active]
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
            request = replace(request, url=checked_address(changes["url"]))
        if "bytes_per_second_limit" in changes:
            request = replace(request, bytes_per_second_limit=changes["bytes_per_second_limit"])
        self._write(replace(download, request=request, **own), save=True)
        self._rate.share_out()
        return await self._durable(download_id)

    async def change_settings(self, changes: dict[str, Any]) -> Settings:
        """Change the settings; takes effect at once and is kept."""
        self.settings = self.settings.changed(**changes)
        self._store.put_settings(self.settings.to_record())
        await self._store.commit()
        self._rate.limit(self.settings.bytes_per_second_limit)
        self._start_ready()
        return self.settings

    # -- the workers' side

    def _running(self) -> list[Download]:
        found = map(self._ledger.get, self._active)
        return [download for download in found if download is not None]

    def _start_ready(self) -> None:
        if self._closing:
            return
        now = utc_now()
        free_slots = self.settings.max_active - len(self._active)
        for download in schedule.startable(self._ledger.queued(), free_slots, now):
            self._active.add(download.id)
            self._bytes_at_start[download.id] = download.received_bytes
            job = jobs.job_for(self._write(jobs.begun(download, now)), self.server_id, self.settings, self.options)
            job = replace(job, bytes_per_second_limit=self._rate.share_out()[download.id])
            self._in_background(self._supervisor.run(self._probes.informed(job, download.request)))
        self._set_alarm(now)

    def _set_alarm(self, now: datetime) -> None:
        if self._alarm:
            self._alarm.cancel()
        instant = schedule.next_instant(self._ledger.queued())
        if instant is not None and len(self._active) < self.settings.max_active:
            delay = min(60.0, max(0.05, (instant - now).total_seconds()))  # the clock may be set, or the machine sleep
            self._alarm = asyncio.get_running_loop().call_later(delay, self._start_ready)

    def _on_report(self, download_id: int, report: Report) -> None:
        download = self._ledger.get(download_id)
        if download is None or not download.status.is_running or isinstance(report, Offered):
            return
        if isinstance(report, Failed):
            failure = Failure(report.code, report.message, report.detail, report.retryable)
            self._fail_or_wait(download, failure, report.retry_after_seconds)
            return
        now = self._write(jobs.applied(download, report, utc_now()))
        if isinstance(report, Expanded):
            self._in_background(self._add_entries(now, report))
        if now.status is Status.COMPLETED:
            self._settle_parent(now.parent_id)
            self._in_background(self._clear_parts(download_id))

    def _on_exit(self, download_id: int, exit_code: int | None) -> None:
        self._active.discard(download_id)
        self._rate.share_out()
        download = self._ledger.get(download_id)
        asked_to = self._closing or download_id in self._stopping
        if download is not None and not asked_to and download.status.is_running and download.kind is not Kind.PLAYLIST:
            message, retryable = FAILURES["worker-crashed"]
            failure = Failure("worker-crashed", message, f"The worker ended with exit code {exit_code}.", retryable)
            self._fail_or_wait(download, failure, None)
        self._start_ready()

    def _fail_or_wait(self, download: Download, failure: Failure, retry_after_seconds: float | None) -> None:
        headway = download.received_bytes > self._bytes_at_start.get(download.id, 0)
        delay = schedule.retry_delay_seconds(
            failure, download.attempts, made_headway=headway, retry_after_seconds=retry_after_seconds
        )
        now, resting = utc_now(), replace(jobs.at_rest(download), error=failure)
        if failure.code == "disk-full":
            self._write(replace(resting, status=Status.PAUSED))
            self._room.begin()
            return
        if delay is None:
            self._write(replace(resting, status=Status.FAILED, finished_at=now))
            self._settle_parent(download.parent_id)
            return
        events = jobs.with_event(download, "waiting", f"{failure.message} Trying again in {delay:.0f} s.", now)
        again_at = now + timedelta(seconds=delay)
        self._write(replace(resting, status=Status.QUEUED, not_before=again_at, position=download.id, events=events))

    def _go_on(self, download: Download) -> None:
        self._in_background(self.resume(download.id))

    async def _clear_parts(self, download_id: int) -> None:
        """The worker's receipt may go once the list says where the file is."""
        await self._store.commit()
        await asyncio.to_thread(disk.delete_files, jobs.job_folder(download_id, self.server_id, self.options))

    async def _stop_worker(self, download_id: int) -> None:
        self.get(download_id)
        if download_id in self._active:
            self._stopping.add(download_id)
            await self._supervisor.stop(download_id)
            self._stopping.discard(download_id)

    async def _add_entries(self, parent: Download, report: Expanded) -> None:
        try:
            await self.add(playlists.entry_requests(parent, report), parent_id=parent.id)
        except Refused as error:
            failure = Failure("extraction-failed", str(error), f"{error.code}: an entry of the playlist", True)
            parent = replace(jobs.at_rest(self.get(parent.id)), status=Status.FAILED, error=failure)
            self._write(parent)
        self._settle_parent(parent.id)

    def _settle_parent(self, parent_id: int | None) -> None:
        parent = None if parent_id is None else self._ledger.get(parent_id)
        if parent is not None and parent.status is Status.DOWNLOADING:
            self._write(playlists.settled(parent, self._ledger, utc_now()))

    # -- writing

    def _new(
        self, request: Request, start: bool, start_at: datetime | None, queue: str, parent_id: int | None
    ) -> Download:
        download_id = self._ledger.next_id()
        return self._ledger.write(
            Download(
                id=download_id,
                request=request,
                created_at=utc_now(),
                status=Status.QUEUED if start else Status.PAUSED,
                filename=request.filename,
                category=request.category or Category.OTHER,
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
        fresh = replace(download, error=None, attempts=0, finished_at=None)
        entries = list(playlists.children(download, self._ledger))
        if entries:
            self._write(replace(fresh, status=Status.DOWNLOADING))
            waiting = [entry.id for entry in entries if entry.status is required]
            await self.act("resume" if required is Status.PAUSED else "retry", waiting)
            self._settle_parent(download_id)
        else:
            self._write(replace(fresh, status=Status.QUEUED, position=download_id))
            self._start_ready()
        return await self._durable(download_id)

    async def _durable(self, download_id: int) -> Download:
        await self._store.commit()
        return self.get(download_id)

    def _write(self, download: Download, *, save: bool = False) -> Download:
        now = self._ledger.write(download, save=save)
        if not (self._saving or self._closing):
            self._saving = True
            self._in_background(self._save())
        return now

    async def _save(self) -> None:
        self._saving = False
        await self._store.commit()

    def _in_background(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        future = asyncio.ensure_future(coroutine)
        self._background.add(future)
        future.add_done_callback(self._on_background_done)

    def _on_background_done(self, future: "asyncio.Future[Any]") -> None:
        self._background.discard(future)
        if not future.cancelled() and (error := future.exception()):
            log.error("in the background: %s", error, exc_info=None if isinstance(error, StoreFull) else error)
