"""Compressed bodies, in whatever pieces they arrive."""

import gzip
import random
import zlib
from collections.abc import Callable

import brotli
import pytest

from idm_app.engine.decoding import Decoder, decoder_for
from idm_app.errors import DownloadError

TEXT = random.Random(1).randbytes(40_000) + b"again and again " * 200_000


def raw_deflate(plain: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(plain) + packing.flush()


def two_members(plain: bytes) -> bytes:
    return gzip.compress(plain[:70_000]) + gzip.compress(plain[70_000:])


def padded(plain: bytes) -> bytes:
    return gzip.compress(plain) + bytes(700)


def decoder(encoding: str) -> Decoder:
    found = decoder_for(encoding, "a.txt", "text/plain")
    assert found is not None
    return found


PACKED: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", two_members),
    ("gzip", padded),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("Identity, BR", brotli.compress),
]


@pytest.mark.parametrize(("encoding", "packed"), PACKED, ids=lambda value: getattr(value, "__name__", value))
@pytest.mark.parametrize("step_bytes", [1, 999, 1 << 20])
def test_the_whole_comes_out_and_its_end_is_known(
    encoding: str, packed: Callable[[bytes], bytes], step_bytes: int
) -> None:
    body, unpacking = packed(TEXT), decoder(encoding)
    pieces = [unpacking.decode(body[start : start + step_bytes]) for start in range(0, len(body), step_bytes)]
    assert b"".join(pieces) == TEXT
    assert unpacking.is_complete


@pytest.mark.parametrize(("encoding", "packed"), PACKED, ids=lambda value: getattr(value, "__name__", value))
def test_half_of_it_is_not_complete(encoding: str, packed: Callable[[bytes], bytes]) -> None:
    body, unpacking = packed(TEXT), decoder(encoding)
    assert TEXT.startswith(unpacking.decode(body[: len(body) // 2]))
    assert not unpacking.is_complete


@pytest.mark.parametrize(("encoding", "packed"), [("gzip", gzip.compress), ("br", brotli.compress)])
def test_a_bomb_is_noticed(encoding: str, packed: Callable[[bytes], bytes]) -> None:
    with pytest.raises(DownloadError) as refusal:
        decoder(encoding).decode(packed(bytes(100 << 20)))
    assert "unpack to more than" in refusal.value.detail


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_nonsense_is_refused(encoding: str) -> None:
    with pytest.raises(DownloadError) as refusal:
        decoder(encoding).decode(b"\xff" * 5000)
    assert refusal.value.failure_code == "unexpected-answer"


@pytest.mark.parametrize(
    ("encoding", "name", "media_type"),
    [
        ("gzip", "a.tar.gz", "application/x-tar"),
        ("gzip", "a", "application/x-gzip"),
        ("zstd", "a.tar.zst", ""),
        ("bzip2", "a.tar.bz2", ""),
        ("utf-8", "a.txt", "text/plain"),
        ("aws-chunked", "a.bin", ""),
    ],
)
def test_what_is_not_packed_for_the_way_is_kept(encoding: str, name: str, media_type: str) -> None:
    assert decoder_for(encoding, name, media_type) is None


def test_an_archive_that_is_packed_once_more_for_the_way_is_unpacked_once() -> None:
    assert decoder_for("br", "a.tar.gz", "application/gzip") is not None


@pytest.mark.parametrize("encoding", ["zstd", "gzip, gzip", "gzip, br", "compress"])
def test_what_cannot_be_unpacked_is_no_file(encoding: str) -> None:
    with pytest.raises(DownloadError) as refusal:
        decoder_for(encoding, "a.txt", "text/plain")
    assert encoding in refusal.value.detail
