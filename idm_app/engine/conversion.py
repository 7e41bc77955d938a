"""How far ffmpeg is while it encodes anew, from the file that it is told to write its progress to."""

import contextlib
import re
import threading
from collections.abc import Callable
from pathlib import Path

FILE_NAME = "conversion.txt"
ARGUMENTS = ("-stats_period", "0.2", "-progress")
"""Before the first input, with the file's path behind them."""
BYTES_SHARE = 0.9
"""How much of the whole's bar the bytes fill where a conversion follows: sound is converted 50 to 300 times as fast as
it plays, which is seldom slower than it comes."""
_LOOK_SECONDS = 0.2
_OUT_TIME = re.compile(r"^out_time_us=(\d+)\s*$", re.MULTILINE)


class Conversion:
    """Looks at the file in a thread of its own; ``tell(share)`` hears what share is done, growing, 0 to 1."""

    def __init__(self, path: Path, duration_seconds: float, tell: Callable[[float], None]) -> None:
        self._path = path
        self._duration_seconds = duration_seconds
        self._tell = tell
        self._told = -1.0
        self._end = threading.Event()
        path.unlink(missing_ok=True)
        self._thread = threading.Thread(target=self._run, name="conversion", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """It has ended."""
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(_LOOK_SECONDS):
            share = self._share()
            if share > self._told:
                self._told = share
                self._tell(share)

    def _share(self) -> float:
        with contextlib.suppress(OSError):
            if times := _OUT_TIME.findall(self._path.read_text("ascii", "replace")):
                return min(1.0, int(times[-1]) / 1e6 / self._duration_seconds)
        return 0.0
