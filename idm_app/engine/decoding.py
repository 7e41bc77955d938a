"""Bodies that come compressed although they were asked for plain (``Content-Encoding``, RFC 9110 §8.4)."""

import zlib
from collections.abc import Iterator
from typing import Protocol

from idm_app.errors import DownloadError

_BOMB_BYTES = 32 << 20
_BOMB_RATIO = 100
"""What grows beyond both is no file but an attack: real ones seldom shrink to less than a thirtieth."""
_PIECE_BYTES = 1 << 20
"""Unpacked at a time: a bomb is noticed before it fills the memory."""
_OWN_SUFFIXES = {
    "gzip": (".gz", ".tgz", ".gzip", ".svgz"),
    "br": (".br",),
    "compress": (".z",),
    "zstd": (".zst", ".tzst"),
}
_ARCHIVE_TYPES = frozenset(
    {"application/gzip", "application/x-gzip", "application/x-tgz", "application/x-compressed-tar"}
)
_NOT_UNDONE = frozenset({"aes128gcm", "compress", "dcb", "dcz", "exi", "pack200-gzip", "zstd"})
"""The other codings that exist; what else servers write there (``utf-8``, ``aws-chunked``) encodes nothing."""
_GZIP_BEGINNING = b"\x1f\x8b"


class _Unpacker(Protocol):
    def pieces(self, packed: bytes) -> Iterator[bytes]:
        """What the next ``packed`` bytes hold, little by little."""

    @property
    def is_complete(self) -> bool: ...


class Decoder:
    """Turns the bytes that come into those of the file."""

    def __init__(self, unpacker: _Unpacker) -> None:
        self._unpacker = unpacker
        self._taken_bytes = 0
        self._given_bytes = 0

    def decode(self, buffer: bytes) -> bytes:
        """The plain bytes of ``buffer``. Raises :class:`DownloadError` for nonsense and for bombs."""
        self._taken_bytes += len(buffer)
        plain: list[bytes] = []
        try:
            for piece in self._unpacker.pieces(buffer):
                plain.append(piece)
                self._given_bytes += len(piece)
                if self._given_bytes > max(_BOMB_BYTES, self._taken_bytes * _BOMB_RATIO):
                    break
            else:
                return b"".join(plain)
        except Exception as error:  # zlib.error, brotli.error: without a common base
            raise DownloadError("unexpected-answer", f"broken compression: {error}") from error
        raise DownloadError("unexpected-answer", f"{self._taken_bytes} bytes unpack to more than {_BOMB_BYTES}")

    @property
    def is_complete(self) -> bool:
        """Whether the compressed body has come to its own end."""
        return self._unpacker.is_complete


def decoder_for(encoding: str, file_name: str, media_type: str) -> Decoder | None:
    """What undoes ``encoding``; ``None`` if the body is to be kept as it comes.

    An archive that a server marks as encoded by its own suffix (``x.tar.gz`` as gzip) is kept: it is the file. Raises
    :class:`DownloadError` for an encoding that cannot be undone.
    """
    codings = [name.strip().lower().removeprefix("x-") for name in encoding.split(",")]
    match [name for name in codings if name not in ("", "identity")]:
        case [coding] if file_name.lower().endswith(_OWN_SUFFIXES.get(coding, ())):
            return None
        case ["gzip"] if media_type in _ARCHIVE_TYPES:
            return None
        case ["gzip" | "deflate" as coding]:
            return Decoder(_Zlib(may_be_raw=coding == "deflate"))
        case ["br"]:
            return Decoder(_Brotli())
        case [coding] if coding not in _NOT_UNDONE:
            return None
    raise DownloadError("unexpected-answer", f"Content-Encoding: {encoding}")


class _Zlib:
    """gzip in one or several members, or deflate with its header; ``may_be_raw``: or, as some send it, without."""

    def __init__(self, *, may_be_raw: bool) -> None:
        self._may_be_raw = may_be_raw
        self._member = zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._has_begun = False
        self._held = b""

    @property
    def is_complete(self) -> bool:
        return self._member.eof

    def pieces(self, packed: bytes) -> Iterator[bytes]:
        left = self._held + packed
        self._held = b""
        while left:
            if not self._has_begun or self._member.eof:
                if len(left) < len(_GZIP_BEGINNING):
                    self._held = left
                    return
                if not self._begin(left):
                    return
            yield (piece := self._member.decompress(left, _PIECE_BYTES))
            while len(piece) == _PIECE_BYTES:
                yield (piece := self._member.decompress(self._member.unconsumed_tail, _PIECE_BYTES))
            left = self._member.unused_data

    def _begin(self, beginning: bytes) -> bool:
        """Whether something begins here. What follows the end and is not gzip again fills up and means nothing."""
        if self._has_begun:
            if not beginning.startswith(_GZIP_BEGINNING):
                return False
            self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        elif self._may_be_raw and int.from_bytes(beginning[:2]) % 31 and not beginning.startswith(_GZIP_BEGINNING):
            self._member = zlib.decompressobj(-zlib.MAX_WBITS)
        self._has_begun = True
        return True


class _Brotli:
    def __init__(self) -> None:
        import brotli  # type: ignore[import-untyped]

        self._stream = brotli.Decompressor()

    @property
    def is_complete(self) -> bool:
        return bool(self._stream.is_finished())

    def pieces(self, packed: bytes) -> Iterator[bytes]:
        yield (piece := self._stream.process(packed, output_buffer_limit=_PIECE_BYTES))
        while len(piece) >= _PIECE_BYTES or not self._stream.can_accept_more_data():
            yield (piece := self._stream.process(b"", output_buffer_limit=_PIECE_BYTES))
