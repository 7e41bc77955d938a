"""What yt-dlp has found out about an address, in our words: title, streams and their sizes, entries. Pure."""

from collections.abc import Mapping
from typing import Any

from idm_app.engine.names import safe_name
from idm_app.engine.progress import StreamCount

Info = Mapping[str, Any]
_CODECS = {"mp3": ("mp3",), "m4a": ("mp4a", "aac"), "opus": ("opus",)}
"""Those of each sound format: what has one already is only put into another container."""


def title_of(info: Info) -> str | None:
    """The title, without the number that yt-dlp puts behind that of a page's only video."""
    title = info.get("title")
    if title and info.get("extractor_key") == "HTML5MediaEmbed" and str(info.get("id", "")).endswith("-1"):
        title = title.removesuffix(" (1)")
    return str(title) if title else None


def final_name(title: str | None, wanted: str | None, extension: str) -> str:
    """The finished file's name: ``wanted`` by the user, else the title; the extension is that of the file."""
    dotted = f".{extension.lstrip('.')}" if extension.strip(".") else ""
    name = safe_name(wanted or title or "video")
    return safe_name(name if name.lower().endswith(dotted) else name + dotted)


def is_converted(info: Info, audio_format: str | None) -> bool:
    """Whether the sound will be encoded anew to become ``audio_format``, as far as can be known."""
    codec = str(formats_of(info)[-1].get("acodec") or "").partition(".")[0]
    return audio_format is not None and codec not in _CODECS[audio_format]


def formats_of(info: Info) -> list[Info]:
    """The formats that will be fetched: one, or picture and sound apart."""
    return list(info.get("requested_formats") or [info])


def stream_name(media_format: Info) -> str:
    """``audio`` or ``video``."""
    return "audio" if media_format.get("vcodec") == "none" else "video"


def stream_counts(info: Info) -> dict[str, StreamCount]:
    """Every stream by its format id, with the best that is known of its size before the first byte."""
    counts = {}
    for media_format in formats_of(info):
        total, is_estimate = size_of(media_format, info)
        count = StreamCount(stream_name(media_format), 0, total, is_estimate, media_format.get("tbr"))
        counts[str(media_format.get("format_id"))] = count
    return counts


def duration_of(info: Info) -> float | None:
    """In seconds; where nobody says it, that of all fragments. What is live has none."""
    if info.get("is_live"):
        return None
    fragments = formats_of(info)[0].get("fragments")
    lengths = [fragment.get("duration") for fragment in fragments] if isinstance(fragments, list) else []
    return info.get("duration") or sum(filter(None, lengths)) or None


def size_of(media_format: Info, info: Info | None = None) -> tuple[int | None, bool]:
    """The best that is known of a format's size in bytes, and whether it is an estimate. ``info``: the whole's."""
    if exact := media_format.get("filesize"):
        return int(exact), False
    rate, seconds = media_format.get("tbr"), duration_of(info or media_format)
    guess = media_format.get("filesize_approx") or (rate * 1000 / 8 * seconds if rate and seconds else None)
    return (int(guess), True) if guess else (None, False)


def entries_of(info: Info, page_url: str) -> tuple[dict[str, Any], ...]:
    """A playlist's entries as ``{"url", "title"}``.

    One that is only to be found on the playlist's own page has that address and its number as ``playlist_items``.
    """
    entries = []
    for number, entry in enumerate(info.get("entries") or (), 1):
        if not entry:
            continue
        url = entry.get("url") if str(entry.get("_type", "video")).startswith("url") else entry.get("webpage_url")
        shape = {"url": url or page_url, "title": title_of(entry)}
        if shape["url"] == page_url or not entry.get("_type", "video").startswith("url"):
            shape |= {"url": page_url, "playlist_items": str(entry.get("playlist_index") or number)}
        entries.append(shape)
    return tuple(entries)
