"""A stream's part file, its sidecar of offsets, and the way of a finished file to its final name.

The sidecar never says more than the part file holds: bytes are handed to the system before their offsets are written,
and the sidecar itself is replaced in one step. What the system has not yet put on the disk survives the death of the
worker but not that of the machine: so the sidecar names the running system (``boot_id``), and after a restart of the
machine only the offsets known to be on the disk (``synced``) count.
"""

import errno
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from idm_app.engine.names import numbered
from idm_app.engine.receipt import Receipt
from idm_app.errors import DownloadError

PART_NAME = "content.part"
"""Of a plain file, in its job folder."""

Ranges = tuple[tuple[int, int], ...]
_BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
_HAS_POSITIONED_WRITE = hasattr(os, "pwritev")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What is known of the bytes in a part file. Ranges are half-open, ascending."""

    total_bytes: int
    received: Ranges
    synced: Ranges = ()
    etag: str | None = None
    last_modified: str | None = None
    boot_id: str | None = None
    final_name: str | None = None

    @property
    def trusted(self) -> Ranges:
        """The ranges that are surely in the part file."""
        return self.received if self.boot_id is not None and self.boot_id == boot_id() else self.synced


@cache
def boot_id() -> str | None:
    """Names the running system until its next start; ``None`` where there is no such name."""
    try:
        return _BOOT_ID_FILE.read_text().strip()
    except OSError:
        return None


def sidecar_of(part_path: Path) -> Sidecar | None:
    """What is written down about a part file; ``None`` if nothing that can be read."""
    return _sidecar_at(_sidecar_path(part_path))


def _sidecar_at(path: Path) -> Sidecar | None:
    try:
        record = json.loads(path.read_bytes())
        for name in ("received", "synced"):
            record[name] = tuple((int(start), int(end)) for start, end in record[name])
        sidecar = Sidecar(**record)
        texts = (sidecar.etag, sidecar.last_modified, sidecar.boot_id, sidecar.final_name)
        is_sound = type(sidecar.total_bytes) is int and all(isinstance(text, str | None) for text in texts)
        return sidecar if is_sound else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _sidecar_path(part_path: Path) -> Path:
    return part_path.with_name(part_path.name + ".json")


class PartFile:
    """Bytes written where they belong, in any order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.final_name: str | None = None
        """What the file is going to be called, once that is known."""
        self._sidecar_path = _sidecar_path(path)
        self._lock = threading.Lock()
        self._fd = -1

    def open(self) -> None:
        """Open it, made if missing. Raises :class:`DownloadError`."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
            self._fd = os.open(self.path, flags | getattr(os, "O_CLOEXEC", 0), 0o666)
        except OSError as error:
            raise disk_failure(error) from error

    @property
    def size_bytes(self) -> int:
        """How far the part file reaches."""
        return os.fstat(self._fd).st_size

    def write(self, offset: int, buffers: Sequence[bytes]) -> None:
        """Put ``buffers`` one after the other at ``offset``. Raises :class:`DownloadError`."""
        try:
            if _HAS_POSITIONED_WRITE and len(buffers) <= 1000:  # IOV_MAX is 1024
                expected = sum(map(len, buffers))
                if os.pwritev(self._fd, buffers, offset) == expected:
                    return
            self._write_all(offset, memoryview(b"".join(buffers)))
        except OSError as error:
            raise disk_failure(error) from error

    def _write_all(self, offset: int, view: memoryview) -> None:
        with self._lock:
            os.lseek(self._fd, offset, os.SEEK_SET)
            while view:
                view = view[os.write(self._fd, view) :]

    def read(self, offset: int, size_bytes: int) -> bytes:
        """What is there. Raises :class:`DownloadError`."""
        try:
            with self._lock:
                os.lseek(self._fd, offset, os.SEEK_SET)
                return os.read(self._fd, size_bytes)
        except OSError as error:
            raise disk_failure(error) from error

    def sync(self) -> None:
        """Wait until all that was written is on the disk."""
        getattr(os, "fdatasync", os.fsync)(self._fd)

    def clear(self) -> None:
        """Forget everything. Raises :class:`DownloadError`."""
        try:
            self._sidecar_path.unlink(missing_ok=True)
            os.ftruncate(self._fd, 0)
        except OSError as error:
            raise disk_failure(error) from error

    def read_sidecar(self) -> Sidecar | None:
        """What an earlier run knew; ``None`` if there is nothing that fits the part file."""
        sidecar = _sidecar_at(self._sidecar_path)
        if sidecar is None:
            return None
        end = max((end for _, end in sidecar.trusted), default=0)
        return sidecar if end <= self.size_bytes <= sidecar.total_bytes else None

    def write_sidecar(self, sidecar: Sidecar) -> None:
        """Replace the sidecar in one step. Raises :class:`DownloadError`."""
        temporary = self._sidecar_path.with_suffix(".new")
        try:
            temporary.write_text(json.dumps(asdict(sidecar)))
            temporary.replace(self._sidecar_path)
        except OSError as error:
            raise disk_failure(error) from error

    def publish_as(self, path: Path) -> None:
        """Rename the closed, complete part file to ``path`` in the same folder."""
        self.path.replace(path)
        self._sidecar_path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the part file; it stays."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


_STAGED_SUFFIX = ".idm-part"


def check_space(folder: Path, needed_bytes: int) -> None:
    """Raise :class:`DownloadError` unless so much fits on ``folder``'s disk."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise disk_failure(error) from error
    if free < needed_bytes:
        raise DownloadError("disk-full", os.strerror(errno.ENOSPC) + f": {needed_bytes} bytes needed, {free} free")


def is_elsewhere(folder: Path, parts_folder: Path) -> bool:
    """Whether ``folder`` is there, on another disk than ``parts_folder``."""
    try:
        return folder.stat().st_dev != parts_folder.stat().st_dev
    except OSError:
        return False


def is_behind_link(folder: Path) -> bool:
    """Whether ``folder`` is a symbolic link or lies behind one, and so may be anywhere."""
    return os.path.normcase(os.path.realpath(folder)) != os.path.normcase(folder.absolute())


def publish(source: Path, folder: Path, name: str, receipt: Receipt | None = None) -> Path:
    """Give ``source`` the name ``name`` in ``folder``, with `` (1)`` and so on if taken; never over an existing file.

    It is renamed on the same disk, so nobody ever sees half a file; ``receipt`` is written just before. Raises
    :class:`DownloadError`, also for a ``folder`` behind a symbolic link: it may lead anywhere.
    """
    if is_behind_link(folder):
        raise DownloadError("folder-not-writable", f"{folder} is a symbolic link, or lies behind one")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if source.stat().st_dev != folder.stat().st_dev:
            source = _staged(source, folder)
        for number in range(10_000):
            target = folder / numbered(name, number)
            if os.path.lexists(target):
                continue
            if receipt:
                receipt.write(source, target)
            try:
                _rename_to_free_name(source, target)
            except FileExistsError:
                continue
            return target
        raise FileExistsError(errno.EEXIST, "no free name", str(folder / name))
    except OSError as error:
        raise disk_failure(error) from error


def _staged(source: Path, folder: Path) -> Path:
    """``source`` moved into ``folder``, which is on another disk after all, under a hidden name: the same each time,
    so that what a killed worker leaves is written over by the next.
    """
    target = folder / f".{hashlib.sha256(bytes(source.absolute())).hexdigest()[:16]}{_STAGED_SUFFIX}"
    target.unlink(missing_ok=True)
    check_space(folder, source.stat().st_size)
    try:
        shutil.copyfile(source, target)
    except OSError:
        target.unlink(missing_ok=True)
        raise
    source.unlink()
    return target


def _rename_to_free_name(source: Path, target: Path) -> None:
    """Raises ``FileExistsError`` if there is a ``target``."""
    if os.name == "nt":
        source.rename(target)  # refuses an existing name there
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES):
            raise
        # A file system without hard links: take the name first, then replace it by the file.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        source.replace(target)
    else:
        source.unlink()


def disk_failure(error: OSError) -> DownloadError:
    """The failure that an error of the file system stands for."""
    detail = f"{error.strerror or error} ({error.filename})" if error.filename else str(error)
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return DownloadError("disk-full" if full else "folder-not-writable", detail)


def held_bytes(folder: Path) -> int:
    """What the files in ``folder`` take of the disk; less than they seem to have, where nothing was written yet."""
    found = [path.stat() for path in folder.iterdir()]
    return sum(getattr(stat, "st_blocks", -(-stat.st_size // 512)) * 512 for stat in found)
