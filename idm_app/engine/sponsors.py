"""SponsorBlock: which parts of a video are advertising and the like, as its viewers have reported them.

Its service hears four of the 64 digits that a video's id is hashed to, which many videos have in common: no id, no
page, no cookie, none of the browser's headers.
"""

import json
import time
from typing import Any

from yt_dlp.postprocessor import ModifyChaptersPP, SponsorBlockPP

from idm_app.engine.fragments import FragmentFetcher
from idm_app.engine.messages import Noted
from idm_app.engine.reach import Reach
from idm_app.engine.source import USER_AGENT, Source
from idm_app.engine.surroundings import Stopped, Surroundings
from idm_app.errors import DownloadError

PATIENCE_SECONDS = 10
"""The video is there by then, and waits."""
_MOST_ANSWER_BYTES = 4 << 20
_MOST_MARKS = 500
_CATEGORIES = tuple(c for c in SponsorBlockPP.CATEGORIES if c not in SponsorBlockPP.NON_SKIPPABLE_CATEGORIES)


class SponsorMarksPP(ModifyChaptersPP):  # type: ignore[misc]
    """Marks them as chapters, between those that the video has. Nothing that goes wrong with it costs the video."""

    def __init__(self, media: Any, service: str, reach: Reach, around: Surroundings) -> None:
        super().__init__(media, sponsorblock_chapter_title="%(category_names)l")
        self._reported = _ReportedPP(media, service, reach, around)
        self._around = around

    def run(self, info: dict[str, Any]) -> Any:
        """The chapters, for a later step to write into the file."""
        try:
            if info["extractor_key"] not in SponsorBlockPP.EXTRACTORS:
                return self._noted(info, Noted("no-sponsors.other-site"))
            marks = self._reported.marks(info)
            if not marks:
                return self._noted(info, Noted("no-sponsors.none-known"))
            return super().run({**info, "sponsorblock_chapters": marks})
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001  the service may answer anything
            return self._noted(info, Noted("no-sponsors", (("error", _words(error)),)))

    def _noted(self, info: dict[str, Any], note: Noted) -> Any:
        self._around.progress.send(note)
        return [], info


class _ReportedPP(SponsorBlockPP):  # type: ignore[misc]
    """What the service knows of a video."""

    def __init__(self, media: Any, service: str, reach: Reach, around: Surroundings) -> None:
        super().__init__(media, _CATEGORIES, service)
        self._source = Source(service, reach=reach)
        self._around = around

    def marks(self, info: dict[str, Any]) -> list[dict[str, Any]]:
        """As chapters, those only that can be."""
        seconds = info.get("duration") or self._get_real_video_duration(info["filepath"])
        found = self._get_sponsor_chapters(info, seconds)
        return [m for m in found if m["category"] in _CATEGORIES and 0 <= m["start_time"] < m["end_time"] <= seconds][
            :_MOST_MARKS
        ]

    def _download_json(self, url: str, **_: Any) -> Any:
        """Over our own connections: yt-dlp's would take the page's address and the browser's name along."""
        end = time.monotonic() + PATIENCE_SECONDS
        size = 0

        def count(size_bytes: int) -> None:
            nonlocal size
            size += size_bytes

        def is_over() -> bool:
            return self._around.stopping() or time.monotonic() > end or size > _MOST_ANSWER_BYTES

        fetcher = FragmentFetcher(self._source, self._around.bucket, count, is_over)
        try:
            return json.loads(fetcher.fetch(url, {"User-Agent": USER_AGENT}))
        except DownloadError as error:
            if self._around.stopping():
                raise Stopped from error
            if error.failure_code == "not-found":  # nothing is known of any video with these digits
                return []
            if error.failure_code == "connection-lost" and time.monotonic() > end:
                raise DownloadError("timed-out", f"no answer in {PATIENCE_SECONDS} s") from error
            raise


def _words(error: Exception) -> str:
    return (error.detail or str(error)) if isinstance(error, DownloadError) else "an answer that cannot be read"
