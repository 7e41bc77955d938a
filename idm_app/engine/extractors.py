"""yt-dlp's extractors, ready quickly: which sites they know, and what can be done before the first download."""

import functools
import logging
from collections.abc import Iterator
from typing import Any

import yt_dlp
from yt_dlp.extractor.common import UnsupportedURLIE
from yt_dlp.postprocessor import FFmpegPostProcessor

from idm_app.engine.binaries import ffmpeg_folder, put_on_path
from idm_app.engine.media_failures import without_queries
from idm_app.engine.media_options import site_name
from idm_app.errors import DownloadError

MOST_PAGE_BYTES = 64 << 20
"""Of a page, manifest or answer that an extractor reads: all of it is kept in memory."""
_READ_BYTES = 1 << 20

log = logging.getLogger(__name__)


def claims(url: str) -> bool:
    """Whether an extractor made for its site knows ``url``. Asks nobody.

    Asking all extractors takes 20 ms, and in a forked process 15 MB of memory that was shared until then; so a site
    that none of their patterns names is not asked about.
    """
    return _is_named(site_name(url)) and any(
        extractor.IE_NAME != "generic" and extractor.suitable(url)
        for extractor in yt_dlp.extractor.gen_extractor_classes()
    )


@functools.lru_cache
def _is_named(site: str) -> bool:
    return site in _patterns()


@functools.cache
def _patterns() -> str:
    """All that extractors take, in one text."""
    return "\n".join(str(extractor._VALID_URL) for extractor in yt_dlp.extractor.gen_extractor_classes()).replace(
        "\\", ""
    )


def warm_up() -> Iterator[None]:
    """Do what the first download would have to do first, in short steps: for a process that forks workers.

    Patterns of 1,700 extractors are compiled, their modules loaded, ffmpeg's version asked, the certificates read.
    """
    page = "<html><head><title>Warm</title></head><body></body></html>"
    folder = ffmpeg_folder()
    put_on_path(folder)
    yield
    with Extractors({"quiet": True, "logger": Logger(), "ffmpeg_location": str(folder) if folder else None}) as ydl:
        for number, extractor in enumerate(list(ydl._ies.values())):
            extractor.suitable("https://example.com/")
            list(extractor.extract_from_webpage(ydl, "https://example.com/", page))
            if number % 10 == 0:
                yield
        FFmpegPostProcessor.get_versions_and_features(ydl)
        yield
        _ = ydl._request_director
    _patterns()
    yield


class Extractors(yt_dlp.YoutubeDL):  # type: ignore[misc]
    """A YoutubeDL that is ready in 2 ms instead of 50."""

    def add_default_info_extractors(self) -> None:
        """All of them, in yt-dlp's order. Its own version compares each with all before it."""
        for extractor in yt_dlp.extractor.gen_extractor_classes():
            if extractor._ENABLED:
                self.add_info_extractor(extractor)
        self.add_info_extractor(UnsupportedURLIE())

    def urlopen(self, request: Any) -> Any:
        """As yt-dlp does, but that what is read as a whole, a page, has an end."""
        response = super().urlopen(request)
        read = response.read

        def read_bounded(size_bytes: int | None = None) -> bytes:
            if size_bytes is not None:
                return bytes(read(size_bytes))
            pieces: list[bytes] = []
            left = MOST_PAGE_BYTES
            while piece := read(_READ_BYTES):
                pieces.append(piece)
                left -= len(piece)
                if left < 0:
                    raise DownloadError("no-media", f"the page is larger than {MOST_PAGE_BYTES >> 20} MiB")
            return b"".join(pieces)

        response.read = read_bounded
        return response


class Logger:
    """yt-dlp's words for the log, without what may be secret."""

    def debug(self, message: str) -> None:
        log.debug("%s", without_queries(message))

    def warning(self, message: str) -> None:
        log.info("%s", without_queries(message))

    def error(self, message: str) -> None:
        log.info("%s", without_queries(message))
