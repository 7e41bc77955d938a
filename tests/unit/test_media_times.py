"""Fragmented MP4, moved in time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idm_app.engine.media_times import is_last, moved, timescales


def box(kind: bytes, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return (len(content) + 8).to_bytes(4, "big") + kind + content


def number(value: int, size: int = 4) -> bytes:
    return value.to_bytes(size, "big")


def header(track: int, scale: int, version: int = 0) -> bytes:
    times = bytes(16 if version else 8)
    flags = bytes([version, 0, 0, 0])
    track_head = box(b"tkhd", flags, times, number(track), bytes(60))
    media_head = box(b"mdhd", flags, times, number(scale), bytes(8))
    return box(b"ftyp", b"iso5") + box(b"moov", box(b"trak", track_head, box(b"mdia", media_head)))


def piece(track: int, time: int, version: int = 1) -> bytes:
    begin = box(b"tfdt", bytes([version, 0, 0, 0]), number(time, 8 if version else 4))
    fragment = box(b"moof", box(b"traf", box(b"tfhd", bytes(4), number(track)), begin, box(b"trun", b"\x07" * 12)))
    return box(b"styp", b"msdh") + fragment + box(b"mdat", b"tfdt" * 9)


@pytest.mark.parametrize("version", [0, 1])
def test_a_header_tells_the_ticks_of_a_second(version: int) -> None:
    assert timescales(header(3, 48_000, version)) == {3: 48_000}


@pytest.mark.parametrize("version", [0, 1])
def test_a_piece_is_moved(version: int) -> None:
    assert moved(piece(3, 96_000, version), {3: 48_000}, -1.5) == piece(3, 24_000, version)


@pytest.mark.parametrize(
    "case",
    [
        (piece(3, 100), {4: 48_000}, 1.0),
        (piece(3, 100), {3: 48_000}, -1.0),
        (piece(3, 100, 0), {3: 48_000}, 1e6),
        (b"\x1a\x45\xdf\xa3 a webm", {3: 1000}, 1.0),
        (b"", {}, 1.0),
    ],
)
def test_what_cannot_be_moved_stays(case: tuple[bytes, dict[int, int], float]) -> None:
    assert moved(*case) == case[0]


def test_the_last_one_says_so() -> None:
    assert is_last(box(b"styp", b"msdh", b"lmsg"))
    assert not is_last(piece(1, 1))


@given(st.binary(max_size=200), st.integers(0, 200))
def test_nothing_makes_it_fail(noise: bytes, at: int) -> None:
    for content in (noise, piece(1, 5)[:at] + noise, header(1, 5)[:at] + noise):
        timescales(content)
        assert len(moved(content, {1: 5}, 3.0)) == len(content)
