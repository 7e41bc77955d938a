"""What an address offers, as a person reads it. Pure."""

from dataclasses import replace
from typing import Any

from babel import Locale, UnknownLocaleError

from idm_app.categories import category_of
from idm_app.dashboard.words import Words
from idm_app.engine.messages import Offered
from idm_app.model import AudioFormat, Category, Extra, Kind, Quality, Request
from idm_app.units import format_bytes, format_duration

Choice = dict[str, str]
"""``value`` for the machine, ``label`` for the person."""

_ICONS = {
    "playlist": "playlist_play",
    Category.COMPRESSED: "folder_zip",
    Category.DOCUMENTS: "description",
    Category.MUSIC: "music_note",
    Category.PROGRAMS: "widgets",
    Category.VIDEO: "movie",
    Category.OTHER: "insert_drive_file",
}
_SMOOTH_FPS = 40
"""Faster pictures are worth telling: ``1080p60``."""


def offer_state(offered: Offered, words: Words) -> dict[str, Any]:
    """What ``assets/add_form.js`` shows of it."""
    kind = Kind(offered.kind)
    category = "playlist" if kind is Kind.PLAYLIST else category_of(offered.filename, kind)
    facts = [words("offer.playlist") if kind is Kind.PLAYLIST else words(f"category.{category}")]
    if kind is Kind.PLAYLIST:
        facts.append(words("offer.entries", count=len(offered.entries)))
    facts += [format_duration(offered.duration_seconds), _size(offered.total_bytes, offered.total_is_estimate)]
    return {
        "kind": kind,
        "category": category,
        "icon": _ICONS[category],
        "title": offered.title or offered.filename or "",
        "facts": " · ".join(fact for fact in facts if fact),
        "qualities": qualities(offered, words),
        "subtitles": [{"value": language, "label": _language(language, words)} for language in offered.subtitles],
        "entries": [
            {
                "index": entry["index"],
                "title": entry.get("title") or entry["url"],
                "duration": format_duration(entry.get("duration_seconds")),
            }
            for entry in offered.entries
        ],
    }


def any_qualities(words: Words) -> list[Choice]:
    """What can be chosen before anything is known, and for all entries of a playlist."""
    pictures = [quality for quality in Quality if quality not in (Quality.BEST, Quality.AUDIO)]
    return [
        _choice("quality", Quality.BEST, words("offer.best")),
        *(_choice("quality", quality, words("offer.at_most", quality=quality)) for quality in pictures),
        *_sounds(words),
    ]


def qualities(offered: Offered, words: Words) -> list[Choice]:
    """The qualities of this very media, the best first: ``1080p · mp4 · 412 MB``."""
    if offered.kind == Kind.FILE:
        return []
    if not offered.formats:
        return any_qualities(words)
    choices = {words("offer.best"): _choice("quality", Quality.BEST, words("offer.best"))}
    for one in offered.formats:
        if one["has_video"]:
            choices.setdefault(_kind_of_picture(one), _choice("format", one["format_id"], _picture(one)))
    return [*choices.values(), *_sounds(words)]


def extras(words: Words) -> list[Choice]:
    """What can be put into the file; ``hint``: what that brings with it."""
    choices = [{"value": str(extra), "label": words(f"offer.extra.{extra}")} for extra in Extra]
    return [c | {"hint": words("offer.asks_sponsorblock")} if c["value"] == Extra.SPONSORS else c for c in choices]


def with_quality(request: Request, value: str) -> Request:
    """``request`` with what was chosen of :func:`qualities`. Raises ``ValueError`` for what never was on offer."""
    what, _, which = value.partition(":")
    match what:
        case "quality":
            return replace(request, quality=Quality(which))
        case "format" if which.isascii() and len(which) <= 80:
            return replace(request, format_id=which)
        case "audio":
            return replace(request, quality=Quality.AUDIO, audio_format=AudioFormat(which))
    raise ValueError(value)


def _sounds(words: Words) -> list[Choice]:
    converted = (_choice("audio", name, words("offer.audio_as", format=name)) for name in AudioFormat)
    return [_choice("quality", Quality.AUDIO, words("offer.audio")), *converted]


def _choice(what: str, which: str, label: str) -> Choice:
    return {"value": f"{what}:{which}", "label": label}


def _kind_of_picture(one: dict[str, Any]) -> str:
    fps = one["fps"] or 0
    quality = one["quality"] or (f"{one['height']}p" if one["height"] else "")
    smooth = f"{quality}{round(fps)}" if quality and fps > _SMOOTH_FPS else quality
    return " · ".join(part for part in (smooth, one["extension"]) if part) or str(one["format_id"])


def _picture(one: dict[str, Any]) -> str:
    size = _size(one["total_bytes"], one["total_is_estimate"])
    return f"{_kind_of_picture(one)} · {size}" if size else _kind_of_picture(one)


def _size(total_bytes: int | None, is_estimate: bool) -> str:
    return ("~" if is_estimate else "") + format_bytes(total_bytes) if total_bytes else ""


def _language(code: str, words: Words) -> str:
    try:
        name = Locale.parse(code, sep="-").get_display_name(words.language)
    except (ValueError, UnknownLocaleError):
        return code
    return name or code
