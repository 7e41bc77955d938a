"""Which bytes of a stream are there, which are being fetched, which are free. Pure arithmetic, half-open ranges."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Segment:
    """``[start, end)``, of which the first ``received`` bytes are there. ``end`` is ``None`` while unknown."""

    start: int
    end: int | None
    received: int = 0
    owned: bool = False
    """Whether a connection is fetching it."""
    promised_end: int | None = None
    """How far its connection's answer will reach, which may be beyond ``end``."""
    replaced: int = 0
    """How often its connection was given up for being slow."""

    @property
    def position(self) -> int:
        """Offset of the next byte."""
        return self.start + self.received

    @property
    def remaining(self) -> int | None:
        """Bytes still to come."""
        return None if self.end is None else self.end - self.position

    @property
    def is_complete(self) -> bool:
        """Whether all of it is there."""
        return self.end is not None and self.position >= self.end


class Segments:
    """A partition of ``[0, total)``; ``total`` is ``None`` while unknown, and then there is one segment."""

    def __init__(self, total: int | None = None) -> None:
        self._segments = [Segment(0, total)]

    @classmethod
    def from_received(cls, total: int, ranges: Iterable[tuple[int, int]]) -> "Segments":
        """The partition in which exactly ``ranges`` (ascending, disjoint) are there.

        Raises ``ValueError`` if they are not ascending and disjoint within ``[0, total)``.
        """
        segments = [Segment(0, total)]
        for start, end in ranges:
            last = segments[-1]
            if not last.position <= start < end <= total:
                raise ValueError(f"not a range of {total} bytes after {last.position}: {start}-{end}")
            if start == last.position:
                last.received += end - start
            else:
                last.end = start
                segments.append(Segment(start, total, end - start))
        partition = cls(total)
        partition._segments = segments
        return partition

    def __iter__(self) -> Iterator[Segment]:
        return iter(self._segments)

    @property
    def total(self) -> int | None:
        """Size of the whole."""
        return self._segments[-1].end

    @property
    def received_bytes(self) -> int:
        """How much of the whole is there."""
        return sum(segment.received for segment in self._segments)

    @property
    def is_complete(self) -> bool:
        """Whether all of it is there."""
        return all(segment.is_complete for segment in self._segments)

    def set_total(self, total: int) -> None:
        """The size has become known."""
        self._segments[-1].end = total

    def received_ranges(self) -> list[tuple[int, int]]:
        """What is there, ascending, neighbours joined."""
        ranges: list[tuple[int, int]] = []
        for segment in self._segments:
            if segment.received:
                if ranges and ranges[-1][1] == segment.start:
                    ranges[-1] = (ranges[-1][0], segment.position)
                else:
                    ranges.append((segment.start, segment.position))
        return ranges

    def free(self) -> Segment | None:
        """The first segment with bytes to come that nobody fetches."""
        return next((s for s in self._segments if not s.owned and not s.is_complete), None)

    def split(self, segment: Segment, at: int) -> Segment:
        """Cut ``segment`` at offset ``at``; the new one behind it is free and nothing of it is there."""
        if segment.end is None or not segment.position <= at < segment.end:
            raise ValueError(f"cannot cut {segment} at {at}")
        behind = Segment(at, segment.end)
        segment.end = at
        self._segments.insert(self._segments.index(segment) + 1, behind)
        return behind

    def give_back(self, segment: Segment, *, over_others: bool) -> list[Segment]:
        """Let the connection before ``segment`` go on through it, if nothing of it is there and its answer reaches.

        ``over_others``: also through segments in between of which nothing is there. Returns the segments that are no
        more; none if it cannot be done.
        """
        index = self._segments.index(segment)
        first = index
        while over_others and first and not self._segments[first - 1].received:
            first -= 1
        before = self._segments[first - 1] if first else None
        if before is None or segment.received or not before.owned or before.is_complete:
            return []
        if segment.end is None or (before.promised_end or 0) < segment.end:
            return []
        before.end = segment.end
        gone = self._segments[first : index + 1]
        del self._segments[first : index + 1]
        return gone

    def compact(self) -> None:
        """Join what needs no border: complete segments with the next, free ones with free ones behind them."""
        joined = [self._segments[0]]
        for segment in self._segments[1:]:
            last = joined[-1]
            if last.is_complete and not last.owned:
                segment.start = last.start
                segment.received += last.received
                joined[-1] = segment
            elif not (last.owned or segment.owned or segment.received):
                last.end = segment.end
            else:
                joined.append(segment)
        self._segments = joined


def kept_share(
    remaining: int, owner_rate: float, thief_rate: float, thieves: int, *, smallest: int, start_seconds: float
) -> int | None:
    """How many of ``remaining`` bytes the owner keeps when one of ``thieves`` takes its share off the end.

    The shares are such that all end together. Rates are bytes per second, above 0. ``smallest`` is the smallest share
    worth a request, which takes ``start_seconds`` to begin. ``None``: leave it to the owner. 0: take all of it, the
    owner is so slow that it is better replaced.
    """
    if remaining <= owner_rate * start_seconds:
        return None
    thieves = min(thieves, remaining // smallest - 1)
    if thieves >= 1:
        kept = remaining - int(remaining / (owner_rate / thief_rate + thieves))
        if remaining - kept >= smallest:
            return kept if kept >= smallest else 0
    if remaining / owner_rate > 2 * (start_seconds + remaining / thief_rate):
        return 0
    return None
