"""What was extracted, kept beside a download's parts so that going on need not ask the site again."""

import contextlib
import json
import os
import re
import time
from pathlib import Path
from typing import Any

USABLE_SECONDS = 20 * 60
"""Addresses in it expire; many sites give them less than an hour."""


_FORMAT_ID = re.compile(r"[\w.-]+(?:\+[\w.-]+)*")


class SavedInfo:
    """One download's info, for its owner only: addresses and cookies are in it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "info.json"
        self._format_path = folder / "format.txt"

    def choose(self, format_id: str) -> None:
        """Remember which format is fetched. Raises ``OSError``."""
        self._format_path.write_text(format_id, "utf-8")

    def chosen(self) -> str | None:
        """The format that was begun with, as yt-dlp's selection; ``None``: none was, or it cannot be said so."""
        with contextlib.suppress(OSError, ValueError):
            text = self._format_path.read_text("utf-8")
            if _FORMAT_ID.fullmatch(text):
                return text
        return None

    def read(self, asked: list[Any], usable_seconds: float = USABLE_SECONDS) -> dict[str, Any] | None:
        """What was extracted for just this, not long ago; else ``None``."""
        try:
            record = json.loads(self._path.read_bytes())
            if record["asked"] == asked and 0 <= time.time() - record["at"] < usable_seconds:
                return dict(record["info"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return None

    def write(self, asked: list[Any], info: Any) -> None:
        """Keep ``info``, the answer to ``asked``. Raises ``OSError``."""
        self._path.unlink(missing_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({"asked": asked, "at": time.time(), "info": info}, file)
