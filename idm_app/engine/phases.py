"""What is done with media once their bytes are there, told as phases."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yt_dlp.postprocessor import FFmpegPostProcessor

from idm_app.engine.conversion import FILE_NAME, Conversion
from idm_app.engine.media_options import merger_delays
from idm_app.engine.messages import Processing
from idm_app.engine.surroundings import Surroundings

_PHASES = {
    "Merger": "merging",
    "ExtractAudio": "converting",
    "VideoConvertor": "converting",
    "VideoRemuxer": "converting",
    "EmbedSubtitle": "subtitles",
}


class Phases:
    """Hears of each step of ``media``, the YoutubeDL of one job, as its hook for postprocessors."""

    def __init__(self, media: Any, job_folder: Path, around: Surroundings) -> None:
        self._media = media
        self._job_folder = job_folder
        self._around = around
        self._has_begun = False
        self._conversion: Conversion | None = None

    def __call__(self, status: dict[str, Any]) -> None:
        """``status`` is yt-dlp's."""
        if self._conversion:
            self._conversion.close()
            self._conversion = None
        if status["status"] != "started" or self._around.stopping():
            return
        if not self._has_begun:
            self._has_begun = True
            self._around.progress.tick(force=True)
        phase, info = _PHASES.get(status["postprocessor"], "finishing"), status["info_dict"]
        self._around.progress.send(Processing(phase))
        if phase == "merging" and info.get("is_live"):
            self._keep_in_sync(info["__files_to_merge"])
        if phase == "converting":
            self._conversion = self._watched_conversion(info)

    def _keep_in_sync(self, paths: Sequence[str]) -> None:
        """Picture and sound that were recorded begin where they did."""
        probe = FFmpegPostProcessor(self._media)
        starts = [float(probe.get_metadata_object(path)["format"].get("start_time") or 0.0) for path in paths]
        self._media.params["postprocessor_args"] |= merger_delays(starts)

    def _watched_conversion(self, info: dict[str, Any]) -> Conversion | None:
        share = self._around.progress.bytes_share
        seconds = FFmpegPostProcessor(self._media)._get_real_video_duration(info["filepath"], fatal=False)

        def tell(done: float) -> None:
            self._around.progress.send(Processing("converting", 100 * (share + (1 - share) * done)))

        return Conversion(self._job_folder / FILE_NAME, seconds, tell) if seconds else None
