"""The engine's border: a download as a job for a worker, and a worker's reports as the download's new state. Pure."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from idm_app.categories import category_of
from idm_app.engine.messages import Expanded, Finished, Job, Noted, Probed, Processing, Progressed
from idm_app.engine.source import is_for_every_host, origin_of
from idm_app.events import RESTARTS, Values
from idm_app.model import Download, Event, Kind, Request, Segment, Status, Stream, SubtitlesAs
from idm_app.settings import Options, Settings
from idm_app.units import format_bytes

MAX_EVENTS = 50
PARTS_FOLDER = ".idm"
"""Below the download folder, so that publishing is a rename: one folder for each unfinished download."""
_AT_REST: dict[str, Any] = {"bytes_per_second": None, "eta_seconds": None, "phase": None, "connections": 0}


def job_folder(download_id: int, server_id: str, options: Options) -> Path:
    """Where a download's unfinished parts are. Two servers may share a download folder, so each has its own below."""
    return _parts_folder(options.download_dir, server_id) / str(download_id)


def target_folder(download: Download, options: Options) -> Path:
    """Where its finished file goes."""
    directory = download.request.directory
    return options.download_dir / directory if directory else options.download_dir


@cache
def _parts_folder(download_dir: Path, server_id: str) -> Path:
    return download_dir / PARTS_FOLDER / server_id


def job_for(
    download: Download,
    server_id: str,
    settings: Settings,
    options: Options,
    *,
    connections: int = 1,
    bytes_per_second_limit: int | None = None,
) -> Job:
    """What a worker needs to do ``download``, under these limits."""
    request = download.request
    return Job(
        id=download.id,
        url=request.url,
        folder=str(target_folder(download, options)),
        job_folder=str(job_folder(download.id, server_id, options)),
        filename=request.filename,
        kind=download.kind if download.kind in (Kind.FILE, Kind.MEDIA) else None,
        quality=request.quality,
        format_id=request.format_id,
        audio_format=request.audio_format,
        subtitles=request.subtitles,
        subtitles_beside=request.subtitles_as is SubtitlesAs.BESIDE,
        embed=request.embed,
        playlist_items=request.playlist_items,
        connections=connections,
        bytes_per_second_limit=bytes_per_second_limit,
        checksum=request.checksum,
        headers=request.headers,
        referrer=request.referrer,
        cookies=tuple(asdict(cookie) for cookie in request.cookies),
        allow_private_addresses=settings.allow_private_addresses or not options.needs_sign_in,
        blocked_ports=options.ports,
    )


def applied(
    download: Download, report: Probed | Progressed | Processing | Noted | Expanded | Finished, now: datetime
) -> Download:
    """``download`` after ``report``."""
    match report:
        case Probed():
            return _probed(download, report)
        case Progressed():
            return _progressed(download, report)
        case Processing():
            return replace(
                download,
                status=Status.PROCESSING,
                phase=report.phase,
                progress=max(download.progress or 0.0, min(99.9, round(report.progress, 2)))
                if report.progress is not None
                else download.progress,
                bytes_per_second=None,
                eta_seconds=None,
                connections=0,
            )
        case Noted():
            noted = replace(download, events=with_event(download, now, report.code, report.values))
            return replace(noted, progress=None, received_bytes=0) if report.code in RESTARTS else noted
        case Expanded():
            return replace(
                download,
                kind=Kind.PLAYLIST,
                title=report.title or download.title,
                status=Status.DOWNLOADING,
                phase=None,
            )
        case Finished():
            return _finished(download, report, now)


def readdressed(request: Request, url: str) -> Request:
    """``request`` with a fresh address. What was given for one origin is not told to another."""
    if origin_of(url) != origin_of(request.url):
        request = replace(request, headers=tuple(h for h in request.headers if is_for_every_host(h[0])))
    return replace(request, url=url)


def progress_of(downloads: Iterable[Download]) -> float | None:
    """How far all of them are together, 0–100; ``None`` while a total is unknown, or without any."""
    received, total = 0, 0
    for download in downloads:
        if download.total_bytes is None:
            return None
        received += download.received_bytes
        total += download.total_bytes
    return min(100.0, 100 * received / total) if total else None


def with_event(download: Download, now: datetime, code: str, values: Values) -> tuple[Event, ...]:
    """Its newest events with one more."""
    return (*download.events, Event(now, code, values))[-MAX_EVENTS:]


def with_wait(download: Download, now: datetime, code: str, values: Values) -> tuple[Event, ...]:
    """As :func:`with_event`; to wait once more for the same reason is the same event."""
    if download.events and download.events[-1].code == code:
        download = replace(download, events=download.events[:-1])
    return with_event(download, now, code, values)


def begun(download: Download, now: datetime) -> Download:
    """``download`` as a worker begins with it."""
    events = download.events
    if download.received_bytes and download.error is None:  # of another try of the same it is no news
        events = with_event(download, now, "resumed", (("size", format_bytes(download.received_bytes)),))
    return replace(
        download,
        status=Status.PROBING,
        phase="probing",
        started_at=download.started_at or now,
        attempts=download.attempts + 1,
        not_before=None,
        position=None,
        error=None,
        events=events,
    )


def untried(download: Download) -> Download:
    """``download`` as before its first attempt; what has arrived stays."""
    return replace(download, error=None, attempts=0, finished_at=None)


def at_rest(download: Download) -> Download:
    """Without the numbers that only a running download has."""
    return replace(download, **_AT_REST)


def _probed(download: Download, report: Probed) -> Download:
    kind = Kind(report.kind)
    filename = report.filename or download.filename
    return replace(
        download,
        status=Status.DOWNLOADING if download.status is Status.PROBING else download.status,
        kind=kind,
        title=download.title or report.title or filename,
        filename=filename,
        category=download.request.category or category_of(filename, kind),
        total_bytes=download.total_bytes if report.total_bytes is None else report.total_bytes,
        total_is_estimate=report.total_is_estimate,
        phase=None,
    )


def _progressed(download: Download, report: Progressed) -> Download:
    total = report.total_bytes
    progress = None
    if total:
        # Unfinished is never shown as 100; an estimate that grows never takes the bar back.
        share = report.received_bytes * 100 * report.bytes_share / total
        progress = max(download.progress or 0.0, min(99.9, round(share, 2)))
    return replace(
        download,
        status=Status.DOWNLOADING if download.status is Status.PROBING else download.status,
        progress=progress,
        received_bytes=report.received_bytes,
        total_bytes=total,
        total_is_estimate=report.total_is_estimate,
        bytes_per_second=report.bytes_per_second,
        eta_seconds=report.eta_seconds,
        phase=report.phase,
        connections=report.connections,
        segments=download.segments if report.segments is None else tuple(Segment(*s) for s in report.segments),
        streams=download.streams if report.streams is None else tuple(Stream(*s) for s in report.streams),
    )


def _finished(download: Download, report: Finished, now: datetime) -> Download:
    filename, request = Path(report.path).name, download.request
    if request.headers or request.cookies:  # they live as long as the download needs them
        request = replace(request, headers=(), cookies=())
    return replace(
        download,
        **_AT_REST,
        request=request,
        status=Status.COMPLETED,
        progress=100.0,
        received_bytes=report.total_bytes,
        total_bytes=report.total_bytes,
        total_is_estimate=False,
        filename=filename,
        title=download.title or filename,
        category=download.request.category or category_of(filename, download.kind),
        path=report.path,
        beside=report.beside,
        finished_at=now,
        error=None,
        segments=(),
        streams=tuple(_whole(stream) for stream in download.streams),
    )


def _whole(stream: Stream) -> Stream:
    """With its last bytes, which nobody reports any more."""
    size_bytes = stream.received_bytes
    if stream.total_bytes is not None and not stream.total_is_estimate:
        size_bytes = stream.total_bytes
    return replace(stream, received_bytes=size_bytes, total_bytes=size_bytes, total_is_estimate=False)
