"""Where the bytes of media come from: our own connections, in the places where yt-dlp has its downloaders.

A plain HTTP format goes through the segmented fetch; fragments of HLS and DASH over connections that stay open. Order,
decryption and bookkeeping of fragments stay yt-dlp's.
"""

import statistics
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from yt_dlp.downloader.common import FileDownloader
from yt_dlp.downloader.dash import DashSegmentsFD
from yt_dlp.downloader.external import FFmpegFD
from yt_dlp.downloader.hls import HlsFD

from idm_app.engine.answers import Answer
from idm_app.engine.fragments import FragmentFetcher
from idm_app.engine.guard_proxy import guarding_proxy
from idm_app.engine.live_manifest import Wanted
from idm_app.engine.live_streams import Beginnings, DashStream, HlsStream
from idm_app.engine.media_plan import stream_name
from idm_app.engine.messages import Noted
from idm_app.engine.part_file import PartFile, check_space
from idm_app.engine.progress import StreamCount, Ticking
from idm_app.engine.recording import Recording, Stream
from idm_app.engine.segmented import Fetch
from idm_app.engine.slots import Slots
from idm_app.engine.source import Source, checked_target, host_of
from idm_app.engine.surroundings import Surroundings

MOST_FRAGMENT_CONNECTIONS = 8


class Media(Protocol):
    """The YoutubeDL of one job, as far as it matters here."""

    beginnings: Beginnings

    def note(self, note: Noted) -> None:
        """Tell what has happened to a recording."""

    def format_source(self, info: dict[str, Any]) -> Source:
        """Where a format is, with the headers and cookies that yt-dlp has for it."""


_call_ffmpeg = FFmpegFD._call_downloader


def _call_ffmpeg_guarded(downloader: Any, path: str, info: dict[str, Any]) -> Any:
    """ffmpeg connects by itself, and speaks more than HTTP. Several parts of yt-dlp call it, all through here."""
    for part in info.get("requested_formats") or [info]:
        if "://" in part["url"]:
            checked_target(part["url"], downloader.ydl.source.reach)
    with guarding_proxy() as proxy:
        downloader.params = {**downloader.params, "proxy": proxy or downloader.params.get("proxy")}
        return _call_ffmpeg(downloader, path, info)


FFmpegFD._call_downloader = _call_ffmpeg_guarded


class _OurDownloader(FileDownloader):  # type: ignore[misc]
    """What our downloaders have in common."""

    def __init__(
        self,
        media: Media,
        params: dict[str, Any],
        count: StreamCount,
        around: Surroundings,
        connections: Callable[[], int],
    ) -> None:
        super().__init__(media, {**params, "concurrent_fragment_downloads": MOST_FRAGMENT_CONNECTIONS})
        self.media = media
        self.count = count
        self.around = around
        self.connections = connections


class SegmentedFD(_OurDownloader):
    """A format that is one file over HTTP: over several connections."""

    FD_NAME = "segmented"

    def real_download(self, filename: str, info: dict[str, Any]) -> bool:
        part = PartFile(Path(filename + ".content"))
        part.open()
        largest = (info.get("downloader_options") or {}).get("http_chunk_size")

        def on_start(_answer: Answer, total_bytes: int | None, _beginning: bytes) -> None:
            if total_bytes is not None:
                self.count.total_bytes, self.count.total_is_estimate = total_bytes, False
                self.around.progress.tick(force=True)  # who waits for room has to know for how much
                check_space(part.path.parent, total_bytes - self.count.received_bytes)

        try:
            Fetch(
                self.media.format_source(info),
                part,
                self.count,
                self.around,
                connections=self.connections,
                on_start=on_start,
                largest_request_bytes=largest,
            ).run()
        finally:
            part.close()
        self.around.progress.tick(force=True)
        part.publish_as(Path(filename))
        return True


class _OurFragments(_OurDownloader):
    """Fragments over our own connections; order, decryption and bookkeeping stay yt-dlp's."""

    def real_download(self, filename: str, info: dict[str, Any]) -> Any:
        with Ticking(self.around.progress.tick):
            return super().real_download(filename, info)

    def _prepare_and_start_frag_download(self, ctx: dict[str, Any], info: dict[str, Any]) -> None:
        super()._prepare_and_start_frag_download(ctx, info)
        ctx["dl"] = _Fragments(self.media, ctx, info, self.count, self.params, self.around, Slots(self.connections))


class OurHlsFD(_OurFragments, HlsFD):  # type: ignore[misc]
    """HLS."""


class OurDashFD(_OurFragments, DashSegmentsFD):  # type: ignore[misc]
    """DASH."""


class LiveFD(_OurDownloader):
    """HLS or DASH that is being sent now."""

    FD_NAME = "live"

    def real_download(self, filename: str, info: dict[str, Any]) -> bool:
        around, count = self.around, self.count
        lock = threading.Lock()

        def add(size_bytes: int) -> None:
            with lock:
                count.received_bytes += size_bytes

        fetcher = FragmentFetcher(
            self.media.format_source(info), around.bucket, add, lambda: around.concluding.is_set() or around.stopping()
        )
        path = Path(filename + ".recording")
        stream = self._stream(fetcher, info, path)
        recording = Recording(path, stream, around.concluding, around.stopping, self.media.note)
        count.received_bytes = recording.size_bytes
        around.progress.connections = 1
        with Ticking(around.progress.tick):
            recording.run()
        recording.finish_as(Path(filename))
        return True

    def _stream(self, fetcher: FragmentFetcher, info: dict[str, Any], path: Path) -> Stream:
        headers = info.get("http_headers") or {}
        if is_hls(info):
            return HlsStream(fetcher, info["url"], headers)
        wanted = Wanted(str(info["format_id"]), stream_name(info), 1000 * (info.get("tbr") or 0.0))
        url = info.get("manifest_url") or info["url"]
        return DashStream(fetcher, url, headers, wanted, path.name, self.media.beginnings)


def is_hls(media_format: Mapping[str, Any]) -> bool:
    """Whether it is a playlist of pieces."""
    return str(media_format.get("protocol")).startswith("m3u8")


def is_dash(media_format: Mapping[str, Any]) -> bool:
    """Whether it is described by a manifest of DASH."""
    return media_format.get("protocol") == "http_dash_segments"


class _Fragments:
    """Stands where yt-dlp has its downloader for single fragments."""

    def __init__(
        self,
        media: Media,
        ctx: dict[str, Any],
        info: dict[str, Any],
        count: StreamCount,
        params: Any,
        around: Surroundings,
        slots: Slots,
    ) -> None:
        self.params = {**params, "continuedl": False}
        self._count = count
        self._total = ctx.get("total_frags")
        self._done = ctx["fragment_index"]
        self._done_bytes = ctx["complete_frags_downloaded_bytes"]
        self._sizes: list[int] = []
        self._lock = threading.Lock()
        self._fetcher = FragmentFetcher(media.format_source(info), around.bucket, self._add, around.stopping)
        self._progress = around.progress
        self._slots = slots
        count.received_bytes = self._done_bytes

    def download(self, filename: str, info: dict[str, Any]) -> tuple[bool, bool]:
        """Fetch one fragment into ``filename``."""
        self._progress.reached(host_of(info["url"]))
        with self._slots:
            self._progress.connections = self._slots.taken
            content = self._fetcher.fetch(info["url"], info.get("http_headers") or {})
        Path(filename).write_bytes(content)
        with self._lock:
            self._done += 1
            self._done_bytes += len(content)
            self._sizes.append(len(content))
            if self._total:  # the median: the first fragment is often a small header
                left = int(statistics.median(self._sizes) * max(0, self._total - self._done))
                self._count.total_bytes = max(self._count.received_bytes, self._done_bytes + left)
                self._count.total_is_estimate = True
        return True, True

    def _add(self, size_bytes: int) -> None:
        with self._lock:
            self._count.received_bytes += size_bytes
