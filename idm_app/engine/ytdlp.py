"""Media through yt-dlp.

yt-dlp finds out what is there and selects; the bytes come over our own connections, so that progress is counted as they
arrive.
"""

import contextlib
import functools
import json
import logging
import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from yt_dlp.downloader import get_suitable_downloader
from yt_dlp.downloader.dash import DashSegmentsFD
from yt_dlp.downloader.hls import HlsFD
from yt_dlp.downloader.http import HttpFD
from yt_dlp.utils import PlaylistEntries

from idm_app.engine import media_plan
from idm_app.engine.binaries import ffmpeg_folder, put_on_path
from idm_app.engine.conversion import BYTES_SHARE
from idm_app.engine.embedding import embedding
from idm_app.engine.extractors import Extractors, Logger
from idm_app.engine.live_streams import Beginnings
from idm_app.engine.media_failures import media_failure
from idm_app.engine.media_offer import media_offer, playlist_offer
from idm_app.engine.media_options import media_params
from idm_app.engine.media_streams import LiveFD, OurDashFD, OurHlsFD, SegmentedFD, is_dash, is_hls
from idm_app.engine.messages import Expanded, Finished, Job, Noted, Probed, Report
from idm_app.engine.names import safe_name
from idm_app.engine.part_file import check_space, held_bytes, publish
from idm_app.engine.phases import Phases
from idm_app.engine.progress import StreamCount, Ticking
from idm_app.engine.receipt import Receipt
from idm_app.engine.recording import CONCLUDED
from idm_app.engine.saved_info import SavedInfo
from idm_app.engine.side_streams import SideStreams
from idm_app.engine.source import Source, guard_resolver
from idm_app.engine.surroundings import Stopped, Surroundings, interrupted_by
from idm_app.errors import DownloadError

log = logging.getLogger(__name__)

_WATCH_SECONDS = 0.25
_MOST_LETTERS = 20
"""Of a language's name in that of a file: the video's own leaves room for so many."""
_FULL_BYTES = 1 << 20
"""A disk with less room is full."""
_SAME_SECONDS = 60.0
"""What is noted twice within this time happened to picture and sound at once."""
_EXPIRED = frozenset({"forbidden", "address-expired", "not-found", "gone", "login-required"})


class NoPage(DownloadError):
    """The server calls it a page, but it is none: a file whose type is told wrongly."""


def fetch_media(job: Job, source: Source, around: Surroundings) -> Report:
    """Download the media that ``job``'s address leads to. Raises :class:`DownloadError` or :class:`Stopped`."""
    return _with_downloader(job, source, around, MediaDownloader.run)


def probe_media(job: Job, source: Source, around: Surroundings) -> Report:
    """Say what media ``job``'s address leads to. Raises like :func:`fetch_media`."""
    return _with_downloader(job, source, around, MediaDownloader.probe)


def _with_downloader(
    job: Job, source: Source, around: Surroundings, work: Callable[["MediaDownloader"], Report]
) -> Report:
    guard_resolver(source.reach)
    folder = ffmpeg_folder()
    put_on_path(folder)
    try:
        with MediaDownloader(job, source, around, folder) as downloader:
            return work(downloader)
    except (Stopped, DownloadError):
        raise
    except Exception as error:
        failure = media_failure(error)
        if failure.failure_code == "merge-failed":
            check_space(Path(job.job_folder), _FULL_BYTES)  # ffmpeg's last words do not say that it was for this
        log.info("download %d: %s", job.id, failure.detail, exc_info=failure.failure_code == "extraction-failed")
        raise failure from error


class MediaDownloader(Extractors):
    """A YoutubeDL for one job."""

    def __init__(self, job: Job, source: Source, around: Surroundings, ffmpeg: Path | None) -> None:
        Path(job.job_folder).mkdir(parents=True, exist_ok=True)
        super().__init__({**media_params(job, source, ffmpeg), "logger": Logger()})
        self.add_postprocessor_hook(Phases(self, Path(job.job_folder), around))
        for step in embedding(self, job, source.reach, around):
            self.add_post_processor(step)
        self.job = job
        self.source = source
        self.around = around
        self.beginnings = Beginnings(Path(job.job_folder) / "recording.json")
        self._counts: dict[str, StreamCount] = {}
        self._formats: list[dict[str, Any]] = []
        self._sides = SideStreams(around)
        self._noting = threading.Lock()
        self._noted_at: dict[Noted, float] = {}
        self._watched_at = 0.0
        self._saved_info = SavedInfo(Path(job.job_folder))
        self._stay_with_chosen()
        self._receipt = Receipt(Path(job.job_folder), "media")

    def run(self) -> Report:
        """Extract, fetch, process, publish."""
        if chosen := self._chosen_entries():
            return chosen
        info, is_fresh = self._find_out()
        if _is_playlist(info):
            return _expanded(info.get("title"), media_plan.entries_of(info, self.job.url))
        while True:
            received = self.around.progress.received_bytes
            try:
                return self._fetch(info)
            except Exception as error:
                got_on = self.around.progress.received_bytes > received
                if (is_fresh and not got_on) or media_failure(error).failure_code not in _EXPIRED:
                    raise
                log.info("download %d: the addresses have expired; extracting again", self.job.id)
                info, is_fresh = self._extract(), True

    def probe(self) -> Report:
        """Extract only."""
        info = self._extract()
        if _is_playlist(info):
            return playlist_offer(info, self.job.url)
        return media_offer(info, self.sanitize_info(info, remove_private_keys=True))

    # -- finding out

    def _chosen_entries(self) -> Expanded | None:
        """Those of a playlist that was probed not long ago; ``None`` if it was not, or if only one is wanted."""
        probed = self._probed()
        if not _is_playlist(probed):
            return None
        chosen = [entry for _, entry in PlaylistEntries(self, probed).get_requested_items()]
        return None if len(chosen) == 1 else _expanded(probed["title"], chosen)

    def _probed(self) -> dict[str, Any]:
        return dict(json.loads(self.job.extraction)) if self.job.extraction else {}

    def _find_out(self) -> tuple[dict[str, Any], bool]:
        """What is there, and whether that was asked just now."""
        saved = self._saved_info.read(self._asked())
        probed = self._probed()
        if saved is None and probed and not _is_playlist(probed) and self.job.playlist_items is None:
            self._saved_info.write(self._asked(), probed)
            saved = probed
        if saved is not None:
            return self._processed(saved), False
        try:
            return self._extract(), True
        except Exception:
            recorded = any(Path(self.job.job_folder).glob("*.recording"))
            old = self._saved_info.read(self._asked(), usable_seconds=math.inf) if recorded else None
            if old is None:
                raise
            return self._processed(old), True  # the stream is over: finish with what is there

    def _processed(self, saved: dict[str, Any]) -> dict[str, Any]:
        """With its formats chosen, and under its title: yt-dlp puts the time behind that of what is live, each time."""
        title = saved.get("title")
        return {**self.process_ie_result(saved, download=False), "title": title}

    def _stay_with_chosen(self) -> None:
        """Take the format that was begun with again, if it is still there: what has come is of that one."""
        if chosen := self._saved_info.chosen():
            self.format_selector = self.build_format_selector(f"{chosen}/{self.params['format']}")

    def _asked(self) -> list[Any]:
        job = self.job
        return [job.url, job.quality, job.format_id, job.audio_format, list(job.subtitles), job.playlist_items]

    def _extract(self) -> dict[str, Any]:
        info: dict[str, Any] | None = self.extract_info(self.job.url, download=False)
        if not info:
            raise DownloadError("no-media", "nothing was extracted")
        if info.get("direct") and info.get("ext") == "unknown_video":
            raise NoPage("no-media", "this is neither a page nor media")
        if _is_playlist(info):
            info["entries"] = entries = list(info.get("entries") or ())
            if len(entries) == 1 and entries[0]:
                info = self._only_entry(entries[0])
        if info.get("_type", "video") == "video":
            clean = self.sanitize_info(info, remove_private_keys=True)
            self._saved_info.write(self._asked(), clean)
        return info

    def _only_entry(self, entry: dict[str, Any]) -> dict[str, Any]:
        """The one entry of a playlist is the download itself."""
        if str(entry.get("_type", "video")).startswith("url"):
            found: dict[str, Any] = self.extract_info(entry["url"], ie_key=entry.get("ie_key"), download=False)
            return found
        return entry

    # -- fetching

    def _fetch(self, info: dict[str, Any]) -> Finished:
        progress = self.around.progress
        self._saved_info.choose(str(info.get("format_id")))
        self._stay_with_chosen()
        info["title"] = title = media_plan.title_of(info)
        self._counts = media_plan.stream_counts(info)
        progress.replace_streams(self._counts.values())
        name = media_plan.final_name(title, self.job.filename, info.get("ext") or "")
        total_is_guess = progress.total_bytes is not None and progress.total_is_estimate
        progress.send(Probed("media", title, name, progress.total_bytes, total_is_guess))
        progress.is_begun = True
        progress.bytes_share = BYTES_SHARE if media_plan.is_converted(info, self.job.audio_format) else 1.0
        self._check_space()
        self._formats = list(info.get("requested_formats") or ())
        self._sides = SideStreams(self.around)
        try:
            info = self.process_ie_result(self.sanitize_info(info, remove_private_keys=True), download=True)
        finally:
            self._sides.abandon()
        path = Path(info["requested_downloads"][0]["filepath"])
        total = path.stat().st_size
        name = media_plan.final_name(title, self.job.filename, path.suffix)
        final = publish(path, Path(self.job.folder), name, self._receipt)
        beside = tuple(self._publish_subtitles(info, final))
        self._receipt.clear_beside()
        return Finished(str(final), total, beside)

    def _check_space(self) -> None:
        """All streams have to fit on the disk; where they are joined, the whole beside them."""
        progress = self.around.progress
        if progress.total_bytes is None or progress.total_is_estimate:
            return
        copies = min(2, len(self._counts))
        try:
            folder = Path(self.job.job_folder)
            check_space(folder, copies * progress.total_bytes - held_bytes(folder))
        except DownloadError:
            progress.tick(force=True)  # who waits for room has to know for how much
            raise

    def _publish_subtitles(self, info: dict[str, Any], video: Path) -> Iterator[str]:
        """Those that were not embedded, by choice or because the container cannot hold them."""
        found = info.get("requested_subtitles") or {}
        for language, subtitles in found.items():
            path = Path(subtitles.get("filepath") or self.job.job_folder)
            if path.is_file():
                yield str(
                    publish(path, video.parent, f"{video.stem}.{safe_name(language[:_MOST_LETTERS])}{path.suffix}")
                )
        wanted = [language for language in self.job.subtitles if language != "all" and language[0] != "-"]
        if missing := [language for language in wanted if not any(re.fullmatch(language, f) for f in found)]:
            self.around.progress.send(Noted("no-subtitles", (("languages", ", ".join(missing)),)))

    def prepare_filename(self, *args: Any, **kwargs: Any) -> Any:
        """Every name that yt-dlp makes up stays in the job's folder."""
        name = super().prepare_filename(*args, **kwargs)
        if name and name != "-" and not Path(name).resolve().is_relative_to(Path(self.job.job_folder).resolve()):
            raise DownloadError("extraction-failed", "a name leads out of the job's folder")
        return name

    def dl(self, name: str, info: dict[str, Any], subtitle: bool = False, test: bool = False) -> Any:
        """Called by YoutubeDL for each format; ours fetch what they can."""
        if self.around.stopping():
            raise Stopped
        if subtitle:
            return self._bring_subtitles(name, info)
        if test:
            return super().dl(name, info, subtitle, test)
        stream = media_plan.stream_name(info)
        self.around.progress.phase = "recording" if info.get("is_live") else stream
        answer = self._sides.result(name)
        if answer is None:
            self._start_sides(name, info)
            answer = self._bring(name, info, self.around, self._sides.main_connections)
        return answer

    def _bring_subtitles(self, name: str, info: dict[str, Any]) -> Any:
        """That they cannot be had is no reason to lose the video."""
        try:
            return super().dl(name, info, subtitle=True)
        except Exception as error:
            failure = media_failure(error)
            if failure.failure_code == "disk-full":
                raise
            language = Path(name).stem.partition(".")[2]
            values = (("languages", language), ("error", failure.detail or str(failure)))
            self.around.progress.send(Noted("subtitles-lost", values))

    def _start_sides(self, name: str, info: dict[str, Any]) -> None:
        """Begin to fetch the other streams too.

        What was asked to come over a single connection comes one after the other; not so what is live.
        """
        others = [other for other in self._formats if other["format_id"] != info["format_id"]]
        end = f".f{info['format_id']}.{info['ext']}"
        is_alone = self.around.connections.most == 1 and not info.get("is_live")
        if self._sides.is_begun or is_alone or not name.endswith(end):
            return
        whole = {key: value for key, value in info.items() if key not in self._formats[0]}
        for other in others:
            other_name = f"{name.removesuffix(end)}.f{other['format_id']}.{other['ext']}"
            bring = functools.partial(self._bring, other_name, {**whole, **other}, connections=self._sides.connections)
            self._sides.start(other_name, bring)

    def _bring(self, name: str, info: dict[str, Any], around: Surroundings, connections: Callable[[], int]) -> Any:
        """Fetch one stream, by one of our own if it can."""
        count = self._counts.get(str(info.get("format_id")))
        if count is None:  # not the one that was planned
            count = StreamCount(media_plan.stream_name(info))
            around.progress.replace_streams([count])
        ours = {HttpFD: SegmentedFD, HlsFD: OurHlsFD, DashSegmentsFD: OurDashFD}
        downloader = ours.get(get_suitable_downloader(info, self.params))
        if info.get("is_live") and (is_hls(info) or is_dash(info)):
            downloader = LiveFD
        if downloader is None or info.get("request_data") or info.get("impersonate") or not info.get("url"):
            with interrupted_by(around.concluding), Ticking(lambda: self._watch(Path(name + ".part"), count, around)):
                answer = super().dl(name, info)
            if around.concluding.is_set():
                self.note(CONCLUDED)
            return answer
        answer = downloader(self, self.params, count, around, connections).download(name, self._copy_infodict(info))
        if Path(name).exists():
            # Decrypted, a file is a little smaller than what came; what was told is not taken back.
            count.received_bytes = count.total_bytes = max(count.received_bytes, Path(name).stat().st_size)
            count.total_is_estimate = False
        return answer

    def note(self, note: Noted) -> None:
        """Tell what has happened to a recording, once if it was to picture and sound."""
        now = time.monotonic()
        with self._noting:
            is_new = now - self._noted_at.get(note, -math.inf) > _SAME_SECONDS
            self._noted_at[note] = now
        if is_new:
            self.around.progress.send(note)

    def _watch(self, path: Path, count: StreamCount, around: Surroundings) -> None:
        """ffmpeg, which fetches what is left, tells nothing: look how far its file has got, a few times a second."""
        now = time.monotonic()
        if now - self._watched_at > _WATCH_SECONDS:
            self._watched_at = now
            with contextlib.suppress(OSError):
                count.received_bytes = path.stat().st_size
        around.progress.tick()

    def format_source(self, info: dict[str, Any]) -> Source:
        """Where a format is, with the headers and cookies that yt-dlp has for it."""
        cookies = tuple(
            {
                "name": cookie.name,
                "value": cookie.value or "",
                "domain": cookie.domain,
                "path": cookie.path,
                "secure": cookie.secure,
                "host_only": not cookie.domain_specified,
                "expires_at_seconds": cookie.expires,
            }
            for cookie in self.cookiejar
        )
        headers = {**self.params["http_headers"], **(info.get("http_headers") or {})}
        return Source(info["url"], tuple(headers.items()), None, cookies, self.source.reach)


def _is_playlist(info: dict[str, Any]) -> bool:
    return info.get("_type") in ("playlist", "multi_video")


def _expanded(title: str | None, entries: Sequence[dict[str, Any]]) -> Expanded:
    if not entries:
        raise DownloadError("no-media", "the playlist is empty")
    return Expanded(title, tuple(entries))
