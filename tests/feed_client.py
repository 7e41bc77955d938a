"""A client of the feed that collects what comes."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

Message = dict[str, Any]


class FeedClient:
    """Connected from the start; use it as a context manager. A thread reads."""

    def __init__(self, server_url: str, **options: Any) -> None:
        """``options`` are those of ``websockets.sync.client.connect``."""
        address = server_url.replace("http", "ws", 1) + "/ws"
        self.messages: list[Message] = []
        """In their order, each with ``received_at`` (``time.monotonic()``)."""
        self.downloads: dict[int, Message] = {}
        """The newest snapshot with all updates since, by id."""
        self.closed: ConnectionClosed | None = None
        self._changed = threading.Condition()
        self._socket = connect(address, proxy=None, max_size=None, **options)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._reader.join(10)

    def send(self, message: Message) -> None:
        self._socket.send(json.dumps(message))

    def wait_for(self, predicate: Callable[[Message], object], timeout: float = 20) -> Message:
        """The first message, of those that came or that come, for which ``predicate`` holds."""
        return self._wait(lambda: next((one for one in self.messages if predicate(one)), None), timeout)

    def wait_until(self, predicate: Callable[[dict[int, Message]], object], timeout: float = 20) -> dict[int, Message]:
        """The downloads by id, once ``predicate`` holds for them. One that it asks for may be yet to come."""

        def look() -> dict[int, Message] | None:
            with suppress(KeyError):
                return self.downloads if predicate(self.downloads) else None
            return None

        return self._wait(look, timeout)

    def _wait(self, look: Callable[[], Any], timeout: float) -> Any:
        until = time.monotonic() + timeout
        with self._changed:
            while (found := look()) is None:
                assert self.closed is None, f"the feed was closed: {self.closed}; last {self.messages[-3:]}"
                left = until - time.monotonic()
                assert left > 0, f"not within {timeout} s; {len(self.messages)} messages, last {self.messages[-3:]}"
                self._changed.wait(left)
        return found

    def _read(self) -> None:
        while self.closed is None:
            try:
                message = json.loads(self._socket.recv())
            except ConnectionClosed as closed:
                message, self.closed = None, closed
            with self._changed:
                if message is not None:
                    self._apply(message)
                    self.messages.append({**message, "received_at": time.monotonic()})
                self._changed.notify_all()

    def _apply(self, message: Message) -> None:
        if message["type"] == "snapshot":
            self.downloads.clear()
        for download in message.get("downloads", ()):
            self.downloads.setdefault(download["id"], {}).update(download)
        for download_id in message.get("removed", ()):
            self.downloads.pop(download_id, None)
