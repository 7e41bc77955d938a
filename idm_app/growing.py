"""The file of a download that still runs, as far as it is there: read from any place, while a worker writes it.

What is there is what the worker's sidecar says: it never says more than the part file holds.
"""

from pathlib import Path

from idm_app.engine.part_file import PART_NAME, Sidecar, is_behind_link, sidecar_of
from idm_app.errors import WrongStatus


class GrowingFile:
    """Blocking, but quick. It can be read to its end even after it was given its final name."""

    def __init__(self, job_folder: Path) -> None:
        """Raises :class:`WrongStatus` while there is nothing that could be read in order."""
        path = job_folder / PART_NAME
        known = sidecar_of(path)
        if known is None or path.is_symlink() or is_behind_link(job_folder):
            raise WrongStatus("What has arrived so far cannot be shown; it can be when it is finished.")
        self.total_bytes = known.total_bytes
        self._file = path.open("rb")
        self._path = path
        self._source = _source(known)
        self._there_until = 0
        """Without a gap, from where was read last."""

    def read(self, offset: int, most_bytes: int, *, is_complete: bool) -> bytes | None:
        """What is there from ``offset`` on, empty while nothing is; ``None`` when another file comes in its place."""
        if is_complete:
            self._there_until = self.total_bytes
        elif offset >= self._there_until or not offset:
            known = sidecar_of(self._path)
            if known is None:
                return b""
            if _source(known) != self._source:
                return None
            self._there_until = next((end for start, end in known.trusted if start <= offset < end), offset)
        self._file.seek(offset)
        return self._file.read(min(most_bytes, self._there_until - offset))

    def close(self) -> None:
        """Read no more."""
        self._file.close()


def _source(known: Sidecar) -> tuple[int, str | None, str | None]:
    return known.total_bytes, known.etag, known.last_modified
