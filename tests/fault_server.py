"""An HTTP origin on loopback that misbehaves on purpose.

``FaultServer().url("/file/name.zip", size=…, seed=…, rate=…)`` is the address of a made-up file (``content.py``) with
the faults of its answer (``faults.py``). Standard library only. By hand: ``python tests/fault_server.py [port]``.
"""

import contextlib
import socket
import sys
import threading
from collections import defaultdict
from dataclasses import replace
from typing import Any, BinaryIO, Self
from urllib.parse import quote, unquote, urlencode, urlsplit

from content import content, sha256
from exchange import Exchange, Stats
from fault_answer import Answer
from faults import Faults

_LINE_BYTES = 65_536


class FaultServer:
    """The origin; use it as a context manager. A thread for each connection."""

    content = staticmethod(content)
    sha256 = staticmethod(sha256)

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self.seeds: dict[str, int] = {}
        """Set ``seeds[path]`` to change a file on the server: other content and another ETag."""
        self.files: dict[str, tuple[bytes, str]] = {}
        """Real files by path, with their media type; every other path is made up from ``size`` and ``seed``."""
        self.real_folders: set[str] = set()
        """Folders where nothing is made up: what is not among the files there is a 404."""
        self._stats: defaultdict[str, Stats] = defaultdict(Stats)
        self._used_tickets: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        _close(self._listener)
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            _close(connection)

    def url(self, path: str, **knobs: Any) -> str:
        """The address of ``path`` with its faults. A knob that :class:`Faults` does not have is a ``TypeError``."""
        Faults(**knobs)
        query = f"?{urlencode(knobs)}" if knobs else ""
        return f"http://127.0.0.1:{self.port}{quote(path)}{query}"

    def stats(self, path: str) -> Stats:
        """What was asked of ``path`` since the last :meth:`reset`."""
        return self._stats[path]

    def reset(self) -> None:
        """Forget what was asked; requests are numbered from 0 again."""
        self._stats.clear()
        self._used_tickets.clear()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as reader, contextlib.suppress(OSError):
                while not self._ended.is_set() and self._serve_one(connection, reader):
                    pass
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _serve_one(self, connection: socket.socket, reader: BinaryIO) -> bool:
        """Answer one request; whether the connection stays open."""
        first = reader.readline(_LINE_BYTES).decode("latin-1").split()
        if len(first) != 3:
            return False
        headers = {}
        while (line := reader.readline(_LINE_BYTES).strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        target = urlsplit(first[1])
        exchange = Exchange(first[0], unquote(target.path), headers)
        with self._stats[exchange.path].open(exchange) as connections:
            faults = self._changed(Faults.read(target.query), exchange)
            if exchange.path.rpartition("/")[0] in self.real_folders and exchange.path not in self.files:
                faults = replace(faults, status=404, fail=1 << 60)
            answer = Answer(connection, exchange, faults, self.files.get(exchange.path), self._ends)
            return answer.send(connections, target.query)

    def _changed(self, faults: Faults, exchange: Exchange) -> Faults:
        changed = 0 < faults.changes <= exchange.number
        if faults.ticket:
            with self._lock:
                if (exchange.path, faults.ticket) in self._used_tickets:
                    faults = replace(faults, status=403, fail=1 << 60)
                self._used_tickets.add((exchange.path, faults.ticket))
        return replace(faults, seed=self.seeds.get(exchange.path, faults.seed + changed))

    def _ends(self, seconds: float) -> bool:
        return self._ended.wait(seconds) if seconds > 0 else self._ended.is_set()


class Sites(FaultServer):
    """Many of them, with names of their own: the server that is to reach them takes this one for its proxy."""

    def __init__(self) -> None:
        super().__init__()
        self._paces: dict[str, Faults] = {}

    def put(self, address: str, faults: Faults) -> None:
        """What is at ``address``, which has no query."""
        self._paces[urlsplit(address).path] = faults

    def _changed(self, faults: Faults, exchange: Exchange) -> Faults:
        return self._paces.get(exchange.path) or super()._changed(faults, exchange)


def _close(opened: socket.socket) -> None:
    with contextlib.suppress(OSError):
        opened.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for it
    opened.close()


if __name__ == "__main__":
    with FaultServer(int(sys.argv[1]) if len(sys.argv) > 1 else 8900) as server, contextlib.suppress(KeyboardInterrupt):
        print(server.url("/file/example.zip", size=50_000_000, rate=2_000_000), flush=True)
        threading.Event().wait()
