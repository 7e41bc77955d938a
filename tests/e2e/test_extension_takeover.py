"""The browser's downloads, taken over: the server gets what it can get, and the browser keeps everything else."""

import hashlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from content import content, sha256
from playwright.sync_api import Page, expect

SIZE = 300_000
ON = {"isOn": True, "minBytes": 1000, "extensions": [], "neverSites": []}
WAIT_SECONDS = 20


class Site:
    """A page with downloads that go wrong in the ways that lose files elsewhere."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
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
        return _file(request)


_LINKS = """<title>Files</title>
<a href=/plain.bin>plain</a> <a href=/once.bin>once</a> <a href=/member.bin>member</a> <a href=/small.bin>small</a>
<a href=/late.bin>late</a>
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


def _file(request: BaseHTTPRequestHandler) -> None:
    size = 500 if "small" in request.path else SIZE
    request.send_response(200)
    request.send_header("Content-Type", "application/octet-stream")
    request.send_header("Content-Disposition", "attachment")
    request.send_header("Content-Length", str(size))
    request.end_headers()
    body = content(0, size)
    request.wfile.write(body[: size // 2])
    request.wfile.flush()
    time.sleep(0.2)  # a file that is there at once would prove nothing about being held
    request.wfile.write(body[size // 2 :])


@pytest.fixture
def site() -> Iterator[Site]:
    running = Site()
    yield running
    running.close()


class Browser:
    """A page of the site in a browser that takes over, and the browser's own list of downloads."""

    def __init__(self, extension: Any, site: Site) -> None:
        self.extension = extension
        self.own = extension.open("options/options.html")
        session = self.own.context.new_cdp_session(self.own)
        # Playwright's own handling of downloads would keep the event back that the extension waits for.
        session.send("Browser.setDownloadBehavior", {"behavior": "default"})
        self.set_rules(ON)
        self.page: Page = extension.context.new_page()
        self.page.goto(site.url("/"))

    def set_rules(self, rules: dict[str, Any], **more: Any) -> None:
        self.own.evaluate("settings => chrome.storage.local.set(settings)", {"takeOver": rules, **more})

    def downloads(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.own.evaluate("() => chrome.downloads.search({})")
        return found

    def kept(self) -> Path:
        """The one file that the browser has kept, complete."""

        def complete() -> list[dict[str, Any]]:
            return [item for item in self.downloads() if item["state"] == "complete"]

        wait_for(lambda: len(complete()) == 1)
        return Path(complete()[0]["filename"])


def wait_for(condition: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.05)


@pytest.fixture
def taking(extension: Any, site: Site) -> Browser:
    return Browser(extension, site)


def on_server(server: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.client.get("/api/downloads").json()["downloads"]
    return found


def has_taken(server: Any, taking: Browser) -> None:
    wait_for(lambda: [d["status"] for d in on_server(server)] == ["completed"])
    wait_for(lambda: taking.downloads() == [])


def was_kept(server: Any, taking: Browser, size: int = SIZE) -> None:
    assert taking.kept().stat().st_size == size
    wait_for(lambda: on_server(server) == [])


def test_a_plain_file_goes_to_the_server_and_leaves_the_browser(server: Any, site: Site, taking: Browser) -> None:
    taking.page.get_by_text("plain").click()
    has_taken(server, taking)
    [download] = on_server(server)
    assert download["filename"] == "plain.bin"
    with server.client.stream("GET", download["file_url"]) as answer:
        assert hashlib.sha256(answer.read()).hexdigest() == sha256(SIZE)


def test_two_clicks_are_one_download(server: Any, site: Site, taking: Browser) -> None:
    taking.page.get_by_text("plain").click()
    taking.page.get_by_text("plain").click()
    has_taken(server, taking)
    assert len(on_server(server)) == 1


def test_without_being_switched_on_nothing_is_taken(server: Any, site: Site, taking: Browser) -> None:
    taking.set_rules({**ON, "isOn": False})
    taking.page.get_by_text("plain").click()
    was_kept(server, taking)
    assert site.count("/plain.bin") == 1


@pytest.mark.parametrize("link", ["once", "post", "blob", "member"])
def test_what_only_the_browser_can_get_stays_there(link: str, server: Any, site: Site, taking: Browser) -> None:
    if link == "member":
        taking.page.evaluate("() => fetch('/login')")
    taking.page.get_by_text(link, exact=True).click()
    was_kept(server, taking)


def test_what_is_small_or_from_a_site_that_is_left_alone_stays(server: Any, site: Site, taking: Browser) -> None:
    taking.page.get_by_text("small").click()
    was_kept(server, taking, 500)
    taking.own.evaluate("() => chrome.downloads.erase({})")
    taking.set_rules({**ON, "neverSites": ["127.0.0.1"]})
    taking.page.get_by_text("plain").click()
    was_kept(server, taking)
    assert site.count("/plain.bin") == 1


def test_alt_leaves_it_to_the_browser(server: Any, site: Site, taking: Browser) -> None:
    ids = "async () => (await chrome.scripting.getRegisteredContentScripts()).length"
    wait_for(lambda: taking.own.evaluate(ids) == 1)
    taking.page.reload()
    taking.page.get_by_text("plain").click(modifiers=["Alt"])
    was_kept(server, taking)
    assert site.count("/plain.bin") == 1


def test_a_server_that_is_not_there_loses_nothing(server: Any, site: Site, taking: Browser) -> None:
    server.stop()
    taking.page.get_by_text("plain").click()
    assert taking.kept().stat().st_size == SIZE


def test_a_server_that_is_slow_is_not_waited_for_and_does_not_have_it_as_well(
    server: Any, site: Site, taking: Browser
) -> None:
    os.kill(server.pid, signal.SIGSTOP)
    try:
        taking.page.get_by_text("plain").click()
        assert taking.kept().stat().st_size == SIZE
    finally:
        os.kill(server.pid, signal.SIGCONT)
    wait_for(lambda: site.count("/plain.bin") > 1 or on_server(server) == [])
    wait_for(lambda: on_server(server) == [])


def test_a_server_that_dies_meanwhile_loses_nothing_and_forgets_it_later(
    server: Any, site: Site, taking: Browser
) -> None:
    taking.page.get_by_text("late").click()
    wait_for(lambda: site.count("/late.bin") > 1)
    server.kill()
    assert taking.kept().stat().st_size == SIZE
    server.start()
    popup = taking.extension.open_popup()
    expect(popup.get_by_role("status")).to_have_attribute("data-connection", "connected")
    wait_for(lambda: on_server(server) == [])


def test_a_stopped_worker_takes_over_too(server: Any, site: Site, taking: Browser) -> None:
    session = taking.own.context.new_cdp_session(taking.own)
    session.send("ServiceWorker.enable")
    session.send("ServiceWorker.stopAllWorkers")
    taking.page.get_by_text("plain").click()
    has_taken(server, taking)
