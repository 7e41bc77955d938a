"""One stream over one or several HTTP connections: split, steal, retry, resume.

It begins with one request; the open answer is the first segment. Once the server has proved that it takes ranges, more
connections join, each taking a part of what another still has to do. All in one thread.
"""

import contextlib
import random
import time
from collections.abc import Callable

from idm_app.engine.allowance import Allowance
from idm_app.engine.answers import Answer, Validators, failure_of
from idm_app.engine.checkpoints import Checkpoints
from idm_app.engine.connection import Connection
from idm_app.engine.decoding import decoder_for
from idm_app.engine.messages import Limited, Noted
from idm_app.engine.part_file import PartFile
from idm_app.engine.pool import Pool
from idm_app.engine.progress import SegmentShapes, StreamCount
from idm_app.engine.proof import Proof
from idm_app.engine.retries import LONGEST_WAIT_SECONDS, TOLD_WAIT_SECONDS, Retries
from idm_app.engine.route import Route
from idm_app.engine.segments import Segment, Segments
from idm_app.engine.source import Source, host_of
from idm_app.engine.stealing import Stealing
from idm_app.engine.surroundings import Stopped, Surroundings
from idm_app.errors import DownloadError
from idm_app.events import waiting_code

MOST_RESTARTS = 3
_NOT_SO_MANY = frozenset({"server-busy", "connection-refused"})
_SURVEY_SECONDS = 0.25
_FIRST_SURVEY_SECONDS = 0.05
"""How long one connection is watched before others join: a small file is there by then."""


class Fetch:
    """Brings one stream into a part file.

    ``connections()``: how many may be open now. ``on_start(answer, total_bytes, first_bytes)`` is called once with the
    first accepted answer; what it raises ends the fetch. ``first_bytes`` is empty when resuming or when there are none.
    """

    def __init__(
        self,
        source: Source,
        part: PartFile,
        count: StreamCount,
        surroundings: Surroundings,
        *,
        connections: Callable[[], int],
        on_start: Callable[[Answer, int | None, bytes], None] = lambda *_: None,
        largest_request_bytes: int | None = None,
    ) -> None:
        now = time.monotonic()
        self._part = part
        self._count = count
        self._around = surroundings
        self._on_start: Callable[[Answer, int | None, bytes], None] | None = on_start
        self._largest_request_bytes = largest_request_bytes
        self._most_connections = connections
        self._allowance = Allowance()
        self._segments = Segments()
        self._route = Route(source)
        self._validators: Validators | None = None
        self._ranges = False
        """Whether the server has shown that it takes ranges."""
        self._asks_for_ranges = True
        self._pool = Pool(source, part, surroundings.bucket, self._judge)
        self._stealing = Stealing(self._pool)
        self._checkpoints = Checkpoints(part, now)
        self._proof: Proof | None = None
        self._retries = Retries(0, now)
        self._restarts = 0
        self._is_restarted = False
        self._not_before = 0.0
        self._survey_at = now

    def run(self) -> int:
        """Fetch all of it. Returns its size in bytes. Raises :class:`DownloadError` or :class:`Stopped`."""
        if left := self._checkpoints.take_up():
            self._segments, self._validators = left
            if self._validators.is_empty and not self._segments.is_complete:
                self._proof = Proof(self._part, self._segments)
            self._retries = Retries(self._segments.received_bytes, time.monotonic())
            self._count.total_bytes = self._segments.total
        self._around.progress.segments = self._shapes
        self._tell()
        try:
            while not self._segments.is_complete:
                if self._around.stopping():
                    raise Stopped
                self._step()
        finally:
            self._close()
        total = self._segments.received_bytes
        if self._part.size_bytes != total:
            raise DownloadError("internal", f"the part file has {self._part.size_bytes} bytes instead of {total}")
        self._count.total_bytes = total
        return total

    def keep(self) -> None:
        """Write down that all of it is there: should it not get its name now, nothing is fetched again for that."""
        if self._validators is not None:
            self._checkpoints.note(self._segments, self._validators)

    # -- the loop

    def _step(self) -> None:
        for connection, code, text in self._pool.perform():
            self._end(connection, code, text)
        for connection in self._pool:
            if connection.is_discarded:
                self._pool.drop(connection)
        now = time.monotonic()
        if now - self._survey_at >= (_SURVEY_SECONDS if len(self._pool) > 1 else _FIRST_SURVEY_SECONDS):
            self._survey_at = now
            for connection, seconds in self._pool.survey(now):
                self._pool.drop(connection)
                self._failed(connection, DownloadError("timed-out", f"no byte for {seconds:.0f} s"))
        self._pool.go_on_after_limit()
        self._open_more(now)
        self._tell()
        if self._checkpoints.is_due(now):
            self._checkpoint(now)
        wait = self._around.progress.tick()
        if not self._segments.is_complete:
            self._pool.wait(wait)

    def _tell(self) -> None:
        self._count.received_bytes = self._segments.received_bytes
        receiving = self._pool.receiving
        self._allowance.took(receiving)
        self._around.progress.connections = receiving

    def _shapes(self) -> SegmentShapes:
        return tuple((s.start, s.end, s.received) for s in self._segments if s.end is not None)

    def _checkpoint(self, now: float) -> None:
        for connection in self._pool:
            connection.flush()
        if self._validators is not None:
            self._checkpoints.write(self._segments, self._validators, now)

    def _close(self) -> None:
        with contextlib.suppress(DownloadError):  # a full disk: the last checkpoint stands
            for connection in self._pool:
                self._pool.drop(connection)
            if not self._segments.is_complete:
                self._checkpoint(time.monotonic())
        self._pool.close()
        self._checkpoints.close()

    # -- connections

    def _open_more(self, now: float) -> None:
        most = self._most_connections()
        wanted = min(self._allowance.at(now), most) if self._ranges and self._asks_for_ranges else 1
        while len(self._pool) < wanted and now >= self._not_before:
            segment = self._segments.free() or self._stolen(wanted - len(self._pool))
            if segment is None:
                return
            self._connect(segment, self._route.url)
        while len(self._pool) > most:  # fewer are allowed than were: what they leave is taken up by those that stay
            self._pool.drop(self._pool.slowest)

    def _stolen(self, thieves: int) -> Segment | None:
        """The share of another connection's segment that a further one should take; ``None``: none is worth it."""
        found = self._stealing.victim(thieves)
        if found is None:
            return None
        victim, kept = found
        segment = victim.segment
        if kept:
            return self._segments.split(segment, segment.position + kept)
        self._pool.drop(victim)
        segment.replaced += 1
        return segment

    def _connect(self, segment: Segment, url: str, redirects: int = 0) -> None:
        if segment.position and not self._asks_for_ranges:
            segment = self._from_the_first_byte()
        if_range = self._validators.if_range if self._validators and segment.position else None
        self._pool.connect(
            segment, url, range_header=self._range_header(segment), if_range=if_range, redirects=redirects
        )

    def _range_header(self, segment: Segment) -> str | None:
        if not self._asks_for_ranges:
            return None
        end = None if segment.end == self._segments.total else segment.end
        if self._largest_request_bytes:
            end = min(segment.end or 1 << 62, segment.position + self._largest_request_bytes)
        return f"bytes={segment.position}-" if end is None else f"bytes={segment.position}-{end - 1}"

    # -- answers

    def _judge(self, connection: Connection, answer: Answer) -> None:
        if connection.is_discarded:
            return
        self._stealing.answered(time.monotonic() - connection.opened_at)
        position = connection.segment.position
        if answer.location is not None:
            return
        match answer.status:
            case 200 | 203 | 206 if answer.is_encoded and self._take_encoded(connection, answer):
                pass
            case 206:
                self._take_part(connection, answer)
            case 200 | 203:  # 203: a proxy has had its hand in it
                self._take_whole(connection, answer)
            case 416 if position == 0 and answer.unsatisfied_total == 0:
                self._begin(connection, answer, 0)
            case 416 if self._asks_for_ranges:
                self._mistrust_ranges(connection)
            case _:
                connection.failure = failure_of(answer, resumed=self._segments.received_bytes > 0)

    def _take_part(self, connection: Connection, answer: Answer) -> None:
        given, length = answer.content_range, answer.length_bytes
        if given is None or given[0] != connection.segment.position or length not in (None, given[1] - given[0]):
            self._mistrust_ranges(connection)
            return
        _, end, total = given
        if self._validators is None:
            if total is None:  # a part, and nobody says of how much: that it is all would be a guess
                self._mistrust_ranges(connection)
                return
            self._ranges = True
            self._begin(connection, answer, total)
        elif self._validators.contradicts(answer.validators) or self._segments.total not in (None, total):
            self._mismatch(connection, None)
            return
        else:
            if total is not None:
                self._ranges = True
                self._segments.set_total(total)
            self._start(connection, answer)
        connection.accept(end)

    def _take_whole(self, connection: Connection, answer: Answer) -> None:
        if self._validators is not None and not (connection.segment.position == 0 and len(self._pool) == 1):
            self._mismatch(connection, answer)
            return
        if self._validators is not None:
            connection.segment = self._from_the_first_byte()
        self._ranges = answer.takes_ranges and answer.length_bytes is not None
        self._begin(connection, answer, answer.length_bytes)
        connection.accept(answer.length_bytes)

    def _take_encoded(self, connection: Connection, answer: Answer) -> bool:
        """Take a compressed body: only whole, and only from its start. ``False``: it is to be kept as it is."""
        decoder = decoder_for(answer.headers["content-encoding"], answer.path_name, answer.media_type)
        if decoder is None:
            return False
        if connection.segment.position or self._validators is not None:
            self._mismatch(connection, None)
            return True
        self._asks_for_ranges = False
        self._begin(connection, answer, None)
        connection.accept(None, decoder)
        return True

    def _begin(self, connection: Connection, answer: Answer, total: int | None) -> None:
        self._retries.was_answered = True
        self._validators = answer.validators
        connection.segment.owned = True
        if total is not None:
            self._segments.set_total(total)
        self._start(connection, answer)

    def _start(self, connection: Connection, answer: Answer) -> None:
        self._around.progress.reached(host_of(connection.url))
        self._count.total_bytes, self._count.total_is_estimate = self._segments.total, False
        if connection.segment.position or self._segments.total == 0:
            self._look(answer, b"")
            if self._proof is not None:
                connection.look = lambda first_bytes: self._compare(connection, first_bytes)
        else:
            connection.look = lambda first_bytes: self._look(answer, first_bytes)

    def _look(self, answer: Answer, first_bytes: bytes) -> None:
        on_start, self._on_start = self._on_start, None
        if on_start is not None:
            on_start(answer, self._segments.total, first_bytes)
        self._around.progress.is_begun = True

    def _compare(self, connection: Connection, first_bytes: bytes) -> None:
        if self._proof is not None and self._proof.fails(connection.segment.position, first_bytes):
            self._forget(same_version=False, keep=None)

    def _mistrust_ranges(self, connection: Connection) -> None:
        """The server cannot do ranges, whatever it says: ask for the whole, once."""
        if not self._asks_for_ranges:
            connection.failure = DownloadError("unexpected-answer", "a part came though the whole was asked for")
            return
        self._asks_for_ranges = False
        self._mismatch(connection, None)

    def _mismatch(self, connection: Connection, whole: Answer | None) -> None:
        """The answer is not of our version, or not of the range. ``whole``: it is the whole file instead."""
        if given_back := self._segments.give_back(connection.segment, over_others=True):
            self._ranges = False  # one answer that goes on to the end is always of one version
            for other in self._pool:
                if other.segment in given_back:
                    other.discard()
            return
        if whole is not None and whole.media_type == "text/html" and self._segments.received_bytes:
            raise DownloadError("address-expired", "a web page came instead of the rest of the file")
        same = not self._asks_for_ranges or (
            whole is not None and self._validators is not None and not self._validators.contradicts(whole.validators)
        )
        self._restarts += not same
        if self._restarts > MOST_RESTARTS:
            raise DownloadError("content-changed", "it does not stay the same long enough to be fetched")
        self._forget(same_version=same, keep=connection if whole else None)
        if whole:
            connection.segment = next(iter(self._segments))
            self._begin(connection, whole, whole.length_bytes)
            connection.accept(whole.length_bytes)

    def _forget(self, *, same_version: bool, keep: Connection | None) -> None:
        """Begin anew at the first byte."""
        if self._segments.received_bytes and not (same_version and self._is_restarted):
            self._is_restarted = True
            reason = "ranges-lost" if same_version else "content-changed"
            self._around.progress.send(Noted(f"restarted.{reason}"))
        for connection in self._pool:
            if connection is not keep:
                connection.discard()
        self._from_the_first_byte()
        self._validators = self._proof = None
        self._ranges = False
        if not same_version:
            self._retries.begin_anew(time.monotonic())

    def _from_the_first_byte(self) -> Segment:
        """Nothing of what has come counts, or is written down, any more: the whole is one segment."""
        self._segments = Segments()
        self._checkpoints.clear()
        return next(iter(self._segments))

    # -- ends

    def _end(self, connection: Connection, code: int, text: str) -> None:
        segment, answer = connection.segment, connection.answer
        if connection.error:
            raise connection.error
        connection.flush()
        if code == 0 and connection.look and not connection.is_receiving:
            connection.look(b"")
        if connection.is_discarded:
            pass
        elif answer is not None and answer.location is not None:
            self._connect(segment, self._route.follow(connection, answer.location), connection.redirects + 1)
        elif connection.failure or (code and not connection.is_cut) or answer is None:
            self._failed(connection, connection.failure or connection.failure_of(code, text))
        elif segment.end is None and connection.is_whole:
            self._segments.set_total(segment.position)
        elif connection.is_cut and segment.end == segment.promised_end:
            raise DownloadError("too-long", f"more than {segment.end} bytes came")
        elif not segment.is_complete and not self._largest_request_bytes:
            self._failed(connection, DownloadError("too-short", f"it ended after {segment.position} bytes"))
        self._segments.compact()

    def _failed(self, connection: Connection, failure: DownloadError) -> None:
        """Decide what the end of one connection means for the whole. Raises ``failure`` if it is the end."""
        now = time.monotonic()
        self._retries.progressed(self._segments.received_bytes, now)
        begins_anew = self._route.begins_anew(connection)
        if self._pool.receiving:
            asked_to_wait = min(failure.retry_after_seconds or 0.0, LONGEST_WAIT_SECONDS)
            self._not_before = max(self._not_before, now + asked_to_wait, now + random.uniform(0.1, 0.3))
            if not (connection.is_receiving or begins_anew):  # refused: so many are not liked
                taken = self._allowance.refused(len(self._pool), now)
                if failure.failure_code in _NOT_SO_MANY:
                    self._around.progress.send(Limited(self._route.host, taken))
                self._segments.give_back(connection.segment, over_others=False)
            return
        if not (failure.retryable or begins_anew):
            raise failure
        delay = self._retries.wait_seconds(failure, now, at_once=connection.is_receiving)
        delay = max(delay, self._not_before - now)
        self._not_before = now + delay
        if delay >= TOLD_WAIT_SECONDS:
            self._around.progress.send(Noted(waiting_code(failure.failure_code), (("seconds", f"{delay:.0f}"),)))
