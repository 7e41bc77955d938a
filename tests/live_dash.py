"""DASH that is being sent: pieces of a second, picture and sound apart."""

import html
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from fault_server import FaultServer

PICTURE, SOUND = "0", "1"
FRAMES = 24
"""Of the picture, in each piece."""
_PIECES = 6
"""So many there are; they are sent over and over, with the times that they would have."""
_TYPE = "application/dash+xml"
_SCALES = {PICTURE: 12_288, SOUND: 44_100}
_CODECS = {
    PICTURE: 'mimeType="video/mp4" codecs="avc1.42c00c" bandwidth="640000" width="320" height="180"',
    SOUND: 'mimeType="audio/mp4" codecs="mp4a.40.2" bandwidth="64000" audioSamplingRate="44100"',
}


class LiveDash:
    """One stream that began ``BEGUN_SECONDS`` ago; the newest ``WINDOW`` pieces are on offer.

    ``shape``: ``number``, the clock says which pieces there are, sent or not; ``timeline``, the manifest lists what was
    sent, under names after the times; ``periods``, the same, and every five pieces the times of the media begin anew.
    """

    BEGUN_SECONDS = 30
    WINDOW = 10
    PERIOD = 5

    def __init__(
        self, server: FaultServer, path: str, shape: str, knobs: dict[str, Any], sound_later_seconds: float
    ) -> None:
        self.url = server.url(path)
        self.path = path
        self._folder = path.rpartition("/")[0]
        self._server = server
        self._shape = shape
        self._query = f"?{urlencode(knobs)}" if knobs else ""
        self._begun = datetime.now(UTC) - timedelta(seconds=self.BEGUN_SECONDS)
        self.begun_at = self._begun.timestamp()
        self._clock = ""
        self._sent = 0
        self._later_seconds = {PICTURE: 0.0, SOUND: sound_later_seconds}
        self._chunks = {
            (stream, number): server.files[f"{self._folder}/chunk-stream{stream}-{number + 1:05}.m4s"]
            for stream in _SCALES
            for number in range(_PIECES)
        }
        server.real_folders.add(self._folder)
        self.send(self.BEGUN_SECONDS if shape != "number" else 300)

    def send(self, pieces: int = 1, *, streams: str = PICTURE + SOUND, are_last: bool = False) -> None:
        """So many more, of a second each; of ``streams`` only: the others' are lost. ``are_last``: they say so."""
        for number in range(self._sent, self._sent + pieces):
            for stream in streams:
                body, media_type = self._chunks[stream, number % _PIECES]
                body = body.replace(b"msix", b"lmsg", 1) if are_last else body
                ticks = self._ticks(stream, number) - number % _PIECES * _SCALES[stream]
                self._server.files[self._path(stream, number)] = (_moved(body, ticks), media_type)
        self._sent += pieces
        self._put()

    def asked(self, stream: str = PICTURE) -> list[int]:
        """Which pieces were asked for, counted from 0."""
        numbers = range(self._sent + 100)
        return [number for number in numbers if self.requests(number, stream)]

    def end(self, pieces: int | None = None) -> None:
        """It is over, and says so: after what was sent, or after so many pieces in all."""
        self._sent = pieces or self._sent
        self._put(is_over=True)

    def put_clock_forward(self, seconds: float, *, is_asked_for: bool) -> None:
        """The server's clock, of which the manifest tells, or that is to be asked for."""
        self._begun += timedelta(seconds=seconds)
        now = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
        self._server.files[f"{self._folder}/time"] = (now.encode(), "text/plain")
        scheme, value = ("http-iso", "time") if is_asked_for else ("direct", now)
        self._clock = f'<UTCTiming schemeIdUri="urn:mpeg:dash:utc:{scheme}:2014" value="{value}" />'
        self._put()

    def lose(self, numbers: range) -> dict[str, tuple[bytes, str]]:
        """These pieces are not there, though they are on offer. Gives the files, to put them back."""
        paths = [self._path(stream, number) for stream in _SCALES for number in numbers]
        return {path: self._server.files.pop(path) for path in paths}

    def vanish(self) -> None:
        """It is over; a page is in its place."""
        self._server.files[self.path] = (b"<html><body>Thank you for watching.</body></html>", "text/html")

    def requests(self, number: int, stream: str = PICTURE) -> int:
        """How often this piece was asked for."""
        return self._server.stats(self._path(stream, number)).requests

    def _ticks(self, stream: str, number: int) -> int:
        """Where this piece begins, on the clock of its media."""
        second = number % self.PERIOD if self._shape == "periods" else number
        return round((second + self._later_seconds[stream]) * _SCALES[stream])

    def _path(self, stream: str, number: int) -> str:
        if self._shape == "number":
            return f"{self._folder}/{stream}-{number + 1:05}.m4s"
        period = number // self.PERIOD if self._shape == "periods" else 0
        return f"{self._folder}/{stream}-{period}-{self._ticks(stream, number)}.m4s"

    def _put(self, *, is_over: bool = False) -> None:
        """The manifest as it is now."""
        oldest = max(0, self._sent - self.WINDOW)
        length = self.PERIOD if self._shape == "periods" else self._sent
        periods = "".join(
            self._period(start // length, range(max(start, oldest), min(self._sent, start + length)))
            for start in range(oldest - oldest % length, self._sent, length)
        )
        live = f'type="dynamic" availabilityStartTime="{self._begun.isoformat()}" minimumUpdatePeriod="PT0.5S"'
        live += f' timeShiftBufferDepth="PT{self.WINDOW}S"'
        over = f'type="static" mediaPresentationDuration="PT{self._sent}S"'
        text = f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {over if is_over else live}>{self._clock}{periods}</MPD>'
        self._server.files[self.path] = (text.encode(), _TYPE)

    def _period(self, period: int, numbers: range) -> str:
        start = period * self.PERIOD if self._shape == "periods" else 0
        sets = "".join(
            f'<AdaptationSet contentType="{kind}"><Representation id="{stream}" {_CODECS[stream]}>'
            f"{self._template(stream, period, numbers)}</Representation></AdaptationSet>"
            for kind, stream in (("video", PICTURE), ("audio", SOUND))
        )
        return f'<Period id="{period}" start="PT{start}S">{sets}</Period>'

    def _template(self, stream: str, period: int, numbers: range) -> str:
        scale, query = _SCALES[stream], html.escape(self._query)
        names = f'initialization="init-stream$RepresentationID$.m4s?period={period}"'
        if self._shape == "number":
            media = f"$RepresentationID$-$Number%05d$.m4s{query}"
            return f'<SegmentTemplate duration="2" timescale="2" startNumber="1" media="{media}" {names} />'
        first = f'<S t="{self._ticks(stream, numbers[0])}" d="{scale}" r="{len(numbers) - 1}" />'
        names += f' media="$RepresentationID$-{period}-$Time$.m4s{query}"'
        return (
            f'<SegmentTemplate timescale="{scale}" {names}><SegmentTimeline>{first}</SegmentTimeline></SegmentTemplate>'
        )


def _moved(piece: bytes, ticks: int) -> bytes:
    """``piece`` with its time (``tfdt``, version 1) changed by so many ticks."""
    at = piece.index(b"tfdt") + 8
    return piece[:at] + (int.from_bytes(piece[at : at + 8], "big") + ticks).to_bytes(8, "big") + piece[at + 8 :]
