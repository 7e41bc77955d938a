"""A proxy for programs that connect by themselves, ffmpeg above all: what they reach is judged like the rest.

It resolves and connects as this process does, so :func:`~idm_app.engine.source.guard_resolver` holds for it too.
Loopback only, for as long as the program runs. Where the environment names a proxy already, that one stays.
"""

import os
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from idm_app.engine.source import BlockedAddress
from idm_app.errors import DownloadError

_CONNECT_SECONDS = 30
_READ_BYTES = 256 * 1024
_OF_ONE_HOP = {"proxy-connection", "connection", "keep-alive", "proxy-authorization", "host"}


@contextmanager
def guarding_proxy() -> Iterator[str | None]:
    """The address of a proxy that a program is to use; ``None``: the one that the environment names.

    Raises :class:`DownloadError` at the end if the program wanted out of reach.
    """
    if os.environ.get("http_proxy"):
        yield None
        return
    with _Proxy() as proxy:
        try:
            yield f"http://127.0.0.1:{proxy.server_address[1]}"
        finally:
            proxy.shutdown()
            if proxy.blocked:
                raise DownloadError("blocked-address", proxy.blocked)


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True
    blocked = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


class _Exchange(BaseHTTPRequestHandler):
    """One request, and the connection that carries it."""

    def do_CONNECT(self) -> None:
        """A tunnel, for HTTPS."""
        host, _, port = self.path.rpartition(":")
        self._reach(host.strip("[]"), port, b"", b"HTTP/1.1 200 Connected\r\n\r\n")

    def do_GET(self) -> None:
        """A plain request; one on each connection, because the next may be for another host."""
        target = urlsplit(self.path)
        path = target._replace(scheme="", netloc="").geturl() or "/"
        kept = [(name, value) for name, value in self.headers.items() if name.lower() not in _OF_ONE_HOP]
        headers = [("Host", target.netloc), *kept, ("Connection", "close")]
        lines = [f"{self.command} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
        self._reach(target.hostname or "", str(target.port or 80), "\r\n".join(lines).encode("latin-1"), b"")

    do_HEAD = do_GET  # noqa: N815

    def _reach(self, host: str, port: str, request: bytes, answer: bytes) -> None:
        self.close_connection = True
        try:
            upstream = socket.create_connection((host, int(port)), _CONNECT_SECONDS)
        except BlockedAddress as error:
            assert isinstance(self.server, _Proxy)
            self.server.blocked = str(error)
            self.send_error(403)
            return
        except (OSError, ValueError):
            self.send_error(502)
            return
        with upstream, suppress(OSError):  # one of them has gone
            upstream.sendall(request)
            self.connection.sendall(answer)
            _pass_on(self.connection, upstream)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002
        """Say nothing: standard error is the worker's."""


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until one side ends."""
    while True:
        for readable in select.select([one, other], [], [])[0]:
            content = readable.recv(_READ_BYTES)
            if not content:
                return
            (other if readable is one else one).sendall(content)
