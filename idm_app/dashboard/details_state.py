"""A download as the panel with its details shows it, ready to be put on a screen. Pure.

Made once for each change and language, and only while some tab looks at it.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from idm_app.dashboard.row_state import row_state
from idm_app.dashboard.words import Words
from idm_app.model import Download, Segment, Status, Stream
from idm_app.previews import preview_kind
from idm_app.units import format_bytes, format_instant, format_percent, format_rate

_SHOWN_SEGMENTS = 64
"""A worker joins what is complete, so more than this are rare; the strip shows all."""


def details_state(download: Download, rates: Sequence[int], words: Words) -> dict[str, Any]:
    """What ``assets/details_panel.js`` shows; ``rates``: bytes per second, one for each of the newest seconds."""
    return {
        **row_state(download, words),
        "url": download.request.url,
        "total_bytes": download.total_bytes,
        "segments": [[segment.start, segment.end, segment.received] for segment in download.segments],
        "connections": [_connection(segment) for segment in download.segments[:_SHOWN_SEGMENTS]],
        "streams": [_stream(stream, words) for stream in download.streams],
        "rates": list(rates),
        "peak_text": format_rate(max(rates, default=0)),
        "limit": download.request.bytes_per_second_limit,
        "events": [{"at": format_instant(event.at), "text": words.event(event)} for event in reversed(download.events)],
        "preview": preview_kind(download.filename),
        "facts": [[words(f"fact.{name}"), text] for name, text in _facts(download, words).items() if text],
        "times": [[words(f"fact.{name}"), format_instant(at)] for name, at in _times(download).items() if at],
    }


def _connection(segment: Segment) -> dict[str, Any]:
    size = segment.end - segment.start
    return {
        "start": segment.start,
        "received": segment.received,
        "is_complete": segment.received >= size,
        "start_text": format_bytes(segment.start),
        "received_text": format_bytes(segment.received),
        "size_text": format_bytes(size),
        "percent_text": format_percent(segment.received * 100 / size if size else 100.0),
    }


def _stream(stream: Stream, words: Words) -> dict[str, Any]:
    total = stream.total_bytes
    key = f"stream.{stream.name}"
    about = "~" if stream.total_is_estimate else ""
    return {
        "name": words(key) if key in words else stream.name,
        "size_text": words(
            "row.size_of", received=format_bytes(stream.received_bytes), total=about + format_bytes(total)
        )
        if total
        else format_bytes(stream.received_bytes),
        "progress": min(100.0, round(stream.received_bytes * 100 / total, 1)) if total else None,
    }


def _facts(download: Download, words: Words) -> dict[str, str]:
    return {
        "file": download.filename or "",
        "folder": str(Path(download.path).parent) if download.path else download.request.directory or "",
        "category": words(f"category.{download.category}"),
        "connections": str(download.connections or ""),
        "attempts": str(download.attempts) if download.attempts > 1 else "",
    }


def _times(download: Download) -> dict[str, datetime | None]:
    end = "failed" if download.status is Status.FAILED else "finished"
    return {"added": download.created_at, "started": download.started_at, end: download.finished_at}
