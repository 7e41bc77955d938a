"""Where a finished file went, written down before it gets its name.

The worker may be killed, and the server with it, after a file has its final name and before that is in the list. The
next run finds the receipt and does not fetch the file again under a second name. The server removes it, with the job's
folder, once the list is on disk.
"""

import json
import shutil
from pathlib import Path

from idm_app.engine.messages import Finished, Probed

_NAME = "published.json"


class Receipt:
    """The receipt of one job, a ``file`` or ``media``."""

    def __init__(self, job_folder: Path, kind: str = "") -> None:
        self._kind = kind
        self._job_folder = job_folder
        self._path = job_folder / _NAME

    def write(self, source: Path, target: Path) -> None:
        """``source`` is about to become ``target``. Raises ``OSError``.

        Who is killed half way has not renamed it yet, and half a receipt is none.
        """
        record = {"kind": self._kind, "source": str(source), "target": str(target)}
        self._path.write_bytes(json.dumps(record).encode())

    def reports(self) -> tuple[Probed, Finished] | None:
        """What is to be reported if an earlier run got to the end and its file is still there."""
        try:
            record = json.loads(self._path.read_bytes())
            source, target = Path(record["source"]), Path(record["target"])
            if target.is_symlink() or not target.is_file():
                return None
            if source.exists() and not source.samefile(target):  # a hard link comes before the removal
                return None
            size_bytes = target.stat().st_size
            return Probed(record["kind"], filename=target.name, total_bytes=size_bytes), Finished(
                str(target), size_bytes
            )
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def clear_beside(self) -> None:
        """Remove everything else from the job's folder."""
        for path in self._job_folder.iterdir():
            if path == self._path:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
