"""A download as its row shows it: words and numbers, ready to be put on a screen. Pure.

Made once for each change and language, and sent to every tab as it is.
"""

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from idm_app.dashboard.words import Words
from idm_app.model import Download, Kind, Status
from idm_app.previews import plays_early, preview_kind
from idm_app.room import waits_for_room
from idm_app.units import format_bytes, format_duration, format_instant, format_percent, format_rate

RowState = dict[str, Any]

_ACTIONS = {
    Status.QUEUED: ("pause", "remove"),
    Status.PROBING: ("pause", "remove"),
    Status.DOWNLOADING: ("pause", "remove"),
    Status.PROCESSING: ("pause", "remove"),
    Status.PAUSED: ("resume", "remove"),
    Status.COMPLETED: ("remove",),
    Status.FAILED: ("retry", "remove"),
}


_FRONT_BYTES = 1 << 18
"""What a player wants to see before it begins."""


def row_state(download: Download, words: Words) -> RowState:
    """What ``assets/download_row.js`` shows. ``progress`` is 0–100 or ``None``; texts are empty where unknown."""
    error = download.error
    has_file = download.status is Status.COMPLETED and download.kind is not Kind.PLAYLIST
    return {
        "id": download.id,
        "status": download.status,
        "category": "playlist" if download.kind is Kind.PLAYLIST else download.category,
        "title": title(download),
        "site": site(download),
        "status_text": status_text(download, words),
        "not_before": format_instant(download.not_before) if download.not_before and _is_put_off(download) else None,
        "progress": _bar(download.progress),
        "percent_text": format_percent(download.progress),
        "size_text": size_text(download, words),
        "rate_text": format_rate(download.bytes_per_second),
        "eta_text": format_duration(download.eta_seconds),
        "error": error and {"message": words.failure(error), "detail": error.detail or error.code},
        "actions": _ACTIONS[download.status],
        "file_url": f"/api/downloads/{download.id}/file" if has_file else None,
        "can_look": preview_kind(download.filename) is not None if has_file else _plays_now(download),
        "created_at": format_instant(download.created_at),
    }


def title(download: Download) -> str:
    """The best name known so far."""
    known = download.title or download.filename
    if known:
        return known
    address = urlsplit(download.request.url)
    return unquote(PurePosixPath(address.path).name) or address.hostname or download.request.url


def site(download: Download) -> str:
    """The host it comes from."""
    return urlsplit(download.request.url).hostname or ""


def status_text(download: Download, words: Words) -> str:
    """The status in words; the phase where that says more."""
    if download.status is Status.QUEUED and download.error:
        return words("row.trying_again")
    if waits_for_room(download):
        return words("row.waiting_for_room")
    if download.status.is_running and (phase := f"phase.{download.phase}") in words:
        return words(phase)
    return words(f"status.{download.status}")


def size_text(download: Download, words: Words) -> str:
    """``4.53 of 10.0 MB``; ``~`` before a total that is only an estimate; the unit once where both have the same."""
    if download.kind is Kind.PLAYLIST:
        return ""  # its entries have theirs
    received, total = format_bytes(download.received_bytes), format_bytes(download.total_bytes)
    if download.status is Status.COMPLETED:
        return total or received
    if not total:
        return received if download.received_bytes else ""
    about = "~" if download.total_is_estimate else ""
    if not download.received_bytes:
        return about + total
    (amount, unit), total_unit = received.split("\u00a0"), total.split("\u00a0")[1]
    return words("row.size_of", received=amount if unit == total_unit else received, total=about + total)


def _is_put_off(download: Download) -> bool:
    return download.status is Status.QUEUED and download.error is None


def _plays_now(download: Download) -> bool:
    front = next(iter(download.segments), None)
    return (
        front is not None
        and front.received >= min(_FRONT_BYTES, front.end)
        and download.kind is Kind.FILE
        and download.status not in (Status.COMPLETED, Status.FAILED)
        and plays_early(download.filename)
    )


def _bar(progress: float | None) -> float | None:
    """As exact as the percent beside it; full only when all is there."""
    if progress is None or progress >= 100:
        return progress
    return min(round(progress, 1), 99.9)
