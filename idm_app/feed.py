"""Everybody sees the same: a snapshot on subscribing, then updates in which the newest value wins.

The manager publishes; each subscriber (a ``/ws`` socket, the dashboard) reads frames at its own pace:

* One beat for all: at most :data:`FRAMES_PER_SECOND` frames a second, the first after a pause at once.
* Values that change faster are folded: only the newest is sent. A ``status`` is never folded away: a frame then holds
  several objects for one download, in order.
* Subscribers that are equally far share one :class:`Frame` and its encoding, so a hundred tabs cost one formatting.
* A subscriber that does not read holds one pending frame of bounded size; past that it gets a fresh snapshot instead.

:func:`resource` is the one place that turns a download into what clients see; ``GET`` answers use it too, so
"snapshot plus updates" and ``GET`` cannot differ.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from idm_app.model import Download, Status
from idm_app.units import format_instant, utc_now

FRAMES_PER_SECOND = 20
MAX_PENDING_UPDATES = 2000
NEWEST_FINISHED = 100
SNAPSHOT_SECONDS = 1.0
"""Readers who come within share one snapshot and what has changed since: to encode one of 10,000 takes 0.1 s."""
_ALWAYS = ("id", "progress", "status", "done", "revision")

Resource = dict[str, Any]


def resource(download: Download) -> Resource:
    """The contract's JSON object for a download."""
    error, is_done = download.error, download.status is Status.COMPLETED
    return {
        "id": download.id,
        "url": download.request.url,
        "kind": download.kind,
        "status": download.status,
        "done": is_done,
        "title": download.title,
        "filename": download.filename,
        "category": download.category,
        "progress": download.progress,
        "received_bytes": download.received_bytes,
        "total_bytes": download.total_bytes,
        "total_is_estimate": download.total_is_estimate,
        "bytes_per_second": download.bytes_per_second,
        "eta_seconds": download.eta_seconds,
        "phase": download.phase,
        "connections": download.connections,
        "error": error
        and {"code": error.code, "message": error.message, "detail": error.detail, "retryable": error.retryable},
        "queue": download.queue,
        "position": download.position,
        "created_at": format_instant(download.created_at),
        "started_at": format_instant(download.started_at),
        "finished_at": format_instant(download.finished_at),
        "file_url": f"/api/downloads/{download.id}/file" if is_done and download.path else None,
        "revision": download.revision,
    }


class Frame:
    """Changes since the frame before, folded. Shared by all subscribers that are equally far; not changed once sent."""

    def __init__(self) -> None:
        self.revision = 0
        self.updates: list[Resource] = []
        self.removed: list[int] = []
        self.opened_at = time.monotonic()
        self._newest: dict[int, Resource] = {}
        self._text: str | None = None

    def add(self, changes: Resource) -> None:
        """Fold ``changes`` in; they hold all of ``id progress status done revision``."""
        self.revision = changes["revision"]
        newest = self._newest.get(changes["id"])
        if newest is not None and newest["status"] == changes["status"]:
            newest.update(changes)
            return
        self._newest[changes["id"]] = changes
        self.updates.append(changes)

    def drop(self, download_id: int, revision: int) -> None:
        """The download is gone."""
        self.revision = revision
        if self._newest.pop(download_id, None):
            self.updates = [update for update in self.updates if update["id"] != download_id]
        self.removed.append(download_id)

    def extended(self, later: "Frame") -> "Frame":
        """A frame that says what this one and then ``later`` say."""
        both = self.after(-1)
        both.absorb(later)
        return both

    def absorb(self, later: "Frame") -> None:
        """Say what ``later`` says as well. Only for a frame that nobody else has."""
        for update in later.updates:
            self.add(dict(update))
        for download_id in later.removed:
            self.drop(download_id, later.revision)

    def after(self, revision: int) -> "Frame":
        """A frame of its own with only what is newer than ``revision``."""
        newer = Frame()
        newer.opened_at = self.opened_at
        for update in self.updates:
            if update["revision"] > revision:
                newer.add(dict(update))
        newer.removed = list(self.removed)
        newer.revision = self.revision
        return newer

    @property
    def text(self) -> str:
        """The contract's ``update`` message, encoded once."""
        if self._text is None:
            message = {"type": "update", "revision": self.revision, "downloads": self.updates, "removed": self.removed}
            self._text = encode({**message, "sent_at": format_instant(utc_now())})
        return self._text


class Subscription:
    """One reader of the feed. What it has not read is folded; past a bound it must take a fresh snapshot."""

    def __init__(self, feed: "Feed", since_revision: int) -> None:
        self._feed = feed
        self._since_revision: int | None = since_revision
        self._pending: Frame | None = None
        self._overflown = False
        self._ready = asyncio.Event()

    async def next(self) -> Frame | None:
        """The next frame. ``None``: too much was missed; subscribe anew and take a fresh snapshot."""
        await self._ready.wait()
        self._ready.clear()
        frame, self._pending = self._pending, None
        return None if self._overflown else frame

    def offer(self, frame: Frame) -> None:
        """Put ``frame`` behind what is pending."""
        if self._since_revision is not None:  # the frame that was open when this reader took its snapshot
            frame, self._since_revision = frame.after(self._since_revision), None
        self._pending = frame if self._pending is None else self._pending.extended(frame)
        if len(self._pending.updates) > MAX_PENDING_UPDATES:
            self._overflown = True
            self.close()
        if self._pending.updates or self._pending.removed:
            self._ready.set()

    def close(self) -> None:
        """No more frames."""
        self._feed.unsubscribe(self)


class Feed:
    """Folds what the manager publishes into frames and hands them to the subscribers. Event loop only."""

    def __init__(self) -> None:
        self._frame = Frame()
        self._flushed_at = float("-inf")
        self._flush_planned = False
        self._subscriptions: set[Subscription] = set()
        self._ages_seconds: deque[float] = deque(maxlen=1000)
        self._snapshot: tuple[int, str, float] | None = None
        """Its revision, its encoding, and until when it is shared."""
        self._since_snapshot = Frame()

    def publish(self, before: Download | None, now: Download) -> None:
        """Tell everybody how a download is now. ``now.revision`` is the newest of all.

        One that was finished may not have been among the newest of a reader's snapshot: it comes whole.
        """
        changes = resource(now)
        if before is not None and not before.status.is_finished:
            old = resource(before)
            changes = {key: value for key, value in changes.items() if key in _ALWAYS or old[key] != value}
        self._open_frame().add(changes)

    def remove(self, download_id: int, revision: int) -> None:
        """Tell everybody that it is gone."""
        self._open_frame().drop(download_id, revision)

    def subscribe(self, since_revision: int) -> Subscription:
        """A new reader, who holds a snapshot of ``since_revision``, the newest. Take both in one step of the loop."""
        subscription = Subscription(self, since_revision)
        self._subscriptions.add(subscription)
        return subscription

    def follow(self, take: Callable[[], Mapping[str, Any]]) -> tuple[str, Subscription]:
        """An encoded snapshot, made by ``take`` if there is no fresh one, and a new reader of all that comes after."""
        if self._snapshot is None or time.monotonic() > self._snapshot[2]:
            message = take()
            self._snapshot = message["revision"], encode(message), time.monotonic() + SNAPSHOT_SECONDS
            self._since_snapshot = Frame()
        revision, text, _ = self._snapshot
        subscription = self.subscribe(revision)
        if self._since_snapshot.revision:
            since = self._since_snapshot.after(revision)
            since.opened_at = time.monotonic()
            subscription.offer(since)
        return text, subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a reader."""
        self._subscriptions.discard(subscription)

    def sent(self, frame: Frame) -> None:
        """A reader has passed ``frame`` on: how old its oldest change was then goes into :meth:`latency`."""
        self._ages_seconds.append(time.monotonic() - frame.opened_at)

    def latency(self) -> dict[str, float | None]:
        """Age of the oldest change in the newest 1,000 frames when they were sent: percentiles, milliseconds."""
        ages = sorted(self._ages_seconds)
        at = {"p50_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99}
        return {
            name: round(ages[int(share * (len(ages) - 1))] * 1000, 2) if ages else None for name, share in at.items()
        }

    @property
    def subscribers(self) -> int:
        """How many read."""
        return len(self._subscriptions)

    def _open_frame(self) -> Frame:
        if not self._flush_planned:
            self._flush_planned = True
            self._frame = Frame()
            wait = self._flushed_at + 1 / FRAMES_PER_SECOND - time.monotonic()
            asyncio.get_running_loop().call_later(max(0, wait), self._flush)
        return self._frame

    def _flush(self) -> None:
        self._flush_planned = False
        self._flushed_at = time.monotonic()
        if self._snapshot is not None:
            self._since_snapshot.absorb(self._frame)
            if len(self._since_snapshot.updates) > MAX_PENDING_UPDATES or self._flushed_at > self._snapshot[2]:
                self._snapshot = None
        for subscription in tuple(self._subscriptions):
            subscription.offer(self._frame)


def encode(message: Mapping[str, Any]) -> str:
    """One text frame."""
    return orjson.dumps(message).decode()


def snapshot(downloads: Iterable[Download], revision: int, stats: Mapping[str, Any]) -> dict[str, Any]:
    """The contract's ``snapshot`` message of ``downloads`` (newest first): the unfinished, and the newest finished."""
    finished = 0
    shown = []
    for download in downloads:
        if download.status.is_finished:
            finished += 1
            if finished > NEWEST_FINISHED:
                continue
        shown.append(resource(download))
    return {"type": "snapshot", "revision": revision, "downloads": shown, "stats": stats}
