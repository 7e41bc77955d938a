"""Downloads as documents: plain values for the store, and back.

What only a running download has (rate, time left, connections, segments, streams) is not kept. Cookies and headers are
kept while the download needs them and not a moment longer.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from idm_app.model import (
    AudioFormat,
    Category,
    Cookie,
    Download,
    Event,
    Failure,
    Kind,
    Quality,
    Request,
    Status,
)
from idm_app.units import format_instant, parse_instant

Document = dict[str, Any]

_PLAIN = (
    *("id", "title", "filename", "progress", "received_bytes", "total_bytes", "total_is_estimate"),
    *("queue", "position", "parent_id", "path", "attempts", "revision"),
)
_INSTANTS = ("created_at", "started_at", "finished_at", "not_before")


def to_document(download: Download) -> Document:
    """Plain values only."""
    request = asdict(download.request)
    if download.status is Status.COMPLETED:
        request |= {"headers": (), "cookies": ()}
    return {
        "request": {key: value for key, value in request.items() if value not in (None, (), [])},
        "status": download.status.value,
        "kind": download.kind and download.kind.value,
        "category": download.category.value,
        "error": download.error and asdict(download.error),
        "events": [{"at": format_instant(e.at), "code": e.code, "message": e.message} for e in download.events],
        **{name: format_instant(getattr(download, name)) for name in _INSTANTS},
        **{name: getattr(download, name) for name in _PLAIN},
    }


def from_document(document: Document) -> Download:
    """The inverse of :func:`to_document`. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for a damaged one."""
    error = document["error"]
    plain = {name: document[name] for name in _PLAIN}
    instants = {name: parse_instant(document[name]) for name in _INSTANTS}
    return Download(
        request=_request(document["request"]),
        status=Status(document["status"]),
        kind=document["kind"] and Kind(document["kind"]),
        category=Category(document["category"]),
        error=error and Failure(**error),
        events=tuple(Event(_instant(e["at"]), e["code"], e["message"]) for e in document["events"]),
        **plain,
        **instants,  # type: ignore[arg-type]
    )


def _request(values: Document) -> Request:
    known = dict(values)
    known["quality"] = Quality(known.get("quality", Quality.BEST))
    if "category" in known:
        known["category"] = Category(known["category"])
    if "audio_format" in known:
        known["audio_format"] = AudioFormat(known["audio_format"])
    known["subtitles"] = tuple(known.get("subtitles", ()))
    known["headers"] = tuple((name, value) for name, value in known.get("headers", ()))
    known["cookies"] = tuple(Cookie(**cookie) for cookie in known.get("cookies", ()))
    return Request(**known)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
