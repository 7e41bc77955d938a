"""A page with downloads for a browser, which the extension takes over or leaves."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from content import content

SIZE = 300_000


class DownloadSite:
    """A page with downloads that go wrong in the ways that lose files elsewhere."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self._closed = threading.Event()
        site = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.answer(self)

            def do_POST(self) -> None:
                site.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def count(self, path: str) -> int:
        return sum(asked == path for _, asked in self.requests)

    def close(self) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = urlsplit(request.path).path
        self.requests.append((request.command, path))
        length = int(request.headers.get("Content-Length") or 0)
        request.rfile.read(length)
        if path == "/":
            return _page(request, _LINKS)
        if path == "/once.bin" and self.count(path) > 1:
            return _page(request, "used up", 410)
        if path == "/post.bin" and request.command == "GET":
            return _page(request, "not that way", 405)
        if path == "/member.bin" and "session=secret" not in request.headers.get("Cookie", ""):
            return _page(request, "sign in first")
        if path == "/late.bin" and self.count(path) > 1:
            time.sleep(2)
        if path == "/login":
            request.send_response(200)
            request.send_header("Set-Cookie", "session=secret; HttpOnly; Path=/")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return None
        # A file that is there at once would prove nothing about being held; a long one has no end for the browser.
        is_endless = path == "/long.bin" and self.count(path) == 1
        return _file(request, lambda: self._closed.wait(60 if is_endless else 0.2))


_LINKS = """<title>Files</title>
<a href=/plain.bin>plain</a> <a href=/once.bin>once</a> <a href=/member.bin>member</a> <a href=/small.bin>small</a>
<a href=/export.bin?id=7 download="Bericht größe.bin">named</a> <a href=/late.bin>late</a> <a href=/long.bin>long</a>
<form method=post action=/post.bin><input type=hidden name=a value=b><button>post</button></form>
<button id=blob onclick="const a = document.createElement('a'); a.download = 'blob.bin';
  a.href = window.URL.createObjectURL(new Blob([new Uint8Array(300000)])); a.click()">blob</button>"""


def _page(request: BaseHTTPRequestHandler, text: str, status: int = 200) -> None:
    body = text.encode()
    request.send_response(status)
    request.send_header("Content-Type", "text/html; charset=utf-8")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def _file(request: BaseHTTPRequestHandler, wait: Callable[[], object]) -> None:
    size = 500 if "small" in request.path else SIZE
    request.send_response(200)
    request.send_header("Content-Type", "application/octet-stream")
    request.send_header("Content-Disposition", "attachment")
    request.send_header("Content-Length", str(size))
    request.end_headers()
    body = content(0, size)
    request.wfile.write(body[: size // 2])
    request.wfile.flush()
    wait()
    request.wfile.write(body[size // 2 :])
