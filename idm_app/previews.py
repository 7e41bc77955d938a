"""Which finished files may be shown inside a page, and as what: by their extension, from a list. Pure.

Nothing on the list can run a script: no HTML, no SVG, no XML. With ``nosniff`` a browser takes the type as it is said.
"""

from pathlib import PurePosixPath

_TYPES = {
    "image": {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "gif": "gif", "webp": "webp", "avif": "avif", "bmp": "bmp"},
    "video": {"mp4": "mp4", "m4v": "mp4", "webm": "webm", "ogv": "ogg", "mkv": "x-matroska", "mov": "mp4"},
    "audio": {"mp3": "mpeg", "m4a": "mp4", "aac": "aac", "ogg": "ogg", "oga": "ogg", "opus": "ogg", "flac": "flac"}
    | {"wav": "wav"},
    "application": {"pdf": "pdf"},
}
_BY_EXTENSION = {extension: f"{kind}/{name}" for kind, names in _TYPES.items() for extension, name in names.items()}


def preview_type(filename: str | None) -> str | None:
    """The media type as which ``filename`` is shown; ``None``: not at all."""
    return _BY_EXTENSION.get(PurePosixPath(filename or "").suffix.lower().lstrip("."))


def plays_early(filename: str | None) -> bool:
    """Whether its beginning is worth something before its end is there."""
    return preview_kind(filename) in ("video", "audio")


def preview_kind(filename: str | None) -> str | None:
    """``image``, ``video``, ``audio``, ``pdf`` or ``None``."""
    media_type = preview_type(filename)
    return media_type and ("pdf" if media_type == "application/pdf" else media_type.split("/")[0])
