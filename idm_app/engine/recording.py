"""A live stream, written down piece by piece as it is sent.

The file only ever grows by whole pieces, and a sidecar says up to which piece and byte: a recording that was
interrupted, however rudely, goes on behind what it has.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Protocol

from idm_app.engine.live_playlist import Header, LivePlaylist, Piece
from idm_app.engine.messages import Noted
from idm_app.engine.part_file import disk_failure
from idm_app.engine.surroundings import Stopped
from idm_app.errors import DownloadError

SILENT_SECONDS = 90.0
"""A stream that offers nothing new for so long is over."""
LATE_SECONDS = 10.0
"""So long is waited for a piece that is offered but not there: at the live edge it may come a little later."""
_LOOK_SECONDS = 0.25
_NOT_THERE = frozenset({"not-found", "gone"})
_PASSING = frozenset(
    {"connection-lost", "connection-refused", "host-not-found", "server-busy", "server-error", "timed-out"}
)
"""Failures that a stream may get over by itself."""

CONCLUDED = Noted("concluded")

Note = Callable[[Noted], None]


class Stream(Protocol):
    """Where the pieces come from. All raise :class:`DownloadError`."""

    def offer(self, since: int | None) -> LivePlaylist:
        """What is on offer now; what is before the number ``since`` is not needed."""

    def bring(self, piece: Piece) -> bytes:
        """One piece as it is to be written down."""

    def head(self, header: Header) -> bytes:
        """What has to stand before it."""


class Recording:
    """One stream. ``concluding`` ends it with what is there; ``note`` hears of gaps and ends."""

    def __init__(self, path: Path, stream: Stream, concluding: Event, stopping: Callable[[], bool], note: Note) -> None:
        self._path = path
        self._sidecar = path.with_name(path.name + ".json")
        self._stream = stream
        self._concluding = concluding
        self._stopping = stopping
        self._note = note
        self._next: int | None = None
        self._header: Header | None = None
        self._news_at = time.monotonic()
        self._late: tuple[float, DownloadError] | None = None
        """Since when the next piece is waited for, and how it was refused."""
        self.size_bytes = 0
        self._take_up()

    def run(self) -> None:
        """Record until the stream ends or ``concluding`` is set.

        Raises :class:`DownloadError` if there is nothing, and :class:`Stopped`.
        """
        try:
            self._record()
        except DownloadError as error:
            if self._stopping():
                raise Stopped from error
            if not self._concluding.is_set():
                if not self.size_bytes or error.failure_code == "disk-full":
                    raise
                self._note(Noted("stream-lost", (("error", str(error).rstrip(".")),)))
                return
        if self._concluding.is_set():
            if not self.size_bytes:
                raise DownloadError("no-media", message="The recording was ended before anything had been sent.")
            self._note(CONCLUDED)
        elif not self.size_bytes:
            raise DownloadError("live-not-started")

    def finish_as(self, path: Path) -> None:
        """Give what is there the name ``path``."""
        self._path.replace(path)
        self._sidecar.unlink(missing_ok=True)

    def _record(self) -> None:
        pause_seconds = 1.0
        while not self._concluding.is_set():
            try:
                offer = self._stream.offer(self._next)
                self._add_new(offer)
                if offer.is_ended and not self._is_waiting:
                    return
                pause_seconds = offer.target_seconds / 2
                failure = self._late and self._late[1]
            except DownloadError as error:
                failure = error
                if not self.size_bytes or error.failure_code not in _PASSING:
                    raise
            if time.monotonic() - self._news_at > SILENT_SECONDS:
                if failure:
                    raise failure
                return
            self._wait(pause_seconds)

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._stopping():
                raise Stopped
            if self._concluding.wait(min(left, _LOOK_SECONDS)):
                return

    def _add_new(self, offer: LivePlaylist) -> None:
        """Write down what is new. What is not there is waited for, then left out."""
        for piece in self._new(offer):
            if self._concluding.is_set():
                return
            try:
                content = self._stream.bring(piece)
                if piece.header and piece.header != self._header:
                    content = self._stream.head(piece.header) + content
            except DownloadError as error:
                if error.failure_code not in _NOT_THERE:
                    raise
                self._late = self._late[0] if self._late else time.monotonic(), error
                if self._is_waiting:
                    return
                continue
            if self._next is not None and piece.leaves_out(self._next):
                missing_seconds = (piece.number - self._next) * offer.unit_seconds
                self._note(Noted("gap", (("seconds", f"{missing_seconds:.0f}"),)))
            self._append(piece, content)
            self._late, self._news_at = None, time.monotonic()
        if self._late and not self.size_bytes:
            raise self._late[1]

    @property
    def _is_waiting(self) -> bool:
        return self._late is not None and time.monotonic() - self._late[0] < LATE_SECONDS

    def _new(self, offer: LivePlaylist) -> Sequence[Piece]:
        pieces, since = offer.pieces, self._next
        if not pieces or since is None:
            return pieces
        if pieces[-1].end < since - (pieces[-1].end - pieces[0].number) and not offer.is_ended:
            self._next = None
            return pieces  # the server has begun to count anew; what is less far behind is an old answer
        return [piece for piece in pieces if piece.goes_on_from(since)]

    def _append(self, piece: Piece, content: bytes) -> None:
        try:
            with self._path.open("r+b" if self._path.exists() else "wb") as file:
                file.seek(self.size_bytes)
                file.write(content)
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
            self.size_bytes += len(content)
            self._next, self._header = piece.end, piece.header
            staged = self._sidecar.with_suffix(".new")
            staged.write_text(json.dumps({"next": self._next, "bytes": self.size_bytes, "header": self._header}))
            staged.replace(self._sidecar)
        except OSError as error:
            raise disk_failure(error) from error

    def _take_up(self) -> None:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            record = json.loads(self._sidecar.read_text())
            if self._path.stat().st_size >= record["bytes"]:
                self.size_bytes, self._next = int(record["bytes"]), int(record["next"])
                header = record["header"]
                self._header = (header[0], tuple(header[1]) if header[1] else None) if header else None
