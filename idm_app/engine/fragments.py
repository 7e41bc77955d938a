"""Fragments of a stream (HLS, DASH): each fetched whole, over connections that stay open, one for each thread."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pycurl

from idm_app.engine.answers import Answer, failure_of
from idm_app.engine.connection import failure_code, new_handle
from idm_app.engine.source import MAX_REDIRECTS, Source, checked_target
from idm_app.engine.throttle import TokenBucket
from idm_app.errors import DownloadError

MOST_TRIES = 6
STALL_SECONDS = 10
_LOOK_SECONDS = 0.1


class FragmentFetcher:
    """Fetches fragments for several threads at once. ``count`` hears of every byte as it comes, and of bytes lost.

    Once ``is_over()`` what is being fetched is given up within a second.
    """

    def __init__(
        self,
        source: Source,
        bucket: TokenBucket,
        count: Callable[[int], None],
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self._is_over = is_over
        self._source = source
        self._bucket = bucket
        self._count = count
        self._local = threading.local()

    def fetch(self, url: str, headers: Mapping[str, str], *, is_counted: bool = True) -> bytes:
        """The whole body. Raises :class:`DownloadError` when it has been tried often enough."""
        return self._fetch(url, headers, self._count if is_counted else _count_nothing)[0]

    def look_at(self, url: str, headers: Mapping[str, str]) -> tuple[bytes, Answer]:
        """The same for what is no media and not counted, with the answer: where it was found, and when."""
        return self._fetch(url, headers, _count_nothing)

    def _fetch(self, url: str, headers: Mapping[str, str], count: Callable[[int], None]) -> tuple[bytes, Answer]:
        checked_target(url, self._source.reach)
        tries = 0
        while True:
            try:
                return self._fetch_once(url, headers, count)
            except DownloadError as error:
                tries += 1
                delay = min(5.0, 0.3 * 2**tries) * random.uniform(0.8, 1.2)
                delay = max(delay, min(30.0, error.retry_after_seconds or 0.0))
                if not error.retryable or tries >= MOST_TRIES or not self._waited(delay):
                    raise

    def _fetch_once(self, url: str, headers: Mapping[str, str], count: Callable[[int], None]) -> tuple[bytes, Answer]:
        request = _Request(self._bucket, count)
        handle = self._handle()
        lines = [f"{name}: {value}" for name, value in headers.items() if name.lower() != "accept-encoding"]
        handle.setopt(pycurl.URL, url.encode())
        handle.setopt(pycurl.HTTPHEADER, [line.encode() for line in [*lines, "Accept-Encoding: identity"]])
        handle.setopt(pycurl.HEADERFUNCTION, request.on_header)
        handle.setopt(pycurl.WRITEFUNCTION, request.on_body)
        self._local.blocked = False
        try:
            handle.perform()
            request.check(url, wants_part="Range" in headers)
        except pycurl.error as error:
            count(-request.size)
            code, text = error.args
            if request.failure:
                raise request.failure from error
            raise DownloadError("blocked-address" if self._local.blocked else failure_code(code), text) from error
        except DownloadError:
            count(-request.size)
            raise
        found_at = handle.getinfo(pycurl.EFFECTIVE_URL)
        return b"".join(request.buffers), Answer(found_at, request.status, request.headers)

    def _waited(self, seconds: float) -> bool:
        """Sleep; whether it is not over yet."""
        end = time.monotonic() + seconds
        while not self._is_over():
            if (left := end - time.monotonic()) <= 0:
                return True
            time.sleep(min(left, _LOOK_SECONDS))
        return False

    def _handle(self) -> Any:
        handle = getattr(self._local, "handle", None)
        if handle is None:
            handle = self._local.handle = new_handle(self._source, self._on_blocked)
            for line in self._source.cookie_lines():
                handle.setopt(pycurl.COOKIELIST, line)
            handle.setopt(pycurl.FOLLOWLOCATION, 1)
            handle.setopt(pycurl.MAXREDIRS, MAX_REDIRECTS)
            handle.setopt(pycurl.REDIR_PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
            handle.setopt(pycurl.NOPROGRESS, 0)
            handle.setopt(pycurl.XFERINFOFUNCTION, lambda *_: self._is_over())
            handle.setopt(pycurl.LOW_SPEED_LIMIT, 1)
            handle.setopt(pycurl.LOW_SPEED_TIME, STALL_SECONDS)
        return handle

    def _on_blocked(self) -> None:
        self._local.blocked = True


def _count_nothing(_: int) -> None:
    pass


class _Request:
    """One answer as it comes."""

    def __init__(self, bucket: TokenBucket, count: Callable[[int], None]) -> None:
        self.buffers: list[bytes] = []
        self.size = 0
        self.status = 0
        self.headers: dict[str, str] = {}
        self.failure: DownloadError | None = None
        self._bucket = bucket
        self._count = count

    def on_header(self, raw: bytes) -> None:
        line = raw.decode("latin-1").rstrip("\r\n")
        if line.startswith("HTTP/"):
            self.status, self.headers = int(line.split()[1]), {}
        elif line:
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()

    def on_body(self, buffer: bytes) -> int | None:
        if self.status in (200, 206):
            self.buffers.append(buffer)
            self.size += len(buffer)
            self._count(len(buffer))
            self._bucket.pay(len(buffer))
        return None

    def check(self, url: str, *, wants_part: bool) -> None:
        """Raise :class:`DownloadError` unless it is what was asked for."""
        answer = Answer(url, self.status, self.headers)
        if self.status not in (200, 206):
            raise failure_of(answer, resumed=True)
        if wants_part and self.status == 200:
            raise DownloadError("unexpected-answer", "the server sent the whole file instead of a part of it")
