"""The log: lines that foreign text can neither forge nor make dangerous, and the newest of them kept in memory."""

import asyncio
import logging
import re
import sys
import time
from collections import deque

MAX_LINES = 500
_MAX_CHARACTERS = 2000
_CALM_SECONDS = 10.0
_QUERY = re.compile(r"(https?://[^\s?#'\"]*)[?#][^\s'\"]*")
_USER = re.compile(r"(https?://)[^\s/@'\"]+@")
_SECRET = re.compile(r"(?i)\b((?:bearer|basic)[ .]|(?:set-)?cookie: ?|(?:password|token|secret|key)=)[^\s,;&'\"]+")

_newest: deque[str] = deque(maxlen=MAX_LINES)


class Escaping(logging.Formatter):
    """Control bytes are written out; what may be secret (queries, user names, tokens, cookies) is left out."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return escaped(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802
        """Its lines are set in, so that none of them can pass for one of the log."""
        text = super().formatException(ei)  # type: ignore[arg-type]
        return "\n".join(f"    {escaped(line)}" for line in text.splitlines())


def escaped(text: str) -> str:
    """``text`` as one line that is safe to print."""
    for pattern, instead in ((_QUERY, r"\1?…"), (_USER, r"\1…@"), (_SECRET, r"\1…")):
        text = pattern.sub(instead, text)
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def newest() -> list[str]:
    """The newest lines, oldest first; a traceback is one of them."""
    return list(_newest)


class _Keeping(logging.Handler):
    """Keeps the newest lines."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            _newest.append(self.format(record)[:_MAX_CHARACTERS])
        except Exception:  # noqa: BLE001  # as every handler: what cannot be logged stops nobody
            self.handleError(record)


def set_up() -> None:
    """Warnings and worse go to standard error, and are kept."""
    formatter = Escaping("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handlers = [logging.StreamHandler(sys.stderr), _Keeping()]
    for handler in handlers:
        handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=handlers)
    logging.getLogger("uvicorn.error").addFilter(_Calming())


class _Calming(logging.Filter):
    """Of what a client can make uvicorn say a thousand times a second, one line every ten seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._said_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if "without completing handshake" in record.msg:  # said of each WebSocket that the gate has well answered
            return False
        if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):  # what waited when it stopped
            return False
        if record.msg.startswith("Invalid UTF-8"):  # a client's fault, with a traceback of uvicorn's
            record.levelno, record.levelname, record.exc_info = logging.WARNING, "WARNING", None
        now, before = time.monotonic(), self._said_at.get(record.msg, float("-inf"))
        if record.levelno >= logging.ERROR or now - before > _CALM_SECONDS:
            self._said_at = {**self._said_at, record.msg: now} if len(self._said_at) < 100 else {record.msg: now}
            return True
        return False
