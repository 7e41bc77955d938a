"""Byte counts of all streams, folded into at most 40 reports a second.

Counts are set as bytes arrive; nothing is asked of the disk.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from idm_app.engine.messages import Progressed, Reached, Ready, Report
from idm_app.engine.meter import Meter

REPORT_SECONDS = 0.025
ANNOUNCE_SECONDS = 0.005
"""A small file is over sooner: then what it is and its end are one write, and one reading at the other side."""
_DETAIL_SECONDS = 0.25

SegmentShapes = tuple[tuple[int, int, int], ...]


@dataclass(slots=True)
class StreamCount:
    """How far one stream is. Whoever receives its bytes sets the numbers."""

    name: str
    received_bytes: int = 0
    total_bytes: int | None = None
    total_is_estimate: bool = False
    weight: float | None = None
    """Its share compared with the other streams of the download (their bit rate), for sizes that are not known."""


class Progress:
    """Where the whole download stands, told through ``send``. One thread calls :meth:`tick`."""

    def __init__(
        self, send: Callable[..., None], clock: Callable[[], float] = time.monotonic, *, host: str = ""
    ) -> None:
        self.phase = "downloading"
        self.connections = 0
        self.is_begun = False
        """Nothing is told before the first answer is there."""
        self.bytes_share = 1.0
        """How much of the bar the bytes fill; less where a re-encoding follows."""
        self.segments: Callable[[], SegmentShapes] | None = None
        self._send = send
        self._host = host
        self._announced: list[Report] = []
        self._announced_at = 0.0
        self._clock = clock
        self._streams: list[StreamCount] = []
        self._lanes: list[Lane] = []
        self._meter = Meter()
        self._told: tuple[int, int | None, str, int] | None = None
        self._told_at = clock()
        self._detail_at = float("-inf")

    def send(self, *reports: Report | Ready) -> None:
        """Tell at once, after what was announced."""
        announced, self._announced = self._announced, []
        self._send(*announced, *reports)

    def announce(self, report: Report) -> None:
        """Tell with what comes next, or at the first tick after :data:`ANNOUNCE_SECONDS`."""
        self._announced.append(report)
        self._announced_at = self._clock()

    def reached(self, host: str) -> None:
        """The bytes come from ``host``: told where it is not the one that is known."""
        if host != self._host:
            self._host = host
            self.send(Reached(host))

    def add(self, stream: StreamCount) -> StreamCount:
        """Count ``stream`` too, from now on."""
        self._streams.append(stream)
        return stream

    def replace_streams(self, streams: Iterable[StreamCount]) -> None:
        """Count these and no others from now on."""
        self._streams = list(streams)
        self.segments = None

    @property
    def has_told(self) -> bool:
        """Whether anything was told: what is over at once is not."""
        return self._told is not None

    @property
    def received_bytes(self) -> int:
        """What is there of all streams."""
        return sum(stream.received_bytes for stream in self._streams)

    @property
    def total_bytes(self) -> int | None:
        """The size of all streams, unknown ones guessed from the others; ``None`` as long as that is impossible."""
        known = [stream for stream in self._streams if stream.total_bytes is not None]
        unknown = [stream for stream in self._streams if stream.total_bytes is None]
        if not known:
            return None
        total = sum(stream.total_bytes or 0 for stream in known)
        if not unknown:
            return total
        if any(not stream.weight for stream in self._streams):
            return None
        per_weight = total / sum(stream.weight or 0.0 for stream in known)
        return total + int(sum((stream.weight or 0.0) * per_weight for stream in unknown))

    @property
    def total_is_estimate(self) -> bool:
        """Whether the size of any stream is a guess."""
        return any(stream.total_is_estimate or stream.total_bytes is None for stream in self._streams)

    def open_lane(self) -> "Lane":
        """For a stream that is fetched at the same time as the one that tells."""
        lane = Lane(self.send)
        self._lanes.append(lane)
        return lane

    def close_lane(self, lane: "Lane") -> None:
        """It has ended."""
        self._lanes.remove(lane)

    def tick(self, *, force: bool = False) -> float:
        """Report if something has changed and the last report is old enough.

        Returns the seconds until the next may be due.
        """
        now = self._clock()
        if self._announced and now - self._announced_at >= ANNOUNCE_SECONDS:
            self.send()
        connections = self.connections + sum(lane.connections for lane in self._lanes)
        state = (self.received_bytes, self.total_bytes, self.phase, connections)
        due_in = self._told_at + REPORT_SECONDS - now
        if not self.is_begun or (self._told is None and not state[0] and not force):
            return REPORT_SECONDS
        if due_in > 0 and not force:
            return due_in
        if state == self._told and now - self._told_at < 1.0:  # the falling rate of a stall is told once a second
            return REPORT_SECONDS
        self._meter.update(state[0], now)
        self._report(now, *state)
        return REPORT_SECONDS

    def _report(self, now: float, received: int, total: int | None, phase: str, connections: int) -> None:
        detailed = now - self._detail_at >= _DETAIL_SECONDS
        if detailed:
            self._detail_at = now
        self._told, self._told_at = (received, total, phase, connections), now
        self.send(
            Progressed(
                received_bytes=received,
                total_bytes=total,
                total_is_estimate=total is not None and self.total_is_estimate,
                bytes_per_second=self._meter.bytes_per_second,
                eta_seconds=self._meter.eta_seconds(total),
                phase=phase,
                connections=connections,
                segments=self.segments() if detailed and self.segments else None,
                streams=tuple((s.name, s.received_bytes, s.total_bytes, s.total_is_estimate) for s in self._streams)
                if detailed
                else None,
                bytes_share=self.bytes_share,
            )
        )


class Lane(Progress):
    """What a stream at the side takes for its progress: it is counted with the main one, which tells."""

    def reached(self, host: str) -> None:
        """Tell nothing."""

    def tick(self, *, force: bool = False) -> float:
        """Tell nothing."""
        return REPORT_SECONDS


class Ticking:
    """Calls ``tick`` in a thread of its own as often as reports may go out."""

    def __init__(self, tick: Callable[[], object]) -> None:
        self._tick = tick
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(REPORT_SECONDS):
            self._tick()
