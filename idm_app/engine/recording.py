"""A live stream, written down piece by piece as it is sent.

The file only ever grows by whole pieces, and a sidecar says up to which piece and byte: a recording that was
interrupted, however rudely, goes on behind what it has.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event

from Cryptodome.Cipher import AES
from Cryptodome.Util.Padding import unpad

from idm_app.engine.fragments import FragmentFetcher
from idm_app.engine.live_playlist import Key, LivePlaylist, Piece, parse
from idm_app.engine.messages import Noted
from idm_app.engine.part_file import disk_failure
from idm_app.errors import DownloadError

SILENT_SECONDS = 90.0
"""A stream that offers nothing new for so long is over."""
_AGAIN_SECONDS = 2.0
_GONE = frozenset({"not-found", "gone"})

CONCLUDED = Noted("concluded")

Note = Callable[[Noted], None]


class Recording:
    """One stream of HLS. ``concluding`` ends it with what is there; ``note`` hears of gaps and ends."""

    def __init__(self, path: Path, fetcher: FragmentFetcher, concluding: Event, note: Note) -> None:
        self._path = path
        self._sidecar = path.with_name(path.name + ".json")
        self._fetcher = fetcher
        self._concluding = concluding
        self._note = note
        self._keys: dict[str, bytes] = {}
        self._next: int | None = None
        self._header: object = None
        self.size_bytes = 0
        self._take_up()

    def run(self, url: str, headers: Mapping[str, str]) -> None:
        """Record until the stream ends or ``concluding`` is set. Raises :class:`DownloadError` if there is nothing."""
        news_at = time.monotonic()
        while not self._concluding.is_set():
            try:
                playlist = self._playlist(url, headers)
                if self._add_new(playlist, headers):
                    news_at = time.monotonic()
            except DownloadError as error:
                if self._concluding.is_set():
                    break
                if not self.size_bytes or error.failure_code == "disk-full":
                    raise
                if error.retryable and time.monotonic() - news_at < SILENT_SECONDS:
                    self._concluding.wait(_AGAIN_SECONDS)
                    continue
                self._note(Noted("stream-lost", (("error", str(error).rstrip(".")),)))
                return
            if playlist.is_ended or time.monotonic() - news_at > SILENT_SECONDS:
                return
            self._concluding.wait(playlist.target_seconds / 2)
        if not self.size_bytes:
            raise DownloadError("no-media", message="The recording was ended before anything had been sent.")
        self._note(CONCLUDED)

    def finish_as(self, path: Path) -> None:
        """Give what is there the name ``path``."""
        self._path.replace(path)
        self._sidecar.unlink(missing_ok=True)

    def _playlist(self, url: str, headers: Mapping[str, str]) -> LivePlaylist:
        text = self._fetcher.fetch(url, headers, is_counted=False).decode("utf-8", "replace")
        try:
            return parse(text, url)
        except (ValueError, KeyError, IndexError) as error:
            raise DownloadError(
                "drm-protected" if "encrypted" in str(error) else "extraction-failed", str(error)
            ) from error

    def _add_new(self, playlist: LivePlaylist, headers: Mapping[str, str]) -> bool:
        new = [piece for piece in playlist.pieces if self._next is None or piece.number >= self._next]
        if not new and playlist.pieces and self._next is not None and playlist.pieces[-1].number + 1 < self._next:
            new = list(playlist.pieces)  # the server has begun to count anew
        elif new and self._next is not None and new[0].number > self._next:
            self._note_gap((new[0].number - self._next) * playlist.target_seconds)
        added = False
        for piece in new:
            if self._concluding.is_set():
                break
            try:
                self._append(piece, headers)
                added = True
            except DownloadError as error:
                if error.failure_code not in _GONE:
                    raise
                self._next = piece.number + 1
                self._note_gap(piece.seconds)
        return added

    def _note_gap(self, seconds: float) -> None:
        self._note(Noted("gap", (("seconds", f"{seconds:.0f}"),)))

    def _append(self, piece: Piece, headers: Mapping[str, str]) -> None:
        content = self._fetch(piece.url, piece.byte_range, headers)
        if piece.key:
            content = self._decrypted(content, piece.key, piece.number, headers)
        if piece.header and piece.header != self._header:
            content = self._fetch(*piece.header, headers) + content
        try:
            with self._path.open("r+b" if self._path.exists() else "wb") as file:
                file.seek(self.size_bytes)
                file.write(content)
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise disk_failure(error) from error
        self.size_bytes += len(content)
        self._next, self._header = piece.number + 1, piece.header
        staged = self._sidecar.with_suffix(".new")
        staged.write_text(json.dumps({"next": self._next, "bytes": self.size_bytes, "header": self._header}))
        staged.replace(self._sidecar)

    def _fetch(self, url: str, byte_range: tuple[int, int] | None, headers: Mapping[str, str]) -> bytes:
        wanted = {"Range": f"bytes={byte_range[0]}-{byte_range[1] - 1}"} if byte_range else {}
        return self._fetcher.fetch(url, {**headers, **wanted})

    def _decrypted(self, content: bytes, key: Key, number: int, headers: Mapping[str, str]) -> bytes:
        if key.url not in self._keys:
            self._keys[key.url] = self._fetcher.fetch(key.url, headers, is_counted=False)
        try:
            cipher = AES.new(self._keys[key.url], AES.MODE_CBC, iv=key.iv or number.to_bytes(16, "big"))
            return unpad(cipher.decrypt(content), AES.block_size)
        except ValueError as error:
            raise DownloadError("unexpected-answer", f"a piece cannot be decrypted: {error}") from error

    def _take_up(self) -> None:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            record = json.loads(self._sidecar.read_text())
            if self._path.stat().st_size >= record["bytes"]:
                self.size_bytes, self._next = int(record["bytes"]), int(record["next"])
                header = record["header"]
                self._header = (header[0], tuple(header[1]) if header[1] else None) if header else None
