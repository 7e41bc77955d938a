"""Bodies that come compressed although they were asked for plain (``Content-Encoding``, RFC 9110 §8.4)."""

import zlib
from typing import Protocol

from idm_app.errors import DownloadError

_BOMB_BYTES = 32 << 20
_BOMB_RATIO = 100
"""What grows beyond both is no file but an attack: real ones seldom shrink to less than a thirtieth."""
_ARCHIVE_SUFFIXES = (".gz", ".tgz", ".gzip", ".svgz", ".br", ".z")
_ARCHIVE_TYPES = frozenset(
    {"application/gzip", "application/x-gzip", "application/x-tgz", "application/x-compressed-tar"}
)


class _Decompressor(Protocol):
    def decompress(self, data: bytes, /) -> bytes: ...


class Decoder:
    """Turns the bytes that come into those of the file."""

    def __init__(self, decompressor: _Decompressor) -> None:
        self._decompressor = decompressor
        self._taken_bytes = 0
        self._given_bytes = 0

    def decode(self, buffer: bytes) -> bytes:
        """The plain bytes of ``buffer``. Raises :class:`DownloadError` for nonsense and for bombs."""
        try:
            plain = self._decompressor.decompress(buffer)
        except Exception as error:  # zlib.error, brotli.error: without a common base
            raise DownloadError("unexpected-answer", f"broken compression: {error}") from error
        self._taken_bytes += len(buffer)
        self._given_bytes += len(plain)
        if self._given_bytes > max(_BOMB_BYTES, self._taken_bytes * _BOMB_RATIO):
            raise DownloadError("unexpected-answer", f"{self._taken_bytes} bytes unpack to more than {_BOMB_BYTES}")
        return plain

    @property
    def is_complete(self) -> bool:
        """Whether the compressed body has come to its own end."""
        return bool(getattr(self._decompressor, "eof", True))


def decoder_for(encoding: str, file_name: str, media_type: str) -> Decoder | None:
    """What undoes ``encoding``; ``None`` if the body is to be kept as it comes.

    An archive that a server marks as encoded by its own suffix (``x.tar.gz`` as gzip) is kept: it is the file.
    """
    if file_name.lower().endswith(_ARCHIVE_SUFFIXES) or media_type in _ARCHIVE_TYPES:
        return None
    match encoding.strip().lower():
        case "gzip" | "x-gzip" | "deflate":
            return Decoder(zlib.decompressobj(zlib.MAX_WBITS | 32))
        case "br":
            import brotli  # type: ignore[import-untyped]

            return Decoder(brotli.Decompressor())
        case _:
            return None
