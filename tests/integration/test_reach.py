"""Where downloads may not reach: real workers, led there by an origin on every way that there is.

What is forbidden here is one port of this machine, as the server's own are: nothing may so much as connect to it.
"""

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_jobs import Jobs
from fault_server import FaultServer
from live_server import LiveServer
from media_site import MediaSite

from idm_app.engine.binaries import ffmpeg_folder
from idm_app.engine.guard_proxy import guarding_proxy
from idm_app.engine.reach import Reach
from idm_app.engine.source import guard_resolver
from idm_app.errors import DownloadError

HTML, HLS, DASH = "text/html; charset=utf-8", "application/vnd.apple.mpegurl", "application/dash+xml"
SPELLINGS = ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "017700000001", "[::ffff:127.0.0.1]"]


class Forbidden:
    """A port at which nobody must knock."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    @property
    def was_reached(self) -> bool:
        try:
            self._listener.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def forbidden() -> Iterator[Forbidden]:
    port = Forbidden()
    yield port
    port.close()


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    running = Jobs(tmp_path)
    yield running
    running.close()


def page(body: str) -> tuple[bytes, str]:
    return f"<!doctype html><title>A page</title>{body}".encode(), HTML


def playlist(*lines: str, ended: bool = True) -> tuple[bytes, str]:
    head = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:2"]
    return "\n".join([*head, *lines, *(["#EXT-X-ENDLIST"] if ended else [])]).encode(), HLS


def segment(url: str) -> tuple[bytes, str]:
    return playlist("#EXTINF:2.0,", url)


def dash(url: str) -> tuple[bytes, str]:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT4S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>'
        '<AdaptationSet mimeType="video/mp4"><Representation id="1" codecs="avc1.42c00c" bandwidth="1" width="16" '
        f'height="16"><BaseURL>{url}</BaseURL><SegmentBase indexRange="1-2"/></Representation></AdaptationSet>'
        "</Period></MPD>"
    ).encode(), DASH


WAYS: dict[str, Callable[[str], tuple[bytes, str]]] = {
    "video of a page": lambda url: page(f'<video src="{url}.mp4"></video>'),
    "frame of a page": lambda url: page(
        f'<iframe src="{url}" ></iframe><meta http-equiv="refresh" content="0;url={url}">'
    ),
    "refresh of a page": lambda url: page(f'<meta http-equiv="refresh" content="0; url={url}">'),
    "variant of a playlist": lambda url: playlist("#EXT-X-STREAM-INF:BANDWIDTH=1000", f"{url}.m3u8"),
    "segment of a playlist": lambda url: segment(f"{url}.ts"),
    "key of a playlist": lambda url: playlist(f'#EXT-X-KEY:METHOD=AES-128,URI="{url}"', "#EXTINF:2.0,", "a.ts"),
    "beginning of a playlist": lambda url: playlist(f'#EXT-X-MAP:URI="{url}"', "#EXTINF:2.0,", "a.ts"),
    "segment of a live playlist": lambda url: playlist("#EXTINF:2.0,", f"{url}.ts", ended=False),
    "manifest's base": lambda url: dash(f"{url}.mp4"),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_leads_there(jobs: Jobs, origin: FaultServer, forbidden: Forbidden, way: str) -> None:
    body = WAYS[way](forbidden.url("/secret"))
    suffix = {HTML: ".html", HLS: ".m3u8", DASH: ".mpd"}[body[1]]
    origin.files[f"/way{suffix}"] = body
    failure = jobs.start(origin.url(f"/way{suffix}"), blocked_ports=(forbidden.port,)).failed()
    assert not forbidden.was_reached, failure
    assert failure.code in ("blocked-address", "no-media", "extraction-failed"), failure


@pytest.mark.parametrize(("host", "kind"), [*((host, None) for host in SPELLINGS), ("127.1", "media")])
def test_no_redirect_leads_there_however_it_is_spelled(
    jobs: Jobs, origin: FaultServer, forbidden: Forbidden, host: str, kind: str | None
) -> None:
    url = origin.url("/a.bin", location=forbidden.url("/secret", host))
    failure = jobs.start(url, kind=kind, blocked_ports=(forbidden.port,)).failed()
    assert not forbidden.was_reached, failure
    assert failure.code in ("blocked-address", "host-not-found"), failure


# -- programs that connect by themselves


def test_a_program_gets_what_it_may_through_the_guard(media_site: MediaSite, tmp_path: Path) -> None:
    path = tmp_path / "clip.ts"
    with guarding_proxy() as proxy:
        assert proxy is not None
        command = [str((ffmpeg_folder() or Path("/usr/bin")) / "ffmpeg"), "-v", "error", "-i", media_site.hls_split()]
        environment = {**os.environ, "http_proxy": proxy}
        subprocess.run([*command, "-c", "copy", str(path)], check=True, timeout=60, env=environment)
    assert path.stat().st_size > 10_000
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(proxy.rpartition(":")[2])))


def test_a_tunnel_leads_to_where_this_process_may_go_and_nowhere_else(
    origin: FaultServer, forbidden: Forbidden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)  # put back what the guard replaces
    guard_resolver(Reach(blocked_ports=(forbidden.port,)))

    def fetch(proxy: str | None, port: int) -> bytes:
        connection = http.client.HTTPConnection(str(proxy).removeprefix("http://"), timeout=10)
        connection.set_tunnel("localhost", port)
        connection.request("GET", "/a.bin?size=1000")
        return connection.getresponse().read()

    with guarding_proxy() as proxy:
        assert len(fetch(proxy, origin.port)) == 1000
    with pytest.raises(DownloadError) as refused, guarding_proxy() as proxy:
        fetch(proxy, forbidden.port)
    assert refused.value.failure_code == "blocked-address"
    assert not forbidden.was_reached


# -- what is told at once


def test_what_no_setting_ever_allows_is_refused_at_once_at_every_door(server: LiveServer) -> None:
    first = server.client.post("/download", json={"url": "http://127.0.0.1:9/", "start": False}).json()["id"]
    for never in ("http://169.254.169.254/latest/meta-data", "http://2852039166/", f"http://localhost:{server.port}/"):
        answers = [
            server.client.post("/api/downloads", json={"url": never}),
            server.client.post("/api/downloads", json={"urls": ["http://127.0.0.1:9/", never]}),
            server.client.post("/api/probe", json={"url": never}),
            server.client.patch(f"/api/downloads/{first}", json={"url": never}),
        ]
        assert [answer.status_code for answer in answers] == [422] * 4
        assert [answer.json()["field"] for answer in answers] == ["url", "urls[1]", "url", "url"]
    assert [d["url"] for d in server.client.get("/list").json()] == ["http://127.0.0.1:9/"]


# -- folders


def test_a_link_in_the_download_folder_is_not_followed_out_of_it(server: LiveServer, origin: FaultServer) -> None:
    elsewhere = server.download_dir.parent / "elsewhere"
    elsewhere.mkdir()
    (server.download_dir / "out").symlink_to(elsewhere)
    url = origin.url("/a.bin", size=1000)
    ids = [
        server.client.post("/download", json={"url": url, "directory": folder}).json()["id"]
        for folder in ("out", "out/below", "in")
    ]
    through, below, inside = (ended(server, download_id) for download_id in ids)
    assert through["error"]["code"] == below["error"]["code"] == "folder-not-writable"
    assert "symbolic link" in through["error"]["detail"]
    assert list(elsewhere.iterdir()) == []
    assert inside["status"] == "completed"
    (server.download_dir / "in").rename(elsewhere / "in")
    (server.download_dir / "in").symlink_to(elsewhere / "in")
    assert server.client.get(f"/api/downloads/{inside['id']}/file").status_code == 410
    assert server.client.delete(f"/api/downloads/{inside['id']}?file=true").status_code == 204
    assert [path.name for path in (elsewhere / "in").iterdir()] == ["a.bin"]


def ended(server: LiveServer, download_id: int) -> dict[str, Any]:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        download: dict[str, Any] = server.client.get(f"/api/downloads/{download_id}").json()
        if download["status"] in ("completed", "failed"):
            return download
        time.sleep(0.05)
    raise AssertionError(download)
