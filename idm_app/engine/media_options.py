"""A job as yt-dlp's parameters. A closed list: nothing that a client sends becomes a parameter by itself.

The defaults of yt-dlp's command line do not apply to its API; what matters of them is set here.
"""

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from idm_app.engine import conversion
from idm_app.engine.binaries import JAVASCRIPT_RUNTIMES
from idm_app.engine.messages import Job
from idm_app.engine.source import Source
from idm_app.errors import DownloadError

FILE_STEM = "media"
"""All files of a job have this name while it runs; the final name is given when it is published."""
_RETRIES = 10
_FORMAT_ID = re.compile(r"[\w.+-]{1,80}")
_LANGUAGE = re.compile(r"[\w.*-]{1,20}")
_PLAYLIST_ITEMS = re.compile(r"[\d,:+-]{1,1000}")
_AUDIO_QUALITY = "2"
"""On yt-dlp's scale, 0 best; about 190 kbit/s of mp3."""
_HEADERS = frozenset({"user-agent", "referer", "accept-language"})
"""yt-dlp sends its headers to every host, so nothing secret may be among them."""
_MOST_APART_SECONDS = 60.0


def media_params(job: Job, source: Source, ffmpeg_folder: Path | None) -> dict[str, Any]:
    """Parameters for ``YoutubeDL``. Raises :class:`DownloadError` for values that are none of ours."""
    params: dict[str, Any] = {
        "quiet": True,
        "noprogress": True,
        "color": {"stdout": "never", "stderr": "never"},
        "paths": {"home": job.job_folder},
        "outtmpl": {"default": f"{FILE_STEM}.%(ext)s"},
        "overwrites": False,
        "retries": _RETRIES,
        "fragment_retries": _RETRIES,
        "extractor_retries": 3,
        "file_access_retries": 3,
        "retry_sleep_functions": dict.fromkeys(("http", "fragment", "extractor"), _back_off_seconds),
        "skip_unavailable_fragments": False,
        "socket_timeout": 15,
        "noresizebuffer": True,
        "buffersize": 64 << 10,
        "http_headers": _public_headers(source),
        "cookiefile": _cookie_jar(source),
        "extract_flat": "in_playlist",
        "noplaylist": job.playlist_items is None,
        "writethumbnail": "thumbnail" in job.embed,
        "merge_output_format": "mp4/mkv" if job.embed or job.subtitles else None,  # these can hold all that is put in
        "external_downloader": {"dash": "native"},  # what is live is no reason for ffmpeg: we record it
        "compat_opts": {"no-direct-merge"},  # ffmpeg would fetch, and heed neither limits nor reach
        "js_runtimes": {name: {} for name in JAVASCRIPT_RUNTIMES},
        "postprocessors": _postprocessors(job),
        "postprocessor_args": {
            "extractaudio+ffmpeg_i1": [*conversion.ARGUMENTS, str(Path(job.job_folder) / conversion.FILE_NAME)]
        },
        **_selection(job),
    }
    if ffmpeg_folder is not None:
        params["ffmpeg_location"] = str(ffmpeg_folder)
    if job.playlist_items is not None:
        params["playlist_items"] = _matching(_PLAYLIST_ITEMS, job.playlist_items)
    if job.subtitles and not is_audio(job):
        languages = [_matching(_LANGUAGE, language) for language in job.subtitles]
        params |= {"writesubtitles": True, "writeautomaticsub": True, "subtitleslangs": languages}
    return params


def merger_delays(starts_seconds: Sequence[float]) -> dict[str, list[str]]:
    """Postprocessor arguments that let each of the files that are merged begin as much later as its times do: left
    alone, ffmpeg has all begin together. Those that are far apart are not of the same clock."""
    first = min(starts_seconds)
    if max(starts_seconds) - first > _MOST_APART_SECONDS:
        return {}
    delays = (f"{start - first:.6f}" for start in starts_seconds)
    return {f"merger+ffmpeg_i{number}": ["-itsoffset", delay] for number, delay in enumerate(delays, 1)}


def site_name(url: str) -> str:
    """The part of the host that names the site: ``example`` of ``www.example.co.uk``; an IP address as a whole."""
    host = urlsplit(url).hostname or ""
    labels = host.split(".")
    if host.replace(".", "").isdecimal() or ":" in host or len(labels) == 1:
        return host
    long = [label for label in labels[:-1] if label not in ("co", "com", "org", "net", "ac", "gov", "www")]
    return long[-1] if long else host


def _selection(job: Job) -> dict[str, Any]:
    if job.format_id is not None:
        chosen = _matching(_FORMAT_ID, job.format_id)
        # A picture without sound gets the best sound; what has sound already keeps its own.
        return {"format": chosen if "+" in chosen else f"{chosen}+ba/{chosen}"}
    if is_audio(job):
        return {"format": "ba/b"}
    height = job.quality.removesuffix("p")
    return {"format": "bv*+ba/b"} | ({"format_sort": [f"res:{height}"]} if height.isdecimal() else {})


def is_audio(job: Job) -> bool:
    """Whether only sound is wanted."""
    return job.format_id is None and (job.quality == "audio" or job.audio_format is not None)


def _postprocessors(job: Job) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    if is_audio(job):
        codec = job.audio_format or "best"
        steps.append({"key": "FFmpegExtractAudio", "preferredcodec": codec, "preferredquality": _AUDIO_QUALITY})
    elif job.subtitles and not job.subtitles_beside:
        steps.append({"key": "FFmpegEmbedSubtitle", "already_have_subtitle": False})
    return steps


def _public_headers(source: Source) -> dict[str, str]:
    headers = {name: value for name, value in source.headers if name.lower() in _HEADERS}
    return headers | ({"Referer": source.referrer} if source.referrer else {})


def _cookie_jar(source: Source) -> io.StringIO | None:
    lines = source.cookie_lines()
    return io.StringIO("# Netscape HTTP Cookie File\n" + "\n".join(lines) + "\n") if lines else None


def _back_off_seconds(n: int) -> float:
    return float(min(5.0, 0.3 * 2**n))


def _matching(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise DownloadError("format-not-available", f"not a value that can be used: {text[:80]!r}")
    return text
