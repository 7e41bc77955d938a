"""Lists that other programs wrote, as entries of our own: plain text, aria2's session file, MeTube's state. Pure.

Shapes: aria2's "Input File" (https://aria2.github.io/manual/en/html/aria2c.html#input-file), which ``--save-session``
writes; MeTube's ``.metube/{queue,pending,completed}.json`` (``{"kind": "persistent_queue:…", "items": [{"info": …}]}``)
and the answer of its ``GET /history`` (``{"done": […], "queue": […], "pending": […]}``).
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from idm_app.errors import InvalidField

Entry = dict[str, Any]
"""The fields of one download, unchecked; ``where`` says where it stood, for people."""

_HASHES = {"sha-1": "sha1", "sha-256": "sha256", "sha-512": "sha512", "md5": "md5"}
_METUBE_STATUSES = {"finished": "completed", "error": "failed"}
_FACTORS = {"K": 1024, "M": 1024**2}


def read_text(text: str) -> tuple[str, list[Entry] | dict[str, Any]]:
    """The format's name and its entries, or our own document as it stands.

    Raises :class:`InvalidField` for what is none of the formats.
    """
    text = text.removeprefix("\ufeff")
    if text.lstrip().startswith(("{", "[")):
        try:
            return read_document(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise InvalidField("text", "This looks like JSON but cannot be read. Is the file complete?") from error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if not _is_comment(line)]
    if any(line[0] in " \t" for _, line in lines):
        return "aria2", list(_aria2_entries(lines))
    return "list", [{"where": f"line {number}", "url": line.strip()} for number, line in lines]


def read_document(document: Any) -> tuple[str, list[Entry] | dict[str, Any]]:
    """Like :func:`read_text`, for JSON."""
    match document:
        case {"format": "idm"}:
            return "idm", document
        case {"text": str(text), **others} if not others:
            return read_text(text)
        case list():
            return "list", [{"where": f"[{number}]", "url": url} for number, url in enumerate(document)]
        case {"kind": str(kind), "items": list(items)} if kind.startswith("persistent_queue"):
            found = (item.get("info") if isinstance(item, dict) else None for item in items)
            return "metube", list(_metube_entries("items", found))
        case {"done": list(done), "queue": list(queue)}:
            pending = document.get("pending")
            parts = {"queue": queue, "pending": pending if isinstance(pending, list) else [], "done": done}
            return "metube", [entry for name, part in parts.items() for entry in _metube_entries(name, part)]
    raise InvalidField(
        "body",
        "This is no list that can be read: an export of idm, addresses, a session of aria2, or a state of MeTube.",
    )


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _aria2_entries(lines: Iterable[tuple[int, str]]) -> Iterator[Entry]:
    entry: Entry | None = None
    for number, line in lines:
        if line[0] not in " \t":
            if entry:
                yield entry
            entry = {"where": f"line {number}", "url": line.split("\t")[0].strip()}  # mirrors follow it
        elif entry is None:
            raise InvalidField(f"line {number}", "An option stands before the first address.")
        else:
            _take_aria2_option(entry, *(part.strip() for part in line.partition("=")[::2]))
    if entry:
        yield entry


def _take_aria2_option(entry: Entry, name: str, value: str) -> None:
    """What means the same here; the others are aria2's own."""
    match name:
        case "out":
            entry["filename"] = value
        case "pause" if value == "true":
            entry["status"] = "paused"
        case "referer" if value != "*":
            entry["referrer"] = value
        case "split" if value.isdecimal():
            entry["connections"] = min(32, max(1, int(value)))
        case "max-download-limit" if (rate := _aria2_bytes(value)) >= 1024:
            entry["bytes_per_second_limit"] = rate
        case "checksum" if value.partition("=")[0] in _HASHES:
            algorithm, _, digest = value.partition("=")
            entry["checksum"] = f"{_HASHES[algorithm]}:{digest}"
        case "header" if ":" in value:
            header, _, content = value.partition(":")
            entry.setdefault("headers", {})[header.strip()] = content.strip()


def _aria2_bytes(value: str) -> int:
    number, factor = (value[:-1], _FACTORS[value[-1]]) if value[-1:] in _FACTORS else (value, 1)
    return int(number) * factor if number.isdecimal() else 0


def _metube_entries(place: str, records: Iterable[Any]) -> Iterator[Entry]:
    for number, record in enumerate(records):
        where = f"{place}[{number}]"
        if not isinstance(record, dict):
            raise InvalidField(where, "Not a download of MeTube's.")
        entry: Entry = {
            "where": where,
            "url": record.get("url"),
            "title": record.get("title") or None,
            "directory": record.get("folder") or None,
            "status": _METUBE_STATUSES.get(str(record.get("status")), "paused" if place == "pending" else "queued"),
        }
        quality, media_format = str(record.get("quality", "")), str(record.get("format", ""))
        if record.get("download_type") == "audio" or quality == "audio" or media_format in ("mp3", "m4a", "opus"):
            entry["quality"] = "audio"
            entry["audio_format"] = media_format if media_format in ("mp3", "m4a", "opus") else None
        elif f"{quality}p" in ("2160p", "1440p", "1080p", "720p", "480p"):
            entry["quality"] = f"{quality}p"
        if entry["status"] == "completed" and (name := record.get("filename")):
            entry["saved_as"] = name
        yield entry
