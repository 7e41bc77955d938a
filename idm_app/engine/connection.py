"""One request for a range of a stream, over libcurl. It only receives; what to ask for is decided in ``segmented``."""

import os
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

import certifi
import pycurl

from idm_app.engine.answers import Answer
from idm_app.engine.decoding import Decoder
from idm_app.engine.part_file import PartFile
from idm_app.engine.segments import Segment
from idm_app.engine.source import Source, proxy_addresses
from idm_app.engine.throttle import TokenBucket
from idm_app.errors import DownloadError

FLUSH_BYTES = 1 << 20
CONNECT_SECONDS = 10
_READ_BUFFER_BYTES = 1 << 19
_MOST_IGNORED_BYTES = 1 << 16
_SUPPRESS_CONNECT_HEADERS = 265  # CURLOPT_SUPPRESS_CONNECT_HEADERS, without a name in pycurl

_STATUS_LINE = re.compile(r"HTTP/\S+ +(\d{3})\b", re.ASCII)
_FAILURES: dict[int, str] = {
    pycurl.E_URL_MALFORMAT: "invalid-address",
    pycurl.E_UNSUPPORTED_PROTOCOL: "unexpected-answer",  # an answer without a status line (HTTP/0.9) included
    8: "unexpected-answer",  # CURLE_WEIRD_SERVER_REPLY
    100: "unexpected-answer",  # CURLE_TOO_LARGE: endless headers
    pycurl.E_COULDNT_RESOLVE_PROXY: "host-not-found",
    pycurl.E_COULDNT_RESOLVE_HOST: "host-not-found",
    pycurl.E_COULDNT_CONNECT: "connection-refused",
    pycurl.E_OPERATION_TIMEDOUT: "timed-out",
    pycurl.E_SSL_CONNECT_ERROR: "tls-failed",
    pycurl.E_PEER_FAILED_VERIFICATION: "tls-failed",
    pycurl.E_SSL_CACERT_BADFILE: "tls-failed",
    pycurl.E_SSL_CERTPROBLEM: "tls-failed",
    pycurl.E_SSL_CIPHER: "tls-failed",
    pycurl.E_PARTIAL_FILE: "too-short",
}


def failure_code(code: int) -> str:
    """The failure that libcurl's error ``code`` stands for."""
    return _FAILURES.get(code, "connection-lost")


def new_handle(source: Source, on_blocked: Callable[[], None]) -> Any:
    """A libcurl handle with all that every request of ours has in common.

    ``on_blocked`` is called when a connection was refused because its address is out of ``source``'s reach.
    """

    def open_socket(_purpose: int, address: tuple[int, int, int, tuple[Any, ...]]) -> Any:
        family, kind, protocol, (host, port, *_) = address
        host = host.decode() if isinstance(host, bytes) else host
        if (host, port) not in proxy_addresses() and not source.reach.allows(host, port):
            on_blocked()
            return pycurl.SOCKET_BAD
        return socket.socket(family, kind, protocol)

    handle = pycurl.Curl()
    handle.setopt(pycurl.COOKIEFILE, "")
    handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)  # HTTP/2 would put all segments on one connection
    handle.setopt(pycurl.NOSIGNAL, 1)
    handle.setopt(pycurl.CONNECTTIMEOUT, CONNECT_SECONDS)
    handle.setopt(pycurl.TCP_KEEPALIVE, 1)
    handle.setopt(_SUPPRESS_CONNECT_HEADERS, 1)
    handle.setopt(pycurl.CAINFO, os.environ.get("SSL_CERT_FILE") or certifi.where())
    handle.setopt(pycurl.OPENSOCKETFUNCTION, open_socket)
    return handle


class Judge(Protocol):
    """Decides on an answer once its headers are there: ``connection.accept()`` or ``connection.failure = …``."""

    def __call__(self, connection: "Connection", answer: Answer) -> None: ...


class Connection:
    """One request and what has come of it.

    Exceptions of ``judge``, ``look`` and the disk end the transfer and are kept in ``error``.
    """

    def __init__(
        self,
        segment: Segment,
        url: str,
        source: Source,
        part: PartFile,
        bucket: TokenBucket,
        judge: Judge,
        redirects: int,
    ) -> None:
        self.segment = segment
        self.url = url
        self.redirects = redirects
        self.answer: Answer | None = None
        self.failure: DownloadError | None = None
        self.error: BaseException | None = None
        self.is_cut = False
        """Whether it was ended at the segment's end although the answer goes on."""
        self.is_receiving = False
        self.is_paused = False
        self.is_blocked = False
        self.is_discarded = False
        self.opened_at = time.monotonic()
        self.bytes_per_second: float | None = None
        self.look: Callable[[bytes], None] | None = None
        """Called once with the first bytes of the body."""
        self._source = source
        self._part = part
        self._bucket = bucket
        self._judge = judge
        self._accepted = False
        self._decoder: Decoder | None = None
        self._ignored_bytes = 0
        self._status = 0
        self._headers: dict[str, str] | None = None
        """``None`` until the status line."""
        self._seen_at = self.opened_at
        self._first_position = self._seen_position = segment.position
        self._buffers: list[bytes] = []
        self._buffered_bytes = 0
        self.curl: Any = None

    def open(self, share: Any, range_header: str | None, if_range: str | None) -> Any:
        """The libcurl handle, ready to be added to a multi handle."""
        headers = [*self._source.headers_for(self.url), b"Accept-Encoding: identity"]
        if range_header:
            headers.append(f"Range: {range_header}".encode())
        if if_range:
            headers.append(f"If-Range: {if_range}".encode("latin-1", "replace"))
        curl = self.curl = new_handle(self._source, self._on_blocked)
        curl.setopt(pycurl.URL, self.url.encode())
        curl.setopt(pycurl.HTTPHEADER, headers)
        curl.setopt(pycurl.SHARE, share)
        curl.setopt(pycurl.BUFFERSIZE, _READ_BUFFER_BYTES)
        curl.setopt(pycurl.HEADERFUNCTION, self._on_header)
        curl.setopt(pycurl.WRITEFUNCTION, self._on_body)
        return curl

    def accept(self, promised_end: int | None, decoder: Decoder | None = None) -> None:
        """Take the body. ``promised_end``: where the answer says that it ends."""
        self._accepted = True
        self._decoder = decoder
        self.segment.promised_end = promised_end

    def discard(self) -> None:
        """Want nothing of it any more."""
        self.is_discarded = True
        self._accepted = False
        self._ignored_bytes = _MOST_IGNORED_BYTES
        self._buffers, self._buffered_bytes = [], 0

    def flush(self) -> None:
        """Hand what has arrived to the part file."""
        if self._buffers:
            buffers, size = self._buffers, self._buffered_bytes
            self._buffers, self._buffered_bytes = [], 0
            try:
                self._part.write(self.segment.position - size, buffers)
            except DownloadError:
                self.segment.received -= size  # never claim what is not there
                raise

    @property
    def is_whole(self) -> bool:
        """Whether a body of unknown length has come to its own end."""
        return self._decoder is None or self._decoder.is_complete

    def survey(self, now: float) -> float:
        """Measure the rate; returns the seconds since the last byte came, other than by the rate limit."""
        position = self.segment.position
        moved, passed = position - self._seen_position, now - self._seen_at
        if self.is_receiving and (moved or passed > 1):
            rate = max(1.0, moved / passed)
            self.bytes_per_second = rate if self.bytes_per_second is None else (rate + self.bytes_per_second) / 2
        if moved or self.is_paused:
            self._seen_at, self._seen_position = now, position
        return now - self._seen_at

    def usual_rate(self, now: float) -> float:
        """The measured rate, or that since it was opened if it did not last long enough."""
        passed = max(now - self.opened_at, 0.001)
        return self.bytes_per_second or max(1.0, (self.segment.position - self._first_position) / passed)

    def resume(self) -> None:
        """Go on after the rate limit held it."""
        self.is_paused = False
        with suppress(pycurl.error):  # what it held is delivered now, and may end it: the pool reads how it ended
            self.curl.pause(pycurl.PAUSE_CONT)

    def failure_of(self, code: int, text: str) -> DownloadError:
        """The failure that libcurl's error ``code`` stands for."""
        if self.is_blocked:
            return DownloadError("blocked-address", text)
        return DownloadError(failure_code(code), text)

    def _on_blocked(self) -> None:
        self.is_blocked = True

    def _on_header(self, raw: bytes) -> int | None:
        line = raw.decode("latin-1").rstrip("\r\n")
        if self._headers is None:
            if not (status := _STATUS_LINE.match(line)):
                self.failure = DownloadError("unexpected-answer", "no status line")
                return 0
            self._status, self._headers = int(status[1]), {}
        elif line:
            name, _, value = line.partition(":")
            self._headers.setdefault(name.strip().lower(), value.strip())
        elif self._status < 200:
            self._headers = None
        elif self.answer is None:
            self.answer = Answer(self.url, self._status, self._headers)
            try:
                self._judge(self, self.answer)
            except BaseException as error:  # noqa: BLE001  libcurl cannot carry it: raised where the end is read
                self.error = error
                return 0
        return None

    def _is_wanted(self, first_bytes: bytes) -> bool:
        """Whether the body still is, after a look at how it begins."""
        self.is_receiving = True
        if self.look:
            self.look(first_bytes)
        return not self.is_discarded

    def _on_body(self, buffer: bytes) -> int | None:
        if not self._accepted:
            self._ignored_bytes += len(buffer)
            return None if self._ignored_bytes < _MOST_IGNORED_BYTES else 0
        bucket = self._bucket
        if bucket.bytes_per_second is not None:
            if bucket.wait_seconds() > 0:
                self.is_paused = True
                return int(pycurl.WRITEFUNC_PAUSE)
            bucket.take(len(buffer))
        try:  # this runs 65,536 times for each GiB
            if not self.is_receiving and not self._is_wanted(buffer):
                return 0
            if self._decoder:
                buffer = self._decoder.decode(buffer)
            segment, size = self.segment, len(buffer)
            if segment.end is not None and size > segment.end - segment.start - segment.received:
                buffer = buffer[: segment.end - segment.position]
                size = len(buffer)
                self.is_cut = True
            segment.received += size
            self._buffers.append(buffer)
            self._buffered_bytes += size
            if self._buffered_bytes >= FLUSH_BYTES:
                self.flush()
        except BaseException as error:  # noqa: BLE001  libcurl cannot carry it: raised where the end is read
            self.error = error
            return 0
        return 0 if self.is_cut else None
