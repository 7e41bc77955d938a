"""Made-up content of any size: it depends on a seed and an offset only, so that every test knows the right SHA-256."""

import hashlib
import random
from functools import cache

PIECE_BYTES = 1_000_003
"""What the content repeats. Prime, so that no segment misplaced by a round number can pass for the right one."""


@cache
def _block(seed: int) -> memoryview:
    return memoryview(random.Random(seed).randbytes(PIECE_BYTES) * 2)


def piece(start: int, end: int, seed: int = 0) -> memoryview:
    """Bytes ``[start, end)``, or the first :data:`PIECE_BYTES` of them. Nothing is copied."""
    begin = start % PIECE_BYTES
    return _block(seed)[begin : begin + min(end - start, PIECE_BYTES)]


def content(start: int, end: int, seed: int = 0) -> bytes:
    """Bytes ``[start, end)``."""
    return b"".join(piece(position, end, seed) for position in range(start, end, PIECE_BYTES))


@cache
def sha256(size: int, seed: int = 0) -> str:
    """Of the bytes ``[0, size)``, in hexadecimal."""
    digest = hashlib.sha256()
    for position in range(0, size, PIECE_BYTES):
        digest.update(piece(position, size, seed))
    return digest.hexdigest()
