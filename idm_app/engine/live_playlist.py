"""What a live stream offers at one moment, and a media playlist of HLS as that (RFC 8216). Pure."""

import re
from dataclasses import dataclass
from urllib.parse import urljoin

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]*)')
_SHORTEST_TARGET_SECONDS = 0.5
_LONGEST_TARGET_SECONDS = 60.0

Header = tuple[str, tuple[int, int] | None]
"""Address and byte range of what has to stand before a piece, unless it stands before an earlier one already."""


@dataclass(frozen=True, slots=True)
class Key:
    """AES-128 for the pieces that follow it. ``iv`` is ``None`` where it is the piece's number."""

    url: str
    iv: bytes | None


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of the stream. ``byte_range``: half-open; ``None``: all of it."""

    number: int
    end: int
    """The number of the piece that follows it."""
    url: str
    byte_range: tuple[int, int] | None = None
    key: Key | None = None
    header: Header | None = None
    zero_at: float | None = None
    """The instant at which the clock of its media stood at 0, if that is known."""

    def goes_on_from(self, number: int) -> bool:
        """Whether it is to come at ``number`` or later. Where numbers are times, those of two pieces may overlap or
        be a little apart: more than half of it has to be new."""
        return self.number + self.end >= 2 * number

    def leaves_out(self, number: int) -> bool:
        """Whether something is missing between ``number``, where it should have begun, and it."""
        return 2 * (self.number - number) > self.end - self.number


@dataclass(frozen=True, slots=True)
class LivePlaylist:
    """What is on offer now."""

    pieces: tuple[Piece, ...]
    target_seconds: float
    """How long a piece is, about."""
    is_ended: bool
    unit_seconds: float
    """How much time there is from one number to the next."""


def parse(text: str, url: str) -> LivePlaylist:
    """``text`` as it was found at ``url``.

    Raises ``ValueError`` for what is no media playlist, or is encrypted otherwise than by AES-128.
    """
    if not text.lstrip("\ufeff").startswith("#EXTM3U"):
        raise ValueError("not a playlist")
    pieces: list[Piece] = []
    number, target, offset = 0, 0.0, 0
    byte_range: tuple[int, int] | None = None
    key: Key | None = None
    header: Header | None = None
    for line in filter(None, map(str.strip, text.splitlines())):
        tag, _, value = line.partition(":")
        match tag:
            case "#EXT-X-MEDIA-SEQUENCE":
                number = int(value)
            case "#EXT-X-TARGETDURATION":
                target = float(value)
            case "#EXT-X-BYTERANGE":
                byte_range = _byte_range(value, offset)
            case "#EXT-X-KEY":
                key = _key(_attributes(value), url)
            case "#EXT-X-MAP":
                attributes = _attributes(value)
                found = attributes.get("BYTERANGE")
                header = urljoin(url, attributes["URI"]), _byte_range(found, 0) if found else None
            case _ if not line.startswith("#"):
                pieces.append(Piece(number, number + 1, urljoin(url, line), byte_range, key, header))
                offset = byte_range[1] if byte_range else 0
                number, byte_range = number + 1, None
    target = min(_LONGEST_TARGET_SECONDS, max(_SHORTEST_TARGET_SECONDS, target))
    return LivePlaylist(tuple(pieces), target, "#EXT-X-ENDLIST" in text, unit_seconds=target)


def _attributes(text: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(text)}


def _byte_range(text: str, offset: int) -> tuple[int, int]:
    length, _, start = text.partition("@")
    begin = int(start) if start else offset
    return begin, begin + int(length)


def _key(attributes: dict[str, str], url: str) -> Key | None:
    method = attributes.get("METHOD", "NONE")
    if method == "NONE":
        return None
    if method != "AES-128" or attributes.get("KEYFORMAT", "identity") != "identity":
        raise ValueError(f"encrypted by {method} {attributes.get('KEYFORMAT', '')}")
    iv = attributes.get("IV")
    return Key(urljoin(url, attributes["URI"]), bytes.fromhex(iv[2:].zfill(32)) if iv else None)
