"""Files of downloads on disk: the finished one, the unfinished parts, the room that is left. Blocking, but quick."""

import shutil
import time
from collections.abc import Container, Iterable
from pathlib import Path

from idm_app.engine.part_file import is_behind_link, is_elsewhere
from idm_app.errors import FileGone, WrongStatus
from idm_app.model import Download, Kind, Status

_FREE_SECONDS = 2.0


def finished_file(download: Download) -> Path:
    """Where a finished download's file is. Raises :class:`WrongStatus` before it is done, :class:`FileGone`."""
    if download.status is not Status.COMPLETED:
        raise WrongStatus(f"Download #{download.id} is not finished yet.")
    if download.path is None and download.kind is Kind.PLAYLIST:
        raise WrongStatus("A playlist has no file of its own; its entries have.")
    path = Path(download.path or "")
    if is_behind_link(path.parent) or path.is_symlink() or not path.is_file():
        raise FileGone(
            f"The file of download #{download.id} is no longer where it was saved: {path.name or 'unknown'}."
        )
    return path


def delete_parts(job_folders: Iterable[Path]) -> None:
    """Delete unfinished parts."""
    for folder in job_folders:
        shutil.rmtree(folder, ignore_errors=True)


def delete_files(job_folder: Path, finished: Iterable[str] = ()) -> None:
    """Delete the unfinished parts, and the finished files that are named (never through a symbolic link)."""
    delete_parts([job_folder])
    for path in map(Path, finished):
        if path.is_file() and not path.is_symlink() and not is_behind_link(path.parent):
            path.unlink(missing_ok=True)


def sweep(parts_folder: Path, unfinished: Container[int]) -> None:
    """Delete what a crash left in ``parts_folder`` of downloads that need it no more."""
    for folder in parts_folder.iterdir() if parts_folder.is_dir() else ():
        if folder.name.isdecimal() and int(folder.name) not in unfinished:
            shutil.rmtree(folder, ignore_errors=True)


def has_place(size_bytes: int, folder: Path, parts_folder: Path) -> bool:
    """Whether a finished file fits into ``folder``: where its parts are it does, as it is only renamed."""
    try:
        return not is_elsewhere(folder, parts_folder) or shutil.disk_usage(folder).free >= size_bytes
    except OSError:
        return True  # to be told by who tries


class FreeSpace:
    """Free bytes on a folder's disk, asked of the system every two seconds at most; ``None`` when it is gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._asked_at = float("-inf")
        self._free_bytes: int | None = None

    def bytes(self) -> int | None:
        """As of not long ago."""
        if time.monotonic() - self._asked_at > _FREE_SECONDS:
            self._asked_at = time.monotonic()
            try:
                self._free_bytes = shutil.disk_usage(self._folder).free
            except OSError:
                self._free_bytes = None
        return self._free_bytes
