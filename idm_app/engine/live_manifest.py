"""A manifest of DASH as it is at one instant (ISO/IEC 23009-1): which pieces of one representation are on offer. Pure.

Pieces are numbered by the millisecond at which they begin on the server's clock. That goes on from one period to the
next, and when the server was started anew.
"""

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from idm_app.engine.live_playlist import Header, LivePlaylist, Piece

PIECES_BEHIND = 3
"""So many pieces before the newest one a recording begins: not hours back, yet where all is sure to be there."""
_UNIT_SECONDS = 0.001
_USUAL_SECONDS = 2.0
_NUMBER = r"(\d+(?:\.\d*)?)"
_DURATION = re.compile(
    rf"P(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}D)?(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?"
)
_UNITS_SECONDS = (31_536_000, 2_592_000, 86_400, 3600, 60, 1)
_PLACEHOLDER = re.compile(r"\$(?:(RepresentationID|Number|Bandwidth|Time)(?:%0(\d+)d)?)?\$")
_UNSAFE_IN_FORMAT_ID = re.compile(r"[\s,/+\[\]()]")
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Wanted:
    """One representation as yt-dlp knows it: its id is the end of ``format_id``. A later period may have none of that
    id: then it is the one of the same kind (``video`` or ``audio``) whose bit rate is nearest."""

    format_id: str
    kind: str
    bits_per_second: float = 0.0


class Manifest:
    """What was found at ``url``. ``begun_at``: when the stream began, for a manifest that no longer says so.

    Raises ``ValueError`` for what is no manifest.
    """

    def __init__(self, content: bytes, url: str, begun_at: float = 0.0) -> None:
        self._root = _root_of(content)
        self._url = _below(url, self._root)
        begun = self._root.get("availabilityStartTime")
        self.begun_at = instant(begun) if begun else begun_at
        self._is_static = self._root.get("type", "static") == "static"
        self.update_seconds = _seconds(self._root, "minimumUpdatePeriod")
        """How soon it may change; ``None``: it does not say."""
        location = (self._root.findtext("Location") or "").strip()
        self.location = urljoin(url, location) if location else None
        """Where it is to be asked for from now on, if it says so."""
        clocks = self._root.findall("UTCTiming")
        self.clocks = [(clock.get("schemeIdUri", ""), clock.get("value", "")) for clock in clocks]
        """Schemes and values of where the server's time is to be had."""

    def offer(self, wanted: Wanted, now: float, since: int | None) -> LivePlaylist:
        """The pieces that go on from the number ``since``; ``None``: the newest few.

        Raises ``ValueError`` for what is encrypted, or addressed in a way that is unknown here.
        """
        elapsed = math.inf if self._is_static else now - self.begun_at
        tracks = [track for track in self._tracks(wanted) if track.start <= elapsed]
        if not tracks:
            return LivePlaylist((), _USUAL_SECONDS, self._is_static, _UNIT_SECONDS)
        last = tracks[-1]
        if since is None:
            oldest = max(track.edge(elapsed) for track in tracks) - (PIECES_BEHIND - 0.5) * last.usual_seconds
        else:
            oldest = since * _UNIT_SECONDS - self.begun_at
        window = math.inf if self._is_static else _seconds(self._root, "timeShiftBufferDepth") or math.inf
        pieces = [self._piece(track, span) for track in tracks for span in track.spans(oldest, elapsed, window)]
        new = tuple(piece for piece in pieces if since is None or piece.goes_on_from(since))
        is_ended = self._is_static or (last.end is not None and elapsed >= last.end)
        return LivePlaylist(new, last.usual_seconds, is_ended, _UNIT_SECONDS)

    def _piece(self, track: "_Track", span: "_Span") -> Piece:
        zero_at = self.begun_at + track.zero
        begin, end = (zero_at + time / track.timescale for time in (span.time, span.time + span.length))
        return Piece(
            number=round(begin / _UNIT_SECONDS),
            end=round(end / _UNIT_SECONDS),
            url=span.url,
            byte_range=span.byte_range,
            key=None,
            header=track.header,
            zero_at=zero_at,
        )

    def _tracks(self, wanted: Wanted) -> Iterator["_Track"]:
        """The representation in each period."""
        periods = self._root.findall("Period")
        total = _seconds(self._root, "mediaPresentationDuration")
        start: float | None = 0.0
        for period, following in itertools.zip_longest(periods, periods[1:]):
            stated = _seconds(period, "start")
            start = start if stated is None else stated
            if start is None:
                return  # it is only announced
            length = _seconds(period, "duration")
            end = _seconds(following, "start") if following is not None else total
            if end is None and length is not None:
                end = start + length
            if found := _chosen(period, wanted):
                yield _Track([period, *found], _below(self._url, period, *found), start, end)
            start = end


@dataclass(frozen=True, slots=True)
class _Span:
    """One piece; ``time`` and ``length`` in ticks of the media's own clock."""

    time: int
    length: int
    url: str
    byte_range: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class _Run:
    """``count`` pieces of the same length, the first of which is the ``index``-th of its period."""

    time: int
    length: int
    count: int
    index: int


class _Track:
    """One representation in one period, which lasts from ``start`` to ``end``, seconds after the stream began.

    What a level leaves open (``levels``: period, adaptation set, representation) the one above it says.
    """

    def __init__(self, levels: list[Element], url: str, start: float, end: float | None) -> None:
        self.start, self.end = start, end
        self._lasts = math.inf if end is None else end - start
        self._url = url
        tag = "SegmentTemplate" if any(level.find("SegmentTemplate") is not None for level in levels) else "SegmentList"
        self._sources = [source for level in levels for source in level.findall(tag)]
        self._attributes = {name: value for source in self._sources for name, value in source.attrib.items()}
        self._values = {"RepresentationID": levels[-1].get("id", ""), "Bandwidth": int(levels[-1].get("bandwidth", 0))}
        self.timescale = int(self._attributes.get("timescale", 1))
        self._offset = int(self._attributes.get("presentationTimeOffset", 0))
        self._first_number = int(self._attributes.get("startNumber", 1))
        self._length = int(float(self._attributes.get("duration", 0)))
        self._timeline = self._children("SegmentTimeline/S")
        self._listed = self._children("SegmentURL")
        has_names = self._listed or "media" in self._attributes
        if not has_names or self.timescale <= 0 or not (self._timeline or self._length > 0):
            raise ValueError("the manifest does not say where the pieces are")

    @property
    def zero(self) -> float:
        """When the media's own clock stood at 0, in seconds after the stream began."""
        return self.start - self._offset / self.timescale

    @property
    def usual_seconds(self) -> float:
        """How long a piece is."""
        return max((int(s.get("d", 0)) for s in self._timeline), default=self._length) / self.timescale

    @property
    def header(self) -> Header | None:
        """What has to stand before the pieces."""
        if template := self._attributes.get("initialization"):
            return self._filled(template), None
        for element in self._children("Initialization"):
            return urljoin(self._url, element.get("sourceURL", "")), _byte_range(element.get("range"))
        return None

    def edge(self, elapsed: float) -> float:
        """Where the newest piece ends."""
        ends = (run.time + run.length * run.count for run in self._runs(elapsed))
        return self.zero + max(ends, default=self._offset) / self.timescale

    def spans(self, oldest: float, elapsed: float, window: float) -> Iterator[_Span]:
        """The pieces that are there, but for those that end before ``oldest``; ``window``: how long each stays there,
        where they are not listed.
        """
        if not self._timeline and elapsed < math.inf:
            oldest = max(oldest, elapsed - window)
        since = (oldest - self.zero) * self.timescale
        for run in self._runs(elapsed):
            past = math.floor((since - run.time) / run.length) if since > run.time else 0
            for position in range(past, run.count):
                yield self._span(run.index + position, run.time + position * run.length, run.length)

    def _runs(self, elapsed: float) -> Iterator[_Run]:
        elapsed -= self.start  # what may be had while it is still made (availabilityTimeOffset) is waited for
        if not self._timeline:
            yield _Run(self._offset, self._length, self._count(self._length, elapsed, self._lasts), 0)
            return
        time, index = 0, 0
        for s, following in itertools.zip_longest(self._timeline, self._timeline[1:]):
            time, length, repeated = int(s.get("t", time)), int(s.get("d", 0)), int(s.get("r", 0))
            if length <= 0:
                raise ValueError("pieces without length")
            count = repeated + 1
            if repeated < 0:  # as often as it fits in before the next one, or before the end
                past = (time - self._offset) / self.timescale
                stated = following.get("t") if following is not None else None
                until = (int(stated) - self._offset) / self.timescale if stated else self._lasts
                count = self._count(length, math.inf if stated else elapsed - past, until - past)
            yield _Run(time, length, count, index)
            time, index = time + count * length, index + count

    def _count(self, length: int, elapsed: float, lasts: float) -> int:
        """How many pieces of ``length`` are there: those that have ended, of all."""
        seconds = length / self.timescale
        limits = [len(self._listed)] if self._listed else []
        limits += [math.floor(elapsed / seconds + _ROUNDING)] if elapsed < math.inf else []
        limits += [math.ceil(lasts / seconds - _ROUNDING)] if lasts < math.inf else []
        if not limits:
            raise ValueError("pieces without end")
        return max(0, min(limits))

    def _span(self, index: int, time: int, length: int) -> _Span:
        if self._listed:
            if index >= len(self._listed):
                raise ValueError("fewer pieces than lengths")
            listed = self._listed[index]
            url = urljoin(self._url, listed.get("media", ""))
            return _Span(time, length, url, _byte_range(listed.get("mediaRange")))
        url = self._filled(self._attributes["media"], Number=self._first_number + index, Time=time)
        return _Span(time, length, url, None)

    def _filled(self, template: str, **values: int) -> str:
        known = self._values | values

        def fill(found: re.Match[str]) -> str:
            name, width = found.groups()
            return str(known.get(name, found[0])).zfill(int(width or 0)) if name else "$"

        return urljoin(self._url, _PLACEHOLDER.sub(fill, template))

    def _children(self, path: str) -> list[Element]:
        """Those of the innermost level that has any."""
        return next((found for source in reversed(self._sources) if (found := source.findall(path))), [])


def instant(text: str) -> float:
    """A date and time as seconds since 1970; UTC if it names no zone. Raises ``ValueError``."""
    found = datetime.fromisoformat(text.strip())
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _root_of(content: bytes) -> Element:
    if b"<!ENTITY" in content:
        raise ValueError("a manifest that defines entities")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314  without entities there is nothing to expand
    except ElementTree.ParseError as error:
        raise ValueError(f"not a manifest: {error}") from error
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
    if root.tag != "MPD":
        raise ValueError(f"not a manifest but <{root.tag[:40]}>")
    return root


def _chosen(period: Element, wanted: Wanted) -> tuple[Element, Element] | None:
    """Adaptation set and representation. Raises ``ValueError`` if it is encrypted."""
    every = [(group, found) for group in period.findall("AdaptationSet") for found in group.findall("Representation")]
    same_kind = [pair for pair in every if _kind(*pair) == wanted.kind]
    if not same_kind:
        return None

    def distance(pair: tuple[Element, Element]) -> tuple[int, float]:
        name = _UNSAFE_IN_FORMAT_ID.sub("_", pair[1].get("id", ""))
        is_it = wanted.format_id == name or wanted.format_id.endswith(f"-{name}")
        return -len(name) if name and is_it else 1, abs(float(pair[1].get("bandwidth", 0)) - wanted.bits_per_second)

    chosen = min(same_kind, key=distance)
    if any(element.find("ContentProtection") is not None for element in chosen):
        raise ValueError("the stream is encrypted")
    return chosen


def _kind(group: Element, representation: Element) -> str:
    for element in (representation, group):
        for name in ("contentType", "mimeType"):
            if kind := element.get(name, "").partition("/")[0]:
                return kind
    return ""


def _below(url: str, *levels: Element) -> str:
    """The address that what is in ``levels`` is relative to."""
    for level in levels:
        url = urljoin(url, (level.findtext("BaseURL") or "").strip())
    return url


def _seconds(element: Element, name: str) -> float | None:
    """A duration (ISO 8601) among the attributes. Raises ``ValueError``."""
    text = element.get(name)
    if not text:
        return None
    match = _DURATION.fullmatch(text.strip())
    if not match:
        raise ValueError(f"no duration: {text[:40]}")
    return sum(float(part or 0) * unit for part, unit in zip(match.groups(), _UNITS_SECONDS, strict=True))


def _byte_range(text: str | None) -> tuple[int, int] | None:
    if not text:
        return None
    first, _, last = text.partition("-")
    return int(first), int(last) + 1
