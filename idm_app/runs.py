"""The downloads that run: which may start, what their workers say of them, and when a failed one is tried again.

Event loop only, nothing blocking.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from idm_app import disk, jobs, playlists, schedule
from idm_app.background import Background
from idm_app.engine.messages import Expanded, Failed, Limited, Offered, Reached, Report
from idm_app.engine.supervisor import Supervisor
from idm_app.errors import FAILURES
from idm_app.events import waiting_code
from idm_app.ledger import Ledger
from idm_app.model import Download, Failure, Kind, Status
from idm_app.probes import Probes
from idm_app.room import RoomWatch
from idm_app.settings import Options, Settings
from idm_app.shared_connections import SharedConnections
from idm_app.shared_rate import SharedRate
from idm_app.units import utc_now

_FETCHING = frozenset({Status.PROBING, Status.DOWNLOADING})
_CLEAR_SECONDS = 0.5
"""What has ended meanwhile is cleared away with it, and the processor is for those that run."""


class Runs:
    """Starts what may start, stops what is asked. ``on_expanded`` gets a playlist and its entries."""

    def __init__(
        self,
        ledger: Ledger,
        background: Background,
        server_id: str,
        options: Options,
        settings: Settings,
        on_expanded: Callable[[Download, Expanded], None],
    ) -> None:
        self._ledger = ledger
        self._background = background
        self._server_id = server_id
        self._options = options
        self._settings = settings
        self._on_expanded = on_expanded
        self._supervisor = Supervisor(self._on_report, self._on_exit)
        self.probes = Probes(self._supervisor.ask)
        self.free_space = disk.FreeSpace(options.download_dir)
        self._room = RoomWatch(lambda: ledger, self.free_space.bytes, self.enqueue, self._has_place)
        self._rate = SharedRate(self.running, self._supervisor.limit, settings.bytes_per_second_limit)
        self._connections = SharedConnections(self.running, self._supervisor.allow, settings)
        self._active: set[int] = set()
        self._stopping: set[int] = set()
        self._bytes_at_start: dict[int, int] = {}
        self._to_clear: list[Path] = []
        self._alarm: asyncio.TimerHandle | None = None
        self._closing = False

    async def start(self) -> None:
        """Go on with what the last run left unfinished."""
        await self._supervisor.start()
        for download in self._ledger:
            is_playlist = download.kind is Kind.PLAYLIST
            if download.status.is_running and (not is_playlist or playlists.waits_for_entries(download)):
                self._ledger.change(replace(jobs.at_rest(download), status=Status.QUEUED))
        self._room.begin()
        self.start_ready()

    async def close(self) -> None:
        """Stop every worker, keep every byte. What is unfinished goes on at the next start."""
        self._closing = True
        self._rate.stop()
        self._room.stop()
        if self._alarm:
            self._alarm.cancel()
        active = tuple(self._active)
        await self._supervisor.close()
        for download_id in active:
            self._ledger.write(self._ledger[download_id], save=True)

    def __contains__(self, download_id: int) -> bool:
        return download_id in self._active

    def running(self) -> list[Download]:
        """Those that a worker works on."""
        found = map(self._ledger.get, self._active)
        return [download for download in found if download is not None]

    def apply(self, settings: Settings) -> None:
        """From now on, for those that run too."""
        self._settings = settings
        self._rate.limit(settings.bytes_per_second_limit)
        self._connections.apply(settings)
        self.start_ready()

    def share_rate(self) -> None:
        """A limit has changed."""
        self._rate.share_out()

    def enqueue(self, download: Download) -> None:
        """Let it wait for its turn, as one that was never tried."""
        self._ledger.change(replace(jobs.untried(download), status=Status.QUEUED, position=download.id))
        self.start_ready()

    def start_ready(self) -> None:
        """Start those whose turn it is, and divide rate and connections among all that run."""
        if self._closing:
            return
        now = utc_now()
        free_slots = self._settings.max_active - len(self._active)
        begun = [self._begin(download, now) for download in schedule.startable(self._ledger.queued(), free_slots, now)]
        rates, connections = self._rate.share_out(), self._connections.share_out()
        for download in begun:
            job = jobs.job_for(
                download,
                self._server_id,
                self._settings,
                self._options,
                connections=connections[download.id],
                bytes_per_second_limit=rates[download.id],
            )
            self._supervisor.run(self.probes.informed(job, download.request))
        self._set_alarm(now)

    async def stop(self, download_id: int) -> None:
        """End its worker, if it has one; every byte stays. Returns when it has ended."""
        while download_id in self._active:  # somebody else may have let it go on meanwhile
            self._stopping.add(download_id)
            await self._supervisor.stop(download_id)
            self._stopping.discard(download_id)

    async def go_on_anew(self, download_id: int) -> None:
        """Its address has changed: if bytes come from the old one, they come from the new one from now on."""
        download = self._ledger.get(download_id)
        if download is None or download.status not in _FETCHING or download.phase == "recording":
            return
        await self.stop(download_id)
        download = self._ledger.get(download_id)
        if download is not None and download.status in _FETCHING:  # it may have ended while it was being stopped
            self.enqueue(jobs.at_rest(download))

    def conclude(self, download_id: int) -> None:
        """End a recording; what there is becomes a finished file."""
        self._supervisor.conclude(download_id)

    def forget(self, download_id: int) -> None:
        """It was taken off the list."""
        self._bytes_at_start.pop(download_id, None)

    def settle(self, parent_id: int | None) -> None:
        """Something has changed among a playlist's entries."""
        parent = None if parent_id is None else self._ledger.get(parent_id)
        if parent is not None and parent.status is not Status.COMPLETED:
            self._ledger.change(playlists.settled(parent, self._ledger, utc_now()))

    def _has_place(self, download: Download) -> bool:
        folder = jobs.target_folder(download, self._options)
        return disk.has_place(download.total_bytes or 0, folder, self._options.download_dir)

    def _begin(self, download: Download, now: datetime) -> Download:
        self._active.add(download.id)
        self._bytes_at_start[download.id] = download.received_bytes
        return self._ledger.change(jobs.begun(download, now))

    def _set_alarm(self, now: datetime) -> None:
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        if len(self._active) >= self._settings.max_active:
            return
        instant = schedule.next_instant(self._ledger.queued())
        if instant is not None:
            delay = min(60.0, max(0.05, (instant - now).total_seconds()))  # the clock may be set, or the machine sleep
            self._alarm = asyncio.get_running_loop().call_later(delay, self.start_ready)

    def _on_report(self, download_id: int, report: Report) -> None:
        download = self._ledger.get(download_id)
        if download is None or not download.status.is_running or isinstance(report, Offered):
            return
        if isinstance(report, Reached):
            self._connections.reached(download_id, report.host)
            return
        if isinstance(report, Limited):
            self._connections.learn(download_id, report.host, report.connections)
            return
        if isinstance(report, Failed):
            failure = Failure(report.code, report.message, report.detail, report.retryable)
            self._fail_or_wait(download, failure, report.retry_after_seconds)
            return
        now = self._ledger.change(jobs.applied(download, report, utc_now()))
        if isinstance(report, Expanded):
            self._on_expanded(now, report)
        if now.status is Status.COMPLETED:
            self.settle(now.parent_id)
            self._clear_parts(download_id)

    def _on_exit(self, download_id: int, exit_code: int | None) -> None:
        self._active.discard(download_id)
        self._connections.forget(download_id)
        download = self._ledger.get(download_id)
        asked_to = self._closing or download_id in self._stopping
        if download is not None and not asked_to and download.status.is_running and download.kind is not Kind.PLAYLIST:
            message, retryable = FAILURES["worker-crashed"]
            failure = Failure("worker-crashed", message, f"The worker ended with exit code {exit_code}.", retryable)
            self._fail_or_wait(download, failure, None)
        self.start_ready()

    def _fail_or_wait(self, download: Download, failure: Failure, retry_after_seconds: float | None) -> None:
        headway = download.received_bytes > self._bytes_at_start.get(download.id, 0)
        crowded = failure.code == "server-busy" and self._connections.shares_host(download)  # busy with us, perhaps
        if crowded or (headway and failure.code != "worker-crashed"):
            download = replace(download, attempts=1)  # a new row: what gets further is not given up
        delay = schedule.retry_delay_seconds(
            failure,
            download.attempts,
            made_headway=headway or crowded,
            retry_after_seconds=retry_after_seconds,
            is_begun=download.received_bytes > 0,
        )
        now, resting = utc_now(), replace(jobs.at_rest(download), error=failure)
        if failure.code == "disk-full":
            self._ledger.change(replace(resting, status=Status.PAUSED))
            self._room.begin()
        elif delay is None:
            self._ledger.change(replace(resting, status=Status.FAILED, finished_at=now))
            self.settle(download.parent_id)
        else:
            code, values = waiting_code(failure.code), (("seconds", f"{delay:.0f}"),)
            events = jobs.with_wait(download, now, code, values)
            waiting = replace(resting, status=Status.QUEUED, position=download.id, events=events)
            self._ledger.change(replace(waiting, not_before=now + timedelta(seconds=delay)))

    def _clear_parts(self, download_id: int) -> None:
        """The worker's receipt may go once the list says where the file is. Those that end meanwhile go with it."""
        self._to_clear.append(jobs.job_folder(download_id, self._server_id, self._options))
        if len(self._to_clear) == 1:
            self._background.run(self._clear())

    async def _clear(self) -> None:
        await asyncio.sleep(_CLEAR_SECONDS)
        await self._ledger.commit()
        folders, self._to_clear = self._to_clear, []
        await asyncio.to_thread(disk.delete_parts, folders)
