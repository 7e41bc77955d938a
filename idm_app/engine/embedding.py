"""What goes into a media file besides picture and sound."""

import logging
from collections.abc import Iterator
from typing import Any

from yt_dlp.postprocessor import EmbedThumbnailPP, FFmpegMetadataPP, FFmpegThumbnailsConvertorPP, PostProcessor
from yt_dlp.utils import PostProcessingError

from idm_app.engine.messages import Job, Noted
from idm_app.engine.reach import Reach
from idm_app.engine.sponsors import SponsorMarksPP
from idm_app.engine.surroundings import Surroundings

log = logging.getLogger(__name__)


def embedding(media: Any, job: Job, reach: Reach, around: Surroundings) -> Iterator[PostProcessor]:
    """The steps that put it there, in their order. ``media``: the YoutubeDL of ``job``."""
    wanted = set(job.embed)
    if "sponsors" in wanted:
        wanted.add("chapters")
        yield SponsorMarksPP(media, job.sponsors_service, reach, around)
    if wanted & {"metadata", "chapters"}:
        yield FFmpegMetadataPP(media, "metadata" in wanted, "chapters" in wanted, add_infojson=False)
    if "thumbnail" in wanted:
        yield OurEmbedThumbnailPP(media, around)


class OurEmbedThumbnailPP(EmbedThumbnailPP):  # type: ignore[misc]
    """A container that cannot hold a picture is no reason to lose the video.

    What no container holds (WebP) becomes JPEG: yt-dlp's choice, PNG, is not in every ffmpeg, nor in ours.
    """

    def __init__(self, media: Any, around: Surroundings) -> None:
        super().__init__(media)
        self._around = around

    def run(self, info: dict[str, Any]) -> Any:
        try:
            FFmpegThumbnailsConvertorPP(self._downloader, "png>png/jpg").run(info)
            return super().run(info)
        except PostProcessingError as error:
            log.info("%s", error)
            self._around.progress.send(Noted("no-thumbnail", (("extension", info["ext"]),)))
            return [], info
