"""The only writer of downloads. Dashboard, API and command line ask it; workers report to it; feed and store hear it.

Event loop only, nothing blocking. Truth while running is the dictionary here; each change goes through
:meth:`Manager._replace`, which numbers it, publishes it and gives it to the store: at once when the status changes,
seldom for progress (the byte offsets are in the worker's sidecar).
"""

import asyncio
import logging
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from idm_app import jobs, playlists, schedule
from idm_app.address import checked_address
from idm_app.engine.messages import Expanded, Failed, Report
from idm_app.engine.supervisor import Supervisor
from idm_app.errors import FAILURES, Duplicate, FileGone, Refused, StoreFull, UnknownDownload, WrongStatus
from idm_app.feed import Feed, Subscription, snapshot
from idm_app.model import Category, Download, Failure, Kind, Request, Status, check_transition
from idm_app.settings import Options, Settings
from idm_app.store import Store
from idm_app.units import format_instant, utc_now

log = logging.getLogger(__name__)

_SAVE_PROGRESS_EVERY_SECONDS = 5.0
_ACTIONS = ("pause", "resume", "retry", "remove")


class Manager:
    """All downloads, and what can be done with them."""

    def __init__(self, options: Options, store: Store) -> None:
        self.options = options
        self.settings = Settings.from_record(store.settings())
        self.server_id = store.server_id
        self._store = store
        self._feed = Feed()
        self._supervisor = Supervisor(self._on_report, self._on_exit)
        self._downloads: dict[int, Download] = {download.id: download for download in store.downloads()}
        self._queued = {d.id for d in self._downloads.values() if d.status is Status.QUEUED}
        self._active: set[int] = set()
        self._counts = Counter(d.status for d in self._downloads.values())
        self._categories = Counter(d.category for d in self._downloads.values())
        self._revision = max((d.revision for d in self._downloads.values()), default=0)
        self._bytes_at_start: dict[int, int] = {}
        self._saved_at: dict[int, float] = {}
        self._background: set[asyncio.Task[Any]] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._free: tuple[float, int | None] = (float("-inf"), None)
        self._closing = False

    # -- life

    async def start(self) -> None:
        """Go on with what the last run left unfinished."""
        await self._supervisor.start()
        for download in tuple(self._downloads.values()):
            if download.status.is_running and download.kind is not Kind.PLAYLIST:
                self._replace(replace(jobs.at_rest(download), status=Status.QUEUED))
        self._start_ready()

    async def close(self) -> None:
        """Stop every worker, keep every byte, and put the list on disk. Unfinished downloads go on at the next start."""
        self._closing = True
        if self._alarm:
            self._alarm.cancel()
        await self._supervisor.close()
        for download_id in tuple(self._active):
            self._put(self._downloads[download_id])
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._store.close()

    # -- asking

    def get(self, download_id: int) -> Download:
        """One download. Raises :class:`UnknownDownload`."""
        try:
            return self._downloads[download_id]
        except KeyError:
            raise UnknownDownload(download_id) from None

    def newest_first(self) -> Iterable[Download]:
        """All downloads."""
        return reversed(self._downloads.values())

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
        words = text.casefold().split()
        found = [
            download
            for download in self.newest_first()
            if (status is None or download.status is status)
            and (category is None or download.category is category)
            and all(word in _searched(download) for word in words)
        ]
        if sort != "-id":
            field, descending = sort.removeprefix("-"), sort.startswith("-")
            known = [download for download in found if getattr(download, field) is not None]
            known.sort(key=lambda download: getattr(download, field), reverse=descending)
            found = known + [download for download in found if getattr(download, field) is None]
        return found[offset : offset + limit], len(found)

    def finished_file(self, download_id: int) -> Path:
        """Where a finished download's file is. Raises :class:`WrongStatus` before it is done, :class:`FileGone`."""
        download = self.get(download_id)
        if download.status is not Status.COMPLETED:
            raise WrongStatus(f"Download #{download_id} is not finished yet.")
        if download.path is None:
            raise WrongStatus("A playlist has no file of its own; its entries have.")
        path = Path(download.path)
        if path.is_symlink() or not path.is_file():
            raise FileGone(f"The file of download #{download_id} is no longer where it was saved: {path.name}.")
        return path

    def stats(self) -> dict[str, Any]:
        """Counts, total rate, free disk, and how long changes take to reach the clients."""
        running = [self._downloads[download_id] for download_id in self._active]
        return {
            "counts": {status.value: self._counts[status] for status in Status},
            "categories": {category.value: self._categories[category] for category in Category},
            "total": len(self._downloads),
            "bytes_per_second": sum(download.bytes_per_second or 0.0 for download in running),
            "free_bytes": self._free_bytes(),
            "feed": {"subscribers": self._feed.subscribers, **self._feed.latency()},
            "recovery": self._store.recovery,
        }

    def snapshot(self) -> dict[str, Any]:
        """The feed's ``snapshot`` message as it is now."""
        return snapshot(self.newest_first(), self._revision, self.stats())

    def subscribe(self) -> Subscription:
        """A reader of the feed from this moment on. Take :meth:`snapshot` in the same step of the event loop."""
        return self._feed.subscribe(self._revision)

    def sent(self, frame: Any) -> None:
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

        Raises :class:`InvalidAddress` (nothing taken), :class:`Duplicate` (``on_duplicate="ask"``), :class:`StoreFull`.
        """
        checked = [
            replace(request, url=checked_address(request.url, "url" if len(requests) == 1 else f"urls[{number}]"))
            for number, request in enumerate(requests)
        ]
        known = {} if on_duplicate == "again" else {d.request.url: d for d in self._downloads.values()}
        if on_duplicate == "ask" and (twin := next((known[r.url] for r in checked if r.url in known), None)):
            raise Duplicate(
                f"You already have this: #{twin.id}, added {format_instant(twin.created_at)}, {twin.status}. "
                "Send it with on_duplicate=again to download it once more."
            )
        now = utc_now()
        answer, new = [], []
        for request in checked:
            if request.url in known:
                answer.append(known[request.url])
                continue
            download = Download(
                id=self._store.next_id(),
                request=request,
                created_at=now,
                status=Status.QUEUED if start else Status.PAUSED,
                filename=request.filename,
                category=request.category or Category.OTHER,
                queue=queue,
                not_before=start_at,
                parent_id=parent_id,
            )
            download = replace(download, position=download.id if start else None)
            answer.append(download)
            new.append(download)
        self._store.put(*new)
        try:
            await self._store.commit()
        except StoreFull:
            self._store.remove(*(download.id for download in new))
            raise
        added = {download.id: self._replace(download) for download in new}
        self._start_ready()
        return [added.get(download.id, download) for download in answer]

    async def pause(self, download_id: int) -> Download:
        """Stop it; every byte stays. Raises :class:`WrongStatus`."""
        download = self.get(download_id)
        check_transition(download.status, Status.PAUSED)
        if download_id in self._active:
            await self._supervisor.stop(download_id)
            download = self.get(download_id)
            if download.status.is_finished:
                return download
        for child_id in playlists.unfinished_children(download, self._downloads.values()):
            await self.pause(child_id)
        self._replace(replace(jobs.at_rest(download), status=Status.PAUSED, position=None, not_before=None))
        self._start_ready()
        return await self._durable(download_id)

    async def resume(self, download_id: int) -> Download:
        """Go on with a paused one. Raises :class:`WrongStatus`."""
        if self.get(download_id).status is not Status.PAUSED:
            raise WrongStatus(
                f"Download #{download_id} is {self.get(download_id).status}; only a paused one can be resumed."
            )
        return await self._enqueue(download_id)

    async def retry(self, download_id: int) -> Download:
        """Try a failed one again, from the bytes that are there. Raises :class:`WrongStatus`."""
        if self.get(download_id).status is not Status.FAILED:
            raise WrongStatus(
                f"Download #{download_id} is {self.get(download_id).status}; only a failed one can be retried."
            )
        return await self._enqueue(download_id)

    async def remove(self, download_id: int, *, delete_file: bool = False) -> None:
        """Take it off the list (a running one is stopped first) and its unfinished parts off the disk."""
        download = self.get(download_id)
        if download_id in self._active:
            await self._supervisor.stop(download_id)
        for child_id in playlists.unfinished_children(download, self._downloads.values()):
            await self.remove(child_id)
        download = self._downloads.pop(download_id, download)
        await asyncio.to_thread(_delete_files, jobs.job_folder(download_id, self.options), download, delete_file)
        self._forget(download)
        await self._store.commit()
        self._start_ready()

    async def act(self, action: str, ids: Sequence[int] | None) -> int:
        """``pause``, ``resume``, ``retry`` or ``remove`` every one of ``ids`` (``None``: all) that allows it.

        Returns how many have changed.
        """
        chosen = list(self._downloads) if ids is None else [i for i in dict.fromkeys(ids) if i in self._downloads]
        if action in ("pause", "remove"):  # the queued ones first, so that no freed slot starts one of them
            chosen.sort(key=lambda download_id: download_id in self._active)
        changed = 0
        for download_id in chosen:
            if download_id not in self._downloads:
                continue
            try:
                await getattr(self, action)(download_id)
            except WrongStatus:
                continue
            changed += 1
        return changed

    async def change(self, download_id: int, changes: dict[str, Any]) -> Download:
        """Change ``bytes_per_second_limit``, ``queue``, ``position``, ``title`` or ``url``, also while it runs."""
        download = self.get(download_id)
        request = download.request
        if "url" in changes:
            request = replace(request, url=checked_address(changes["url"]))
        if "bytes_per_second_limit" in changes:
            request = replace(request, bytes_per_second_limit=changes["bytes_per_second_limit"])
            self._supervisor.limit(download_id, request.bytes_per_second_limit)
        own = {key: value for key, value in changes.items() if key in ("queue", "position", "title")}
        if "position" in own and download.status is not Status.QUEUED:
            raise WrongStatus(f"Download #{download_id} is {download.status}; only a queued one has a position.")
        self._replace(replace(download, request=request, **own))
        self._put(self._downloads[download_id])
        return await self._durable(download_id)

    async def change_settings(self, changes: dict[str, Any]) -> Settings:
        """Change the settings; takes effect at once and is kept."""
        self.settings = self.settings.changed(**changes)
        self._store.put_settings(self.settings.to_record())
        await self._store.commit()
        self._start_ready()
        return self.settings

    # -- the workers' side

    def _start_ready(self) -> None:
        if self._closing:
            return
        now = utc_now()
        queued = [self._downloads[download_id] for download_id in self._queued]
        for download in schedule.startable(queued, self.settings.max_active - len(self._active), now):
            self._active.add(download.id)
            self._bytes_at_start[download.id] = download.received_bytes
            started = replace(
                download,
                status=Status.PROBING,
                phase="probing",
                started_at=download.started_at or now,
                attempts=download.attempts + 1,
                not_before=None,
                position=None,
                error=None,
            )
            job = jobs.job_for(self._replace(started), self.settings, self.options)
            self._in_background(self._supervisor.run(job))
        self._set_alarm(now)

    def _set_alarm(self, now: datetime) -> None:
        if self._alarm:
            self._alarm.cancel()
        instant = schedule.next_instant(self._downloads[download_id] for download_id in self._queued)
        if instant is not None and len(self._active) < self.settings.max_active:
            delay = max(0.05, (instant - now).total_seconds())
            self._alarm = asyncio.get_running_loop().call_later(min(delay, 3600), self._start_ready)

    def _on_report(self, download_id: int, report: Report) -> None:
        download = self._downloads.get(download_id)
        if download is None or not download.status.is_running:
            return
        match report:
            case Failed():
                failure = Failure(report.code, report.message, report.detail, report.retryable)
                self._fail_or_wait(download, failure, report.retry_after_seconds)
            case Expanded():
                self._replace(jobs.applied(download, report, utc_now()))
                self._in_background(self._add_entries(download_id, report))
            case _:
                self._replace(jobs.applied(download, report, utc_now()))

    def _on_exit(self, download_id: int, exit_code: int | None) -> None:
        self._active.discard(download_id)
        download = self._downloads.get(download_id)
        stopped = self._closing or self._supervisor.is_stopping(download_id)
        if download is not None and not stopped and download.status.is_running and download.kind is not Kind.PLAYLIST:
            message, retryable = FAILURES["worker-crashed"]
            failure = Failure("worker-crashed", message, f"The worker ended with exit code {exit_code}.", retryable)
            self._fail_or_wait(download, failure, None)
        self._start_ready()

    def _fail_or_wait(self, download: Download, failure: Failure, retry_after_seconds: float | None) -> None:
        headway = download.received_bytes > self._bytes_at_start.get(download.id, 0)
        delay = schedule.retry_delay_seconds(
            failure, download.attempts, made_headway=headway, retry_after_seconds=retry_after_seconds
        )
        now, resting = utc_now(), jobs.at_rest(download)
        if delay is None:
            self._replace(replace(resting, status=Status.FAILED, error=failure, finished_at=now))
            self._settle_parent(download)
            return
        events = jobs.with_event(download, "waiting", f"{failure.message} Trying again in {delay:.0f} s.", now)
        not_before = now + timedelta(seconds=delay)
        self._replace(
            replace(
                resting, status=Status.QUEUED, not_before=not_before, position=download.id, events=events, error=failure
            )
        )

    async def _add_entries(self, parent_id: int, report: Expanded) -> None:
        parent = self.get(parent_id)
        try:
            await self.add(playlists.entry_requests(parent, report), parent_id=parent_id)
        except Refused as error:
            failure = Failure("extraction-failed", str(error), f"{error.code}: an entry of the playlist", True)
            self._replace(replace(jobs.at_rest(self.get(parent_id)), status=Status.FAILED, error=failure))
            return
        self._settle_parent(None, parent_id)

    def _settle_parent(self, child: Download | None, parent_id: int | None = None) -> None:
        parent = self._downloads.get((child.parent_id if child else parent_id) or 0)
        if parent is not None and parent.status is Status.DOWNLOADING:
            self._replace(playlists.settled(parent, self._downloads.values(), utc_now()))

    # -- writing

    async def _enqueue(self, download_id: int) -> Download:
        download = self.get(download_id)
        if playlists.is_expanded(download, self._downloads.values()):
            for child in playlists.children(download, self._downloads.values()):
                if child.status in (Status.PAUSED, Status.FAILED):
                    await self._enqueue(child.id)
            self._replace(replace(download, status=Status.DOWNLOADING, error=None, finished_at=None))
            return await self._durable(download_id)
        self._replace(
            replace(download, status=Status.QUEUED, error=None, attempts=0, finished_at=None, position=download_id)
        )
        self._start_ready()
        return await self._durable(download_id)

    async def _durable(self, download_id: int) -> Download:
        await self._store.commit()
        return self.get(download_id)

    def _replace(self, download: Download) -> Download:
        before = self._downloads.get(download.id)
        self._revision += 1
        now = replace(download, revision=self._revision)
        self._downloads[now.id] = now
        self._recount(before, -1)
        self._recount(now, +1)
        self._feed.publish(before, now)
        if before is None or before.status is not now.status:
            (self._queued.add if now.status is Status.QUEUED else self._queued.discard)(now.id)
            self._put(now)
            if now.status is Status.COMPLETED:
                self._settle_parent(now)
        elif time.monotonic() - self._saved_at.get(now.id, 0.0) > _SAVE_PROGRESS_EVERY_SECONDS:
            self._put(now)
        return now

    def _forget(self, download: Download) -> None:
        self._revision += 1
        self._recount(download, -1)
        self._queued.discard(download.id)
        self._bytes_at_start.pop(download.id, None)
        self._saved_at.pop(download.id, None)
        self._store.remove(download.id)
        self._feed.remove(download.id, self._revision)

    def _recount(self, download: Download | None, change: int) -> None:
        if download is not None:
            self._counts[download.status] += change
            self._categories[download.category] += change

    def _put(self, download: Download) -> None:
        self._saved_at[download.id] = time.monotonic()
        self._store.put(download)
        if not self._closing:
            self._in_background(self._store.commit())

    def _in_background(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        self._background.add(task)
        task.add_done_callback(self._on_background_done)

    def _on_background_done(self, task: "asyncio.Task[Any]") -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("in the background: %s", error, exc_info=None if isinstance(error, StoreFull) else error)

    def _free_bytes(self) -> int | None:
        asked_at, free = self._free
        if time.monotonic() - asked_at > 2:
            try:
                free = shutil.disk_usage(self.options.download_dir).free
            except OSError:
                free = None
            self._free = (time.monotonic(), free)
        return free


def _searched(download: Download) -> str:
    return f"{download.title or ''} {download.filename or ''} {download.request.url}".casefold()


def _delete_files(folder: Path, download: Download, delete_file: bool) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if delete_file and download.path is not None:
        path = Path(download.path)
        if path.is_file() and not path.is_symlink():
            path.unlink(missing_ok=True)
