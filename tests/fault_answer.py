"""One answer of the fault server: what is refused, what is told, what is sent, and how fast."""

import base64
import gzip
import os
import re
import socket
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl, quote, urlencode

from content import content, piece
from exchange import Exchange
from faults import SLOWER, Faults

_STEP_SECONDS = 0.01
_SEND_BYTES = 1 << 18
_BOUNDARY = "--=_boundary"
_RESET = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Pace:
    """How many bytes may leave now."""

    def __init__(self, faults: Faults, number: int) -> None:
        self._rate = faults.rate / (SLOWER if number == faults.slow else 1)
        self._region = range(*map(int, faults.slow_region.split("-")))
        self._allowed = float(faults.burst)
        self._then = time.monotonic()

    def allowed(self, position: int) -> int:
        if not self._rate:
            return _SEND_BYTES
        now = time.monotonic()
        self._allowed += (now - self._then) * self._rate / (SLOWER if position in self._region else 1)
        self._then = now
        return min(int(self._allowed), _SEND_BYTES)

    def took(self, byte_count: int) -> None:
        self._allowed -= byte_count


class Answer:
    """The answer to ``exchange``: ``file``, or made-up content. ``ends`` waits for the end of the server."""

    def __init__(
        self,
        connection: socket.socket,
        exchange: Exchange,
        faults: Faults,
        file: tuple[bytes, str] | None,
        ends: Callable[[float], bool],
    ) -> None:
        self._connection, self._exchange, self._ends = connection, exchange, ends
        whole = file[0] if file else None
        if faults.gzip:
            whole = gzip.compress(content(0, faults.size, faults.seed) if whole is None else whole)
        size = len(whole) if whole is not None else 1 << 60 if faults.endless else faults.size
        self._faults = replace(faults, size=size)
        self._whole = None if whole is None else memoryview(whole)
        self._type = faults.content_type or (file[1] if file else "application/octet-stream")

    def send(self, connections: int, query: str) -> bool:
        """Send it; whether the connection stays open. ``connections`` are being answered on this path."""
        faults = self._faults
        if self._ends(1 << 20 if self._exchange.number == faults.hang else faults.delay):
            return False
        if faults.garbage or faults.headless or faults.endless_header:
            return self._send_no_http()
        if refusal := self._refusal(connections):
            wait = [f"Retry-After: {faults.retry_after}"] if faults.retry_after else []
            basic = ['WWW-Authenticate: Basic realm="test"'] if refusal == 401 else []
            return self._send_empty(refusal, *wait, *basic)
        if faults.redirect or faults.location:
            return self._send_empty(302, f"Location: {self._next_hop(query)}")
        wanted = self._wanted()
        if wanted is not None and wanted.start >= wanted.stop:
            return self._send_empty(416, f"Content-Range: bytes */{faults.size}")
        return self._send_content(wanted)

    def _refusal(self, connections: int) -> int:
        """The status, or 0."""
        faults, headers, number = self._faults, self._exchange.headers, self._exchange.number
        if number < faults.fail or number == faults.refuse:
            return faults.status
        if 0 < faults.max_connections < connections:
            return 503
        if 0 < faults.expire <= number:
            return 403
        if faults.nohead and self._exchange.method == "HEAD":
            return 405
        if faults.cookie and faults.cookie not in headers.get("cookie", "").split("; "):
            return 403
        name, _, value = faults.header.partition("=")
        if name and headers.get(name.lower()) != value:
            return 403
        basic = f"Basic {base64.b64encode(faults.auth.encode()).decode()}"
        return 401 if faults.auth and headers.get("authorization") != basic else 0

    def _next_hop(self, query: str) -> str:
        if self._faults.location:
            return self._faults.location
        left = self._faults.redirect - 1
        rest = [(name, value) for name, value in parse_qsl(query) if name not in ("redirect", "tickets")]
        if self._faults.tickets:
            rest.append(("ticket", str(self._exchange.number)))
        return f"{quote(self._exchange.path)}?{urlencode([*rest, ('redirect', str(left))])}"

    def _wanted(self) -> range | None:
        """The range that was asked; ``None`` for the whole."""
        faults, headers = self._faults, self._exchange.headers
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)|bytes=-(\d+)", headers.get("range", ""))
        strong = "" if faults.weak or faults.noetag else self._etag()
        holds = headers.get("if-range") in (None, strong or None, faults.modified or None)
        if not asked or not holds or faults.norange or faults.gzip or faults.endless or not faults.size:
            return None
        first, last, suffix = asked.groups()
        if suffix:
            return range(max(0, faults.size - int(suffix)), faults.size)
        most = faults.capped or faults.size
        return range(int(first), min(faults.size, int(last) + 1 if last else faults.size, int(first) + most))

    def _etag(self) -> str:
        faults = self._faults
        mark = faults.seed if self._whole is None else zlib.crc32(self._whole)
        return faults.etag or f'{"W/" * faults.weak}"{mark}-{faults.size}"'

    def _send_no_http(self) -> bool:
        if self._faults.endless_header:
            self._connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not self._ends(0):
                self._connection.sendall(b"X-More: more\r\n" * 1000)
        elif self._faults.garbage:
            self._write(os.urandom(4096))
        else:
            self._write(content(0, self._faults.size, self._faults.seed))
        return False

    def _send_empty(self, status: int, *lines: str) -> bool:
        self._exchange.end()
        self._send_head(status, *lines, "Content-Length: 0")
        return True

    def _send_head(self, status: int, *lines: str) -> None:
        """Text that is not ASCII goes as raw UTF-8, as careless servers send it."""
        self._connection.sendall(
            "\r\n".join([f"HTTP/1.1 {status} Status", *lines, "", ""]).encode(errors="surrogateescape")
        )

    def _send_content(self, wanted: range | None) -> bool:
        faults = self._faults
        part = wanted or range(faults.size)
        shift = faults.badrange and part.start > 0
        total = "*" if faults.nototal else faults.size
        place = f"Content-Range: bytes {part.start + shift}-{part.stop - 1 + shift}/{total}"
        before = after = b""
        if wanted is not None and faults.multipart:
            before = f"--{_BOUNDARY}\r\nContent-Type: {self._type}\r\n{place}\r\n\r\n".encode()
            after = f"\r\n--{_BOUNDARY}--\r\n".encode()
        length = len(before) + len(part) + len(after)
        told = [f"Content-Type: {f'multipart/byteranges; boundary={_BOUNDARY}' if before else self._type}"]
        told += self._told_length(length)
        is_part = wanted is not None or (faults.partial and bool(part))  # of nothing there is no part
        if is_part and not before:
            told.append(place)
        if self._exchange.method == "HEAD" or not part:
            self._exchange.end()
        self._send_head(206 if is_part else 200, *told, *self._told_rest())
        if self._exchange.method == "HEAD":
            return True
        if self._ends(faults.first_byte_delay):
            return False
        self._write(before)
        whole = self._send_body(part.start, part.stop + faults.longer - faults.shorter)
        self._write(after)
        if whole and faults.chunked:
            self._connection.sendall(b"0\r\n\r\n")
        return whole and not (faults.nolen or faults.endless or faults.shorter or faults.longer)

    def _told_length(self, length: int) -> list[str]:
        faults = self._faults
        if faults.chunked:
            return ["Transfer-Encoding: chunked"]
        if faults.nolen or faults.endless:
            return ["Connection: close"]
        return [f"Content-Length: {faults.length or length}"]

    def _told_rest(self) -> list[str]:
        faults = self._faults
        ranges = not (faults.norange or faults.gzip or faults.endless)
        told = {
            "Accept-Ranges": "bytes" if ranges else "",
            "Content-Encoding": "gzip" if faults.gzip else "",
            "ETag": "" if faults.noetag else self._etag(),
            "Last-Modified": faults.modified,
            "Content-Disposition": faults.disposition,
            "X-Huge": "x" * faults.huge_header,
            **{f"X-{number}": "x" for number in range(faults.many_headers)},
        }
        return [f"{name}: {value}" for name, value in told.items() if value]

    def _send_body(self, start: int, end: int) -> bool:
        """Send ``[start, end)`` at its pace, as far as it is to go; whether all of it went."""
        faults, first = self._faults, self._exchange.number == 0
        drops = faults.drop >= 0 and (first or not faults.drop_once)
        stalls = faults.stall >= 0 and (first or not faults.stall_once)
        stop = min(end, start + faults.drop if drops else end, start + faults.stall if stalls else end)
        pace, position = Pace(faults, self._exchange.number), start
        while position < stop:
            allowed = min(pace.allowed(position), stop - position)
            if self._ends(0 if allowed else _STEP_SECONDS):
                return False
            if allowed:
                if position + allowed == end:
                    self._exchange.end()
                sent = self._write(self._piece(position, position + allowed))
                pace.took(sent)
                position += sent
        if stalls:
            while not self._ends(_STEP_SECONDS) and _is_open(self._connection):
                pass
        if drops and faults.reset:
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        return position == end

    def _piece(self, start: int, end: int) -> memoryview:
        if self._whole is None:
            return piece(start, end, self._faults.seed)
        return self._whole[start:end] or memoryview(bytes(end - start))

    def _write(self, part: bytes | memoryview) -> int:
        if part:
            framed = b"%x\r\n%b\r\n" % (len(part), part) if self._faults.chunked else part
            self._exchange.sent(len(part))  # first: nobody shall have a byte that was not counted yet
            self._connection.sendall(framed)
        return len(part)


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
