"""What an address offers, for a person to choose from: formats, subtitles, entries. Pure."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from idm_app.engine.media_plan import Info, duration_of, entries_of, final_name, size_of, title_of
from idm_app.engine.messages import Offered

MOST_EXTRACTION_BYTES = 4 << 20
"""A larger extraction is made again rather than carried about."""
_CODECS = {"avc": "h264", "h264": "h264", "hev": "h265", "hvc": "h265", "vp9": "vp9", "vp09": "vp9", "av01": "av1"}


def media_offer(info: Info, clean_info: Mapping[str, Any]) -> Offered:
    """One video or sound. ``clean_info`` is what a download of it can begin with."""
    title = title_of(info)
    total, is_estimate = size_of(info)
    return Offered(
        kind="media",
        title=title,
        filename=final_name(title, None, info.get("ext") or ""),
        total_bytes=total,
        total_is_estimate=is_estimate,
        thumbnail_url=_web_address(info.get("thumbnail")),
        duration_seconds=duration_of(info),
        formats=tuple(choices_of(info)),
        subtitles=tuple(subtitles_of(info)),
        extraction=_extraction(clean_info),
    )


def playlist_offer(info: Info, page_url: str) -> Offered:
    """Several."""
    entries = entries_of(info, page_url)
    return Offered(
        kind="playlist",
        title=info.get("title"),
        thumbnail_url=_web_address(info.get("thumbnail")),
        entries=tuple(
            {
                "index": int(entry.get("playlist_index") or number),
                "url": found["url"],
                "title": found["title"],
                "duration_seconds": entry.get("duration"),
                "thumbnail_url": _web_address(entry.get("thumbnail") or _last_url(entry.get("thumbnails"))),
            }
            for number, (entry, found) in enumerate(zip(filter(None, info["entries"]), entries, strict=True), 1)
        ),
        extraction=_extraction({"_type": "playlist", "title": info.get("title"), "entries": entries}),
    )


def choices_of(info: Info) -> list[dict[str, Any]]:
    """What can be had, best first; of formats that a person could not tell apart only the best.

    A picture without sound is joined with the best sound when it is chosen, so both sizes count.
    """
    formats = [f for f in info.get("formats") or [info] if _has(f, "vcodec") or _has(f, "acodec")]
    sounds = [f for f in formats if not _has(f, "vcodec")]
    best_sound = sounds[-1] if sounds else None
    choices: dict[tuple[object, ...], dict[str, Any]] = {}
    for media_format in reversed(formats):
        choice = _choice(media_format, None if _has(media_format, "acodec") else best_sound, info)
        key = ("quality", "height", "extension", "video_codec", "audio_codec", "has_video", "has_audio")
        choices.setdefault((*map(choice.get, key), round(choice["fps"] or 0)), choice)
    return list(choices.values())


def subtitles_of(info: Info) -> list[str]:
    """Languages; where nobody wrote any, the one that the site made of the speech."""
    written = sorted(language for language in info.get("subtitles") or {} if language != "live_chat")
    made = (language for language in info.get("automatic_captions") or {} if language.endswith("-orig"))
    return written or [language.removesuffix("-orig") for language in made]


def _choice(media_format: Info, sound: Info | None, info: Info) -> dict[str, Any]:
    has_video = _has(media_format, "vcodec")
    total, is_estimate = size_of(media_format, info)
    if sound is not None:
        sound_total, sound_is_estimate = size_of(sound, info)
        is_estimate = total is not None and (is_estimate or sound_is_estimate or sound_total is None)
        total = None if total is None else total + (sound_total or 0)
    height = media_format.get("height") if has_video else None
    return {
        "format_id": str(media_format.get("format_id")),
        "quality": f"{height}p" if height else None if has_video else _bit_rate(media_format),
        "height": height,
        "fps": media_format.get("fps") if has_video else None,
        "extension": media_format.get("ext"),
        "video_codec": _codec(media_format.get("vcodec")) if has_video else None,
        "audio_codec": _codec((sound or media_format).get("acodec")),
        "total_bytes": total,
        "total_is_estimate": is_estimate,
        "has_video": has_video,
        "has_audio": sound is not None or _has(media_format, "acodec"),
    }


def _has(media_format: Info, track: str) -> bool:
    """Whether it has this track; one that says nothing about it has, but for storyboards."""
    return media_format.get(track) != "none" and media_format.get("ext") != "mhtml"


def _bit_rate(media_format: Info) -> str | None:
    rate = media_format.get("abr") or media_format.get("tbr")
    return f"{round(rate)} kbit/s" if rate else None


def _codec(name: str | None) -> str | None:
    if not name or name == "none":
        return None
    short = name.partition(".")[0].lower()
    return (
        "aac" if short == "mp4a" else next((codec for head, codec in _CODECS.items() if short.startswith(head)), short)
    )


def _last_url(thumbnails: Iterable[Mapping[str, Any]] | None) -> str | None:
    """yt-dlp lists the best last."""
    return next((picture.get("url") for picture in reversed(list(thumbnails or ()))), None)


def _web_address(url: str | None) -> str | None:
    return url if url and urlsplit(url).scheme in ("http", "https") else None


def _extraction(info: Mapping[str, Any]) -> str | None:
    text = json.dumps(info)
    return text if len(text) <= MOST_EXTRACTION_BYTES else None
