"""An HTTP origin on loopback that misbehaves on purpose. Each fault is a knob in the address's query.

``FaultServer().url("/file/name.zip", size=…, seed=…, rate=…)``. Content depends on ``size`` and ``seed`` only, so every
test knows the right SHA-256. Standard library only; also runs by hand: ``python tests/fault_server.py [port]``.

Knobs: ``rate`` bytes a second per connection · ``slow`` index of the connection that gets a twentieth of it · ``drop``
close each connection after so many bytes · ``drop_once`` only the first · ``stall`` stop sending after so many bytes ·
``stall_once`` only the first · ``delay`` seconds before the headers · ``fail`` the first n requests get ``status`` ·
``status`` · ``retry_after`` · ``max_connections`` (503 beyond) · ``norange`` · ``nolen`` · ``chunked`` · ``etag`` ·
``noetag`` · ``badrange`` · ``shorter`` / ``longer`` by so many bytes than promised · ``gzip`` · ``redirect`` hops ·
``location`` · ``disposition`` · ``type`` · ``expire`` 403 after n requests · ``cookie`` / ``header`` required
``name=value``.
"""

import contextlib
import gzip
import hashlib
import random
import socket
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Self
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

_BLOCK = 1_000_003
_STEP_SECONDS = 0.01


@cache
def block(seed: int) -> bytes:
    """What the content of ``seed`` repeats; its length is prime, so that no misplaced segment can match."""
    return random.Random(seed).randbytes(_BLOCK) * 3


def content(start: int, end: int, seed: int = 0) -> bytes:
    """Bytes ``[start, end)`` of any file of ``seed``, at most 1 MiB at once."""
    begin = start % _BLOCK
    return block(seed)[begin : begin + end - start]


@cache
def sha256(size: int, seed: int = 0) -> str:
    """Of the whole file."""
    digest, position = hashlib.sha256(), 0
    while position < size:
        part = content(position, min(size, position + _BLOCK), seed)
        digest.update(part)
        position += len(part)
    return digest.hexdigest()


@dataclass
class Stats:
    """What was asked of one path."""

    requests: int = 0
    ranges: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bytes_sent: int = 0
    connections: int = 0
    most_connections: int = 0
    last_byte_at: float = 0.0


class Knobs:
    """The faults of one request."""

    def __init__(self, query: str) -> None:
        self._values = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}

    def has(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str, default: str = "") -> str:
        return self._values.get(name, default)

    def number(self, name: str, default: float = 0) -> float:
        return float(self._values.get(name, default))


class FaultServer:
    """The origin; use it as a context manager."""

    sha256 = staticmethod(sha256)

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port = self._listener.getsockname()[1]
        self.seeds: dict[str, int] = {}
        """Set ``seeds[path]`` to change a file on the server: other content and another ETag."""
        self.files: dict[str, tuple[bytes, str]] = {}
        """Real files by path, with their media type; every other path is made up from ``size`` and ``seed``."""
        self._lock = threading.Lock()
        self._stats: defaultdict[str, Stats] = defaultdict(Stats)
        self._sockets: set[socket.socket] = set()
        self._closed = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._listener.close()
        with self._lock:
            sockets = list(self._sockets)
        for connection in sockets:
            _shut(connection)

    def url(self, path: str, **knobs: Any) -> str:
        """The address of ``path`` with its faults."""
        query = f"?{urlencode(knobs)}" if knobs else ""
        return f"http://127.0.0.1:{self.port}{quote(path)}{query}"

    def stats(self, path: str) -> Stats:
        """What was asked of ``path`` since the last :meth:`reset`."""
        return self._stats[path]

    def reset(self) -> None:
        """Forget what was asked."""
        self._stats.clear()

    # -- one connection

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._sockets.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as reader:
                while self._serve_one(connection, reader):
                    pass
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._sockets.discard(connection)

    def _serve_one(self, connection: socket.socket, reader: Any) -> bool:
        """Answer one request; whether the connection stays open."""
        first = reader.readline(65_536).decode("latin-1").split()
        if len(first) != 3:
            return False
        headers = {}
        while (line := reader.readline(65_536).strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        target = urlsplit(first[1])
        path, knobs = unquote(target.path), Knobs(target.query)
        stats = self._stats[path]
        with self._lock:
            number = stats.requests
            stats.requests += 1
            stats.ranges.append(headers.get("range", ""))
            stats.headers.append(headers)
            stats.connections += 1
            stats.most_connections = max(stats.most_connections, stats.connections)
        try:
            return self._answer(connection, first[0], path, headers, knobs, number)
        finally:
            with self._lock:
                stats.connections -= 1

    def _answer(
        self, connection: socket.socket, method: str, path: str, headers: dict[str, str], knobs: Knobs, number: int
    ) -> bool:
        time.sleep(knobs.number("delay"))
        refusal = self._refusal(path, headers, knobs, number)
        if refusal:
            extra = f"Retry-After: {knobs.text('retry_after')}\r\n" if knobs.has("retry_after") else ""
            _send(connection, f"HTTP/1.1 {refusal} Refused\r\nContent-Length: 0\r\n{extra}\r\n")
            return True
        if knobs.number("redirect") > 0 or knobs.has("location"):
            _send(
                connection,
                f"HTTP/1.1 302 Found\r\nLocation: {self._location(path, knobs)}\r\nContent-Length: 0\r\n\r\n",
            )
            return True
        return self._send_file(connection, method, path, headers, knobs, number)

    def _refusal(self, path: str, headers: dict[str, str], knobs: Knobs, number: int) -> int:
        fails = knobs.number("fail", 10**9 if knobs.has("status") else 0)
        if number < fails:
            return int(knobs.number("status", 503))
        if knobs.has("max_connections") and self._stats[path].connections > knobs.number("max_connections"):
            return 503
        if knobs.has("expire") and number >= knobs.number("expire"):
            return 403
        for name, header in (("cookie", "cookie"), ("header", None)):
            if knobs.has(name):
                wanted, _, value = knobs.text(name).partition("=")
                sent = headers.get(header or wanted.lower(), "")
                if (knobs.text(name) if header else value) not in sent:
                    return 403
        return 0

    def _location(self, path: str, knobs: Knobs) -> str:
        if knobs.has("location"):
            return knobs.text("location")
        left = int(knobs.number("redirect")) - 1
        rest = {name: value for name, value in knobs._values.items() if name != "redirect"}
        return self.url(path, **rest, **({"redirect": left} if left > 0 else {}))

    def _send_file(
        self, connection: socket.socket, method: str, path: str, headers: dict[str, str], knobs: Knobs, number: int
    ) -> bool:
        seed = self.seeds.get(path, int(knobs.number("seed")))
        size = len(self.files[path][0]) if path in self.files else int(knobs.number("size", 100_000))
        etag = knobs.text("etag") or f'"{seed}-{size}"'
        start, end, status = 0, size, 200
        wanted = headers.get("range", "")
        matches = headers.get("if-range", etag) == etag
        if wanted.startswith("bytes=") and not knobs.has("norange") and matches:
            low, _, high = wanted[6:].partition("-")
            start, end = int(low or 0), min(size, int(high) + 1 if high else size)
            status = 206
            if start >= size > 0 or (size == 0 and wanted != "bytes=0-"):
                _send(connection, f"HTTP/1.1 416 No\r\nContent-Range: bytes */{size}\r\nContent-Length: 0\r\n\r\n")
                return True
            if size == 0:
                status = 200
        lines = self._header_lines(path, status, start, end, size, etag, knobs)
        _send(connection, "\r\n".join([f"HTTP/1.1 {status} OK", *lines, "", ""]))
        if method == "HEAD":
            return True
        return self._send_body(connection, path, start, end, seed, knobs, number)

    def _header_lines(
        self, path: str, status: int, start: int, end: int, size: int, etag: str, knobs: Knobs
    ) -> list[str]:
        promised = end - start + int(knobs.number("shorter")) - int(knobs.number("longer"))
        lines = [f"Content-Type: {knobs.text('type', self.files.get(path, (b'', 'application/octet-stream'))[1])}"]
        if knobs.has("chunked"):
            lines.append("Transfer-Encoding: chunked")
        elif knobs.has("nolen"):
            lines.append("Connection: close")
        elif knobs.has("gzip"):
            lines += ["Content-Encoding: gzip", "Connection: close"]
        else:
            lines.append(f"Content-Length: {promised}")
        if status == 206:
            shift = 1 if knobs.has("badrange") and start else 0
            lines.append(f"Content-Range: bytes {start + shift}-{end - 1 + shift}/{size}")
        if not knobs.has("norange"):
            lines.append("Accept-Ranges: bytes")
        if not knobs.has("noetag"):
            lines.append(f"ETag: {etag}")
        if knobs.has("disposition"):
            lines.append(f"Content-Disposition: {knobs.text('disposition')}")
        return lines

    def _content(self, path: str, start: int, end: int, seed: int) -> bytes:
        return self.files[path][0][start:end] if path in self.files else content(start, end, seed)

    def _send_body(
        self, connection: socket.socket, path: str, start: int, end: int, seed: int, knobs: Knobs, number: int
    ) -> bool:
        stats = self._stats[path]
        if knobs.has("gzip"):
            connection.sendall(
                gzip.compress(b"".join(content(p, min(end, p + _BLOCK), seed) for p in range(start, end, _BLOCK)))
            )
            return False
        rate = knobs.number("rate") / (20 if knobs.text("slow") == str(number) else 1)
        first = number == 0
        drop = knobs.number("drop", 1e18) if not knobs.has("drop_once") or first else 1e18
        stall = knobs.number("stall", 1e18) if not knobs.has("stall_once") or first else 1e18
        end += int(knobs.number("longer"))
        position, begun = start, time.monotonic()
        while position < end and position - start < min(drop, stall):
            due = end if not rate else start + int((time.monotonic() - begun) * rate)
            due = int(min(due, end, start + min(drop, stall), position + _BLOCK))
            if due > position:
                part = self._content(path, position, due, seed)
                connection.sendall(b"%x\r\n%b\r\n" % (len(part), part) if knobs.has("chunked") else part)
                stats.bytes_sent += len(part)
                stats.last_byte_at = time.monotonic()
                position = due
            elif not self._closed:
                time.sleep(_STEP_SECONDS)
        if position - start >= stall:
            while not self._closed and connection.fileno() >= 0 and _is_open(connection):
                time.sleep(0.05)
        if position < end:
            return False
        if knobs.has("chunked"):
            connection.sendall(b"0\r\n\r\n")
        return not (knobs.has("nolen") or knobs.has("shorter") or knobs.has("longer"))


def _send(connection: socket.socket, text: str) -> None:
    connection.sendall(text.encode("latin-1", "replace"))


def _is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        connection.setblocking(True)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


if __name__ == "__main__":
    with FaultServer(int(sys.argv[1]) if len(sys.argv) > 1 else 8900) as server:
        print(server.url("/file/example.zip", size=50_000_000, rate=2_000_000))
        threading.Event().wait()
