"""Pieces of fragmented MP4 moved in time (ISO/IEC 14496-12), so that what comes one after the other goes on without a
break, and picture and sound fit. Pure."""

from collections.abc import Iterator, Mapping


def timescales(header: bytes) -> dict[int, int]:
    """How many ticks a second has in each track, by the track's number; none for what is no MP4."""
    found = {}
    for movie in _boxes(memoryview(header), b"moov"):
        for track in _boxes(movie, b"trak"):
            head = next(_boxes(track, b"tkhd"), None)
            media_head = next((box for media in _boxes(track, b"mdia") for box in _boxes(media, b"mdhd")), None)
            if head and media_head:
                found[_number(head, 20 if head[0] else 12)] = _number(media_head, 20 if media_head[0] else 12)
    return found


def moved(piece: bytes, scales: Mapping[int, int], seconds: float) -> bytes:
    """``piece`` with all of it ``seconds`` later. What would begin before 0, or at more than can be written, stays."""
    content = memoryview(bytearray(piece))
    for fragment in _boxes(content, b"moof"):
        for track in _boxes(fragment, b"traf"):
            head, begin = next(_boxes(track, b"tfhd"), None), next(_boxes(track, b"tfdt"), None)
            scale = scales.get(_number(head, 4)) if head else None
            size = 8 if begin and begin[0] else 4
            if scale and begin and len(begin) >= 4 + size:
                time = _number(begin, 4, size) + round(seconds * scale)
                if 0 <= time < 1 << 8 * size:
                    begin[4 : 4 + size] = time.to_bytes(size, "big")
    return bytes(content)


def is_last(piece: bytes) -> bool:
    """Whether it says that none follows (the brand ``lmsg``)."""
    return any(b"lmsg" in bytes(brands) for brands in _boxes(memoryview(piece), b"styp"))


def _boxes(content: memoryview, wanted: bytes) -> Iterator[memoryview]:
    """The contents of all boxes of this type, at this level."""
    position = 0
    while position + 8 <= len(content):
        size, begin = _number(content, position), position + 8
        if size == 1:
            size, begin = _number(content, begin, 8), begin + 8
        end = position + size if size else len(content)
        if end < begin:
            return
        if bytes(content[position + 4 : position + 8]) == wanted:
            yield content[begin:end]
        position = end


def _number(content: memoryview, position: int, size: int = 4) -> int:
    return int.from_bytes(content[position : position + size], "big")
