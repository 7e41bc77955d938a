"""File names: what the server or the address suggests, made safe for every file system.

Sources: RFC 6266 and 8187 (``Content-Disposition``), RFC 2231 continuations, RFC 2047 words and raw UTF-8 as servers
really send them; what Windows refuses (reserved device names, ``<>:"/\\|?*``, trailing dots and blanks).
"""

import mimetypes
import posixpath
import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes, urlsplit

MAX_NAME_BYTES = 200
"""Below the 255 of common file systems, so that `` (1)`` and a suffix for temporary files fit too."""
FALLBACK_NAME = "download"

_REMOVED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_RESERVED = re.compile(r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|CLOCK\$|(?:COM|LPT)[0-9¹²³])", re.IGNORECASE)
_MISLEADING = re.compile(r"\.(?:desktop|url|webloc|lnk|scf|library-ms|part|crdownload|ytdl)$", re.IGNORECASE)
"""Shortcuts that run something when opened, and names of unfinished files."""
_PARAMETER = re.compile(r"(?:^|;)\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(\"(?:\\.|[^\"\\])*\"|[^;]*)")
_GENERIC_TYPES = frozenset({"application/octet-stream", "text/plain", "binary/octet-stream"})


def safe_name(text: str) -> str:
    """``text`` as one path component of at most :data:`MAX_NAME_BYTES` bytes that is harmless everywhere."""
    if not (text.isascii() and text.isprintable()):
        whole = unicodedata.normalize("NFC", text)
        text = "".join(c for c in whole if unicodedata.category(c) not in _REMOVED_CATEGORIES)
    text = " ".join(_FORBIDDEN.sub("_", text).split())
    text = _stripped(text)
    if _RESERVED.fullmatch(text.partition(".")[0].strip()):
        text = f"_{text}"
    text = _shortened(text, MAX_NAME_BYTES - 1)
    if _MISLEADING.search(text):
        text += "_"
    return text or FALLBACK_NAME


def numbered(name: str, number: int) -> str:
    """``name (1).ext`` and so on; ``number`` 0 is ``name`` itself."""
    if number == 0:
        return name
    stem, suffix = split_suffix(name)
    return f"{stem} ({number}){suffix}"


def split_suffix(name: str) -> tuple[str, str]:
    """Stem and extension (with its dot; of ``.tar.gz`` both)."""
    stem, suffix = posixpath.splitext(name)
    if stem.lower().endswith(".tar"):
        stem, suffix = stem[:-4], stem[-4:] + suffix
    return (stem, suffix) if stem and 1 < len(suffix.encode()) <= 20 and " " not in suffix else (name, "")


def suggested_name(headers: Mapping[str, str], url: str, first_url: str) -> str:
    """The name for an answer with ``headers`` (lower-case names, Latin-1 values) from ``url``.

    The header's name wins, then the last part of ``url`` if it looks like a file, then that of ``first_url``, from
    where redirects led to ``url``.
    """
    named = disposition_name(headers.get("content-disposition", ""))
    if named:
        return safe_name(named)
    candidates = [name for name in (_url_name(url), _url_name(first_url)) if name]
    name = next((name for name in candidates if split_suffix(name)[1]), candidates[0] if candidates else FALLBACK_NAME)
    name = safe_name(name)
    if not split_suffix(name)[1]:
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        name += "" if media_type in _GENERIC_TYPES else mimetypes.guess_extension(media_type) or ""
    return name


def disposition_name(header: str) -> str | None:
    """The file name in a ``Content-Disposition`` value (Latin-1 text), without any folder; not yet safe."""
    parameters: dict[str, str] = {}
    for match in _PARAMETER.finditer(header):
        parameters.setdefault(match[1].lower(), _unquoted(match[2].strip()))
    name = (
        _extended(parameters.get("filename*", "")) or _continued(parameters) or _plain(parameters.get("filename", ""))
    )
    return re.split(r"[/\\]", name)[-1] or None if name else None


def _unquoted(value: str) -> str:
    return re.sub(r'\\(["\\])', r"\1", value[1:-1]) if len(value) > 1 and value[0] == value[-1] == '"' else value


def _extended(value: str) -> str | None:
    """RFC 8187: ``UTF-8'en'na%C3%AFve.txt``."""
    charset, quote, rest = value.partition("'")
    _, second_quote, encoded = rest.partition("'")
    if not (quote and second_quote):
        return None
    try:
        return unquote_to_bytes(encoded).decode(charset or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return _text(unquote_to_bytes(encoded))


def _continued(parameters: Mapping[str, str]) -> str | None:
    """RFC 2231: ``filename*0*=…; filename*1=…``."""
    pieces: list[str] = []
    while (number := len(pieces)) < 100:
        piece = parameters.get(f"filename*{number}*", parameters.get(f"filename*{number}"))
        if piece is None:
            break
        pieces.append(piece)
    joined = "".join(pieces)
    return _extended(joined) or _plain(joined) if joined else None


def _plain(value: str) -> str | None:
    """``filename=`` as servers send it: Latin-1, raw UTF-8, percent-encoded or RFC 2047 words."""
    text = _text(value.encode("latin-1", "replace"))
    if "=?" in text:
        from email.errors import HeaderParseError
        from email.header import decode_header, make_header

        try:
            return str(make_header(decode_header(text)))
        except (HeaderParseError, LookupError, ValueError):
            return text
    return _text(unquote_to_bytes(text)) if re.search(r"%[0-9A-Fa-f]{2}", text) else text


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _url_name(url: str) -> str:
    return re.split(r"[/\\]", _text(unquote_to_bytes(urlsplit(url).path.rpartition("/")[2])))[-1]


def _stripped(text: str) -> str:
    return text.lstrip(" .-~").rstrip(" .")


def _shortened(text: str, limit_bytes: int) -> str:
    if len(text.encode()) <= limit_bytes:
        return text
    stem, suffix = split_suffix(text)
    room = limit_bytes - len(suffix.encode())
    return _stripped(stem.encode()[:room].decode(errors="ignore")) + suffix
