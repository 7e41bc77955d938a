"""Whether a file is still the one of which bytes are there, where the server names no version of it."""

from idm_app.engine.part_file import PartFile
from idm_app.engine.segments import Segments

PROOF_BYTES = 16 << 10


class Proof:
    """The last bytes of each stretch that is there are fetched once more, and compared before they are replaced."""

    def __init__(self, part: PartFile, segments: Segments) -> None:
        self._part = part
        self._expected: dict[int, int] = {}
        """Bytes to compare, by where they begin."""
        for segment in segments:
            if taken_back := min(segment.received, PROOF_BYTES):
                segment.received -= taken_back
                self._expected[segment.position] = taken_back

    def fails(self, position: int, first_bytes: bytes) -> bool:
        """Whether ``first_bytes``, which have come for ``position``, are others than those that are there."""
        size = self._expected.pop(position, 0) if first_bytes else 0
        there = self._part.read(position, min(size, len(first_bytes)))
        return not first_bytes.startswith(there)
