"""Open WebSockets by caller, so that they end with the session or token that opened them."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from starlette.types import Message, Send

CREDENTIALS_ENDED = 4401
"""Close code, after HTTP's 401."""


class Line:
    """One open socket."""

    def __init__(self, caller_id: str, send: Send) -> None:
        self.caller_id = caller_id
        self._send = send
        self._is_cut = False

    async def send(self, message: Message) -> None:
        """Pass ``message`` on; nothing after the cut."""
        if not self._is_cut:
            await self._send(message)

    async def cut(self) -> None:
        """Close it. Whoever serves it sees the client go; what the client still sends is not read."""
        self._is_cut = True
        with suppress(OSError, RuntimeError):  # it has gone by itself
            await self._send({"type": "websocket.close", "code": CREDENTIALS_ENDED, "reason": "signed out"})


class Lines:
    """All open sockets. Event loop only."""

    def __init__(self, in_background: Callable[[Awaitable[Any]], object]) -> None:
        self._in_background = in_background
        self._lines: set[Line] = set()

    def open(self, caller_id: str, send: Send) -> Line:
        """Count a socket as the caller's, until :meth:`close`."""
        line = Line(caller_id, send)
        self._lines.add(line)
        return line

    def close(self, line: Line) -> None:
        """It has ended."""
        self._lines.discard(line)

    def cut(self, *caller_ids: str) -> None:
        """Close every socket of these callers."""
        for line in [line for line in self._lines if line.caller_id in caller_ids]:
            self._lines.discard(line)
            self._in_background(line.cut())
