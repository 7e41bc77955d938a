"""One stream over one or several HTTP connections: split, steal, retry, resume.

It begins with one request; the open answer is the first segment. Once the server has proved that it takes ranges, more
connections join, each taking a part of what another still has to do. Runs in one thread on libcurl's multi interface.
"""

import random
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pycurl

from idm_app.engine.answers import Answer, Validators, failure_of
from idm_app.engine.connection import Connection
from idm_app.engine.messages import Noted
from idm_app.engine.part_file import PartFile, Ranges, Sidecar, boot_id
from idm_app.engine.progress import Progress, SegmentShapes, StreamCount
from idm_app.engine.segments import Segment, Segments, kept_share
from idm_app.engine.source import MAX_REDIRECTS, Source, checked_target, redirected
from idm_app.engine.throttle import TokenBucket
from idm_app.errors import DownloadError

SMALLEST_SEGMENT_BYTES = 256 << 10
STALL_SECONDS = 10.0
ANSWER_SECONDS = 30.0
MOST_TRIES = 7
MOST_RESTARTS = 3
_LONGEST_WAIT_SECONDS = 30.0
_LONGEST_WITHOUT_PROGRESS_SECONDS = 45.0
_SURVEY_SECONDS = 0.25
_CHECKPOINT_SECONDS = 0.5
_SYNC_SECONDS = 5.0
_UNREACHABLE = frozenset({"host-not-found", "connection-refused"})


class Stopped(Exception):
    """The worker was told to stop. Not an error: everything received is kept."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a fetch shares with the rest of its worker."""

    bucket: TokenBucket
    progress: Progress
    stopping: Callable[[], bool]


class Fetch:
    """Brings one stream into a part file.

    ``on_start(answer, total_bytes, first_bytes)`` is called once with the first accepted answer; what it raises ends
    the fetch. ``first_bytes`` is empty when resuming or when there are none.
    """

    def __init__(
        self,
        source: Source,
        part: PartFile,
        count: StreamCount,
        surroundings: Surroundings,
        *,
        connections: int,
        on_start: Callable[[Answer, int | None, bytes], None] = lambda *_: None,
        largest_request_bytes: int | None = None,
    ) -> None:
        self._source = source
        self._part = part
        self._count = count
        self._around = surroundings
        self._on_start: Callable[[Answer, int | None, bytes], None] | None = on_start
        self._largest_request_bytes = largest_request_bytes
        self._allowed = connections
        self._segments = Segments()
        self._url = checked_target(source.url, source.reach)
        self._validators: Validators | None = None
        self._ranges = False
        self._ask_for_range = True
        self._cookie_lines = source.cookie_lines()
        self._worth_seconds = 0.2
        self._multi = pycurl.CurlMulti()
        self._share = pycurl.CurlShare()
        self._open: dict[Any, Connection] = {}
        self._tries = 0
        self._restarts = 0
        self._high_water = 0
        self._answered = False
        self._progress_at = time.monotonic()
        self._not_before = 0.0
        self._survey_at = self._checkpoint_at = self._synced_at = time.monotonic()
        self._synced: Ranges = ()
        self._syncing: threading.Thread | None = None

    def run(self) -> int:
        """Fetch all of it. Returns its size in bytes. Raises :class:`DownloadError` or :class:`Stopped`."""
        for kind in (pycurl.LOCK_DATA_COOKIE, pycurl.LOCK_DATA_DNS, pycurl.LOCK_DATA_SSL_SESSION):
            self._share.setopt(pycurl.SH_SHARE, kind)
        self._take_up()
        self._around.progress.segments = self._shapes
        try:
            while not self._segments.is_complete:
                if self._around.stopping():
                    raise Stopped
                self._step()
        finally:
            self._close()
        self._around.progress.tick(force=True)
        total = self._segments.received_bytes
        if self._part.size_bytes != total:
            raise DownloadError("internal", f"the part file has {self._part.size_bytes} bytes instead of {total}")
        return total

    # -- the loop

    def _step(self) -> None:
        while self._multi.perform()[0] == pycurl.E_CALL_MULTI_PERFORM:
            pass
        self._read_ends()
        now = time.monotonic()
        if now - self._survey_at >= _SURVEY_SECONDS:
            self._survey(now)
        self._go_on_after_limit()
        self._open_more(now)
        self._tell()
        if now - self._checkpoint_at >= _CHECKPOINT_SECONDS:
            self._checkpoint(now)
        wait = self._around.progress.tick()
        if not self._segments.is_complete:
            self._multi.select(min(wait, 0.1))

    def _tell(self) -> None:
        self._count.received_bytes = self._segments.received_bytes
        self._around.progress.connections = sum(c.is_receiving for c in self._open.values())

    def _shapes(self) -> SegmentShapes:
        return tuple((s.start, s.end, s.received) for s in self._segments if s.end is not None)

    def _read_ends(self) -> None:
        while True:
            left, done, failed = self._multi.info_read()
            for handle in done:
                self._end(handle, 0, "")
            for handle, code, text in failed:
                self._end(handle, code, text)
            if not left:
                return

    def _go_on_after_limit(self) -> None:
        for connection in self._open.values():
            if connection.is_paused and self._around.bucket.wait_seconds() == 0:
                connection.resume()

    def _survey(self, now: float) -> None:
        """Measure every connection; replace those from which nothing comes."""
        self._survey_at = now
        for connection in list(self._open.values()):
            position = connection.segment.position
            moved, passed = position - connection.seen_position, now - connection.seen_at
            if connection.is_receiving and passed > 0 and (moved or passed > 1):
                rate, before = moved / passed, connection.bytes_per_second
                connection.bytes_per_second = rate if before is None else (rate + before) / 2
            if moved or connection.is_paused:
                connection.seen_at, connection.seen_position = now, position
            elif passed > (STALL_SECONDS if connection.answer else ANSWER_SECONDS):
                self._drop(connection)
                self._failed(connection, DownloadError("timed-out", f"no byte for {passed:.0f} s"))

    # -- connections

    def _open_more(self, now: float) -> None:
        wanted = self._allowed if self._ranges else 1
        while len(self._open) < wanted and now >= self._not_before:
            segment = self._segments.free() or self._stolen(wanted - len(self._open))
            if segment is None:
                return
            self._connect(segment, self._url)

    def _stolen(self, thieves: int) -> Segment | None:
        """The share of another connection's segment that a further one should take; ``None``: none is worth it."""
        candidates = [c for c in self._open.values() if c.is_receiving and c.segment.remaining]
        if not candidates:
            return None
        rates = [c.bytes_per_second for c in candidates if c.bytes_per_second]
        usual = statistics.median(rates) if rates else None
        victim = max(candidates, key=lambda c: (c.segment.remaining or 0) / (c.bytes_per_second or usual or 1.0))
        remaining = victim.segment.remaining or 0
        kept = kept_share(remaining, victim.bytes_per_second, usual, thieves, SMALLEST_SEGMENT_BYTES)
        if kept is None or remaining < (victim.bytes_per_second or 0.0) * self._worth_seconds:
            return None
        if kept == 0:
            self._drop(victim)
            victim.segment.owned = False
            return victim.segment
        return self._segments.split(victim.segment, victim.segment.position + kept)

    def _connect(self, segment: Segment, url: str, redirects: int = 0) -> None:
        segment.owned, segment.promised_end = True, None
        connection = Connection(
            segment,
            url,
            source=self._source,
            part=self._part,
            bucket=self._around.bucket,
            judge=self._judge,
            redirects=redirects,
        )
        if_range = self._validators.if_range if self._validators and segment.position else None
        handle = connection.open(self._share, self._range_header(segment), if_range)
        while self._cookie_lines:
            handle.setopt(pycurl.COOKIELIST, self._cookie_lines.pop())
        self._multi.add_handle(handle)
        self._open[handle] = connection

    def _range_header(self, segment: Segment) -> str | None:
        if not self._ask_for_range:
            return None
        end = None if segment.end == self._segments.total else segment.end
        if self._largest_request_bytes:
            end = min(end or 1 << 62, segment.position + self._largest_request_bytes)
        return f"bytes={segment.position}-" if end is None else f"bytes={segment.position}-{end - 1}"

    def _drop(self, connection: Connection) -> None:
        """Close it, keeping what has arrived."""
        connection.flush()
        self._multi.remove_handle(connection.curl)
        del self._open[connection.curl]
        connection.curl.close()

    # -- answers

    def _judge(self, connection: Connection, answer: Answer) -> None:
        self._answered = True
        self._worth_seconds = max(self._worth_seconds, 2 * (time.monotonic() - connection.opened_at))
        if answer.location is not None:
            return
        match answer.status:
            case 206:
                self._take_part(connection, answer)
            case 200:
                self._take_whole(connection, answer)
            case 416 if connection.segment.position == 0 and answer.unsatisfied_total == 0:
                self._begin(connection, answer, 0)
            case 416 if connection.segment.position == 0:
                self._ask_for_range = False
                connection.failure = DownloadError("unexpected-answer", "HTTP 416 for the whole file")
            case 416:
                self._mismatch(connection, None)
            case _:
                connection.failure = failure_of(answer, resumed=self._segments.received_bytes > 0)

    def _take_part(self, connection: Connection, answer: Answer) -> None:
        given = answer.content_range
        if given is None or given[0] != connection.segment.position:
            self._ranges = self._ask_for_range = False
            connection.failure = DownloadError("unexpected-answer", answer.headers.get("content-range", "no range"))
            return
        _, end, total = given
        if self._validators is None:
            self._ranges = total is not None
            self._begin(connection, answer, total)
        elif total != self._segments.total or self._validators.contradicts(answer.validators):
            self._mismatch(connection, None)
            return
        else:
            self._ranges = True
            self._start(connection, answer)
        connection.accept(end)

    def _take_whole(self, connection: Connection, answer: Answer) -> None:
        if self._validators is None or (connection.segment.position == 0 and len(self._open) == 1):
            if self._validators is not None:
                self._segments = Segments()
                connection.segment = next(iter(self._segments))
            self._ranges = answer.takes_ranges and answer.length_bytes is not None
            self._begin(connection, answer, answer.length_bytes)
            connection.accept(answer.length_bytes)
        else:
            self._mismatch(connection, answer)

    def _begin(self, connection: Connection, answer: Answer, total: int | None) -> None:
        self._validators = answer.validators
        connection.segment.owned = True
        if total is not None:
            self._segments.set_total(total)
        self._start(connection, answer)

    def _start(self, connection: Connection, answer: Answer) -> None:
        self._count.total_bytes, self._count.total_is_estimate = self._segments.total, False
        if connection.segment.position or self._segments.total == 0:
            self._look(answer, b"")
        else:
            connection.look = lambda first_bytes: self._look(answer, first_bytes)

    def _look(self, answer: Answer, first_bytes: bytes) -> None:
        on_start, self._on_start = self._on_start, None
        if on_start is not None:
            on_start(answer, self._segments.total, first_bytes)
        self._around.progress.is_begun = True

    def _mismatch(self, connection: Connection, whole: Answer | None) -> None:
        """The answer is not of our version, or not of the range. ``whole``: it is the whole file instead."""
        if self._segments.give_back(connection.segment):
            self._ranges = False  # one answer that goes on to the end is always of one version
            connection.discard()
            return
        self._restarts += 1
        if self._restarts > MOST_RESTARTS:
            raise DownloadError("content-changed", "it does not stay the same long enough to be fetched")
        changed = whole is None or (self._validators or Validators()).contradicts(whole.validators)
        self._forget(keep=connection if whole else None)
        reason = "The file on the server has changed" if changed else "The server cannot go on in the middle"
        self._around.progress.send(Noted("restarted", f"{reason}, so it is fetched anew."))
        if whole:
            connection.segment = next(iter(self._segments))
            self._begin(connection, whole, whole.length_bytes)
            connection.accept(whole.length_bytes)

    def _forget(self, keep: Connection | None) -> None:
        for connection in self._open.values():
            if connection is not keep:
                connection.discard()
        self._segments = Segments()
        self._validators = None
        self._ranges = False
        self._high_water = 0
        self._synced = ()
        self._part.clear()

    # -- ends

    def _end(self, handle: Any, code: int, text: str) -> None:
        connection = self._open.pop(handle)
        self._multi.remove_handle(handle)
        segment, answer = connection.segment, connection.answer
        segment.owned = False
        if connection.error:
            raise connection.error
        connection.flush()
        if code == 0 and connection.look and not connection.is_receiving:
            connection.look(b"")
        if connection.is_discarded:
            pass
        elif answer is not None and answer.location is not None:
            self._follow(connection, answer.location)
        elif connection.failure or (code and not connection.cut) or answer is None:
            self._failed(connection, connection.failure or connection.failure_of(code, text))
        elif segment.end is None:
            self._segments.set_total(segment.position)
        elif connection.cut and segment.end == segment.promised_end:
            raise DownloadError("too-long", f"more than {segment.end} bytes came")
        elif not segment.is_complete and not self._largest_request_bytes:
            self._failed(connection, DownloadError("too-short", f"{segment.remaining} bytes are missing"))
        handle.close()
        self._segments.compact()

    def _follow(self, connection: Connection, location: str) -> None:
        if connection.redirects >= MAX_REDIRECTS:
            raise DownloadError("too-many-redirects", connection.url)
        target = redirected(connection.url, location, self._source.reach)
        self._url = target
        self._connect(connection.segment, target, connection.redirects + 1)

    def _failed(self, connection: Connection, failure: DownloadError) -> None:
        now = time.monotonic()
        connection.segment.owned = False
        if self._segments.received_bytes > self._high_water:
            self._high_water, self._tries, self._progress_at = self._segments.received_bytes, 0, now
        if any(other.is_receiving for other in self._open.values()):
            self._not_before = now + random.uniform(0.1, 0.3)
            if not connection.is_receiving:  # refused: so many are not liked
                self._allowed = max(1, len(self._open))
                self._segments.give_back(connection.segment)
            return
        if self._url != self._source.url and connection.answer and connection.answer.status in (401, 403, 404, 410):
            self._url = self._source.url  # where the redirect led has expired, perhaps
        elif not (failure.retryable or (connection.answer and not self._ask_for_range and self._tries == 0)):
            raise failure
        self._wait(failure, now)

    def _wait(self, failure: DownloadError, now: float) -> None:
        """Set when to try again. Raises ``failure`` when enough was tried."""
        self._tries += 1
        most = MOST_TRIES if self._answered or failure.failure_code not in _UNREACHABLE else 2
        delay = min(5.0, 0.3 * 2 ** (self._tries - 1)) * random.uniform(0.8, 1.2)
        delay = max(delay, failure.retry_after_seconds or 0.0)
        too_long = self._tries > 1 and now - self._progress_at > _LONGEST_WITHOUT_PROGRESS_SECONDS
        if self._tries >= most or too_long or delay > _LONGEST_WAIT_SECONDS:
            raise failure
        self._not_before = now + delay
        if delay >= 2:
            self._around.progress.send(Noted("waiting", f"{failure} Trying again in {delay:.0f} s."))

    # -- resuming

    def _take_up(self) -> None:
        """Go on from what an earlier run left."""
        sidecar = self._part.read_sidecar()
        if sidecar is not None and sidecar.trusted:
            try:
                self._segments = Segments.from_received(sidecar.total_bytes, sidecar.trusted)
            except ValueError:
                sidecar = None
        if sidecar is None or not sidecar.trusted:
            self._part.clear()
            return
        self._validators = Validators(sidecar.etag, sidecar.last_modified)
        self._synced = sidecar.synced
        self._high_water = self._segments.received_bytes
        self._count.total_bytes = sidecar.total_bytes
        self._tell()

    def _checkpoint(self, now: float) -> None:
        """Write down what is there. The disk itself is waited for in another thread."""
        self._checkpoint_at = now
        for connection in self._open.values():
            connection.flush()
        total, validators = self._segments.total, self._validators
        if total is None or validators is None:
            return
        received = tuple(self._segments.received_ranges())
        sidecar = Sidecar(total, received, self._synced, validators.etag, validators.last_modified, boot_id())
        self._part.write_sidecar(sidecar)
        if now - self._synced_at >= _SYNC_SECONDS and not (self._syncing and self._syncing.is_alive()):
            self._synced_at = now
            self._syncing = threading.Thread(target=self._sync, args=(received,), daemon=True)
            self._syncing.start()

    def _sync(self, received: Ranges) -> None:
        self._part.sync()
        self._synced = received

    def _close(self) -> None:
        for connection in list(self._open.values()):
            self._drop(connection)
        self._multi.close()
        if not self._segments.is_complete:
            self._checkpoint(time.monotonic())
        if self._syncing:
            self._syncing.join(timeout=0.2)
