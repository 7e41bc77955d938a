"""A stand-in for SponsorBlock's service, on loopback: answers for every hash, and remembers what it was asked."""

import json
import threading
from contextlib import suppress
from email.message import Message
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class SponsorService:
    """Use it as a context manager. ``body`` is what it answers, ``status`` with what, ``wait`` when."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Message]] = []
        """Path with query, and headers, of each request."""
        self.status = 200
        self.retry_after = ""
        self.body = b"[]"
        self.wait = threading.Event()
        """Clear it: the answer does not come."""
        self.wait.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.wait.set()
        self._server.shutdown()
        self._server.server_close()

    def knows(self, video_id: str, *segments: tuple[str, Any, Any], seconds: float = 0) -> None:
        """From now on: these segments (category, start, end) of a video, between those of others."""
        shaped = [
            {"segment": [start, end], "category": category, "actionType": "skip", "videoDuration": seconds}
            for category, start, end in segments
        ]
        other = {"segment": [1.0, 2.0], "category": "filler", "actionType": "skip", "videoDuration": 0}
        videos = [{"videoID": "of-another", "segments": [other]}, {"videoID": video_id, "segments": shaped}]
        self.body = json.dumps(videos).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked.append((self.path, self.headers))
                service.wait.wait()
                self.send_response(service.status)
                if service.retry_after:
                    self.send_header("Retry-After", service.retry_after)
                self.send_header("Content-Length", str(len(service.body)))
                self.end_headers()
                with suppress(OSError):  # nobody waits for it any more
                    self.wfile.write(service.body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def prefix_of(video_id: str) -> str:
    """What may be told of a video's id."""
    return sha256(video_id.encode()).hexdigest()[:4]
