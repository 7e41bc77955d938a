"""Live streams of HLS and DASH: what each offers now, and its pieces as they are to be written down."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin

from Cryptodome.Cipher import AES
from Cryptodome.Util.Padding import unpad

from idm_app.engine.answers import Answer
from idm_app.engine.fragments import FragmentFetcher
from idm_app.engine.live_manifest import Manifest, Wanted, instant
from idm_app.engine.live_playlist import Header, Key, LivePlaylist, Piece, parse
from idm_app.engine.media_times import is_last, moved, timescales
from idm_app.errors import DownloadError

_NEAR_MS = 60_000
"""Times of one stream that are farther apart are not of the same clock, or not of the same broadcast."""
_ROOM_SECONDS = 60.0
"""A recording begins so late in its file's time: what comes to lie before the others' beginning has room there."""
_CLOCK_SECONDS = 3.0
"""By so much the date of an answer may be off: it has no fractions, and was on its way."""
_STALE_SECONDS = 5.0
"""A manifest that does not say how soon it may change is asked for again after this."""


class _Stream:
    """What both have in common."""

    def __init__(self, fetcher: FragmentFetcher, url: str, headers: Mapping[str, str]) -> None:
        self._fetcher = fetcher
        self._url = url
        self._headers = headers
        self._heads: dict[Header, bytes] = {}

    def head(self, header: Header) -> bytes:
        """What has to stand before pieces. Raises :class:`DownloadError`."""
        if header not in self._heads:
            self._heads = {header: self._fetch(*header)}
        return self._heads[header]

    def _fetch(self, url: str, byte_range: tuple[int, int] | None) -> bytes:
        wanted = {"Range": f"bytes={byte_range[0]}-{byte_range[1] - 1}"} if byte_range else {}
        return self._fetcher.fetch(url, {**self._headers, **wanted})


class HlsStream(_Stream):
    """HLS."""

    def __init__(self, fetcher: FragmentFetcher, url: str, headers: Mapping[str, str]) -> None:
        super().__init__(fetcher, url, headers)
        self._keys: dict[str, bytes] = {}

    def offer(self, since: int | None) -> LivePlaylist:
        """What is on offer now, whatever was ``since``. Raises :class:`DownloadError`."""
        content, answer = self._fetcher.look_at(self._url, self._headers)
        with _unreadable():
            return parse(content.decode("utf-8", "replace"), answer.url)

    def bring(self, piece: Piece) -> bytes:
        """One piece, decrypted. Raises :class:`DownloadError`."""
        content = self._fetch(piece.url, piece.byte_range)
        return self._decrypted(content, piece.key, piece.number) if piece.key else content

    def _decrypted(self, content: bytes, key: Key, number: int) -> bytes:
        if key.url not in self._keys:
            self._keys[key.url] = self._fetcher.fetch(key.url, self._headers, is_counted=False)
        try:
            cipher = AES.new(self._keys[key.url], AES.MODE_CBC, iv=key.iv or number.to_bytes(16, "big"))
            return unpad(cipher.decrypt(content), AES.block_size)
        except ValueError as error:
            raise DownloadError("unexpected-answer", f"a piece cannot be decrypted: {error}") from error


class DashStream(_Stream):
    """One representation of DASH; ``name`` tells it from the others of the same download."""

    def __init__(
        self,
        fetcher: FragmentFetcher,
        url: str,
        headers: Mapping[str, str],
        wanted: Wanted,
        name: str,
        beginnings: "Beginnings",
    ) -> None:
        super().__init__(fetcher, url, headers)
        self._wanted = wanted
        self._name = name
        self._beginnings = beginnings
        self._manifest: Manifest | None = None
        self._asked_at = 0.0
        self._fast_seconds: float | None = None
        self._has_said_last = False

    def offer(self, since: int | None) -> LivePlaylist:
        """What goes on from the number ``since``; ``None``: from where the download's other streams begin. Raises
        :class:`DownloadError`.
        """
        with _unreadable():
            manifest = self._current()
            now = time.time() - (self._fast_seconds or 0.0)
            if since is None:
                newest = manifest.offer(self._wanted, now, None)
                if not newest.pieces:
                    return newest
                since = self._beginnings.of(self._name, newest.pieces[0].number)
            offer = manifest.offer(self._wanted, now, since)
            if not offer.pieces and not offer.is_ended:
                newest = manifest.offer(self._wanted, now, None)
                is_anew = newest.pieces and newest.pieces[-1].end < since - _NEAR_MS
                offer = newest if is_anew else offer
        return replace(offer, is_ended=offer.is_ended or self._has_said_last)

    def bring(self, piece: Piece) -> bytes:
        """One piece, at its place in the download's time. Raises :class:`DownloadError`."""
        content = self._fetch(piece.url, piece.byte_range)
        self._has_said_last = is_last(content)
        if piece.zero_at is None or piece.header is None:
            return content
        begun_at = self._beginnings.of(self._name, piece.number) / 1000
        return moved(content, timescales(self.head(piece.header)), piece.zero_at - begun_at + _ROOM_SECONDS)

    def _current(self) -> Manifest:
        """The manifest, asked for anew if it may have changed."""
        now = time.monotonic()
        known = self._manifest
        if known is not None:
            usable = _STALE_SECONDS if known.update_seconds is None else known.update_seconds
            if now - self._asked_at < usable:
                return known
        url = (known.location if known else None) or self._url
        content, answer = self._fetcher.look_at(url, self._headers)
        self._manifest = Manifest(content, answer.url, known.begun_at if known else 0.0)
        self._asked_at = now
        if self._fast_seconds is None:
            self._fast_seconds = self._measured(self._manifest, answer)
        return self._manifest

    def _measured(self, manifest: Manifest, answer: Answer) -> float:
        """How many seconds our clock is ahead of the server's. Others are only asked if that is in doubt."""
        told_at = time.time()
        for scheme, value in manifest.clocks:
            if ":direct:" in scheme:
                return told_at - instant(value)
        dated = answer.sent_at
        if dated is not None and abs(told_at - dated) < _CLOCK_SECONDS:
            return 0.0
        for scheme, value in manifest.clocks:
            if ":http-iso:" in scheme or ":http-xsdate:" in scheme:
                with contextlib.suppress(DownloadError, ValueError, IndexError):
                    text, _ = self._fetcher.look_at(urljoin(answer.url, value.split()[0]), {})
                    return time.time() - instant(text.decode())
        return 0.0 if dated is None else told_at - dated


class Beginnings:
    """At which number each stream of a download begins, kept in a file: the same for all, so that they fit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: dict[str, int] = {}
        with contextlib.suppress(OSError, ValueError, AttributeError):
            self._known = {str(name): int(number) for name, number in json.loads(path.read_bytes()).items()}

    def of(self, name: str, usual: int) -> int:
        """That of ``name``: ``usual``, unless another has begun near it. Raises ``OSError``."""
        with self._lock:
            if name not in self._known:
                near = [number for number in self._known.values() if abs(number - usual) < _NEAR_MS]
                self._known[name] = near[0] if near else usual
                staged = self._path.with_suffix(".new")
                staged.write_text(json.dumps(self._known))
                staged.replace(self._path)
            return self._known[name]


@contextlib.contextmanager
def _unreadable() -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise DownloadError(
            "drm-protected" if "encrypted" in str(error) else "extraction-failed", str(error)
        ) from error
