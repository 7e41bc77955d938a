"""``POST /api/probe`` of the real server: what an address offers, and that the download after it need not ask again."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from live_server import LiveServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One for all: what a probe does is gone when it ends."""
    running = LiveServer(tmp_path_factory.mktemp("probes"))
    running.start()
    yield running
    running.close()


def probe(server: Any, url: str, **more: Any) -> dict[str, Any]:
    response = server.client.post("/api/probe", json={"url": url, **more}, timeout=60)
    assert response.status_code == 200, response.text
    return dict(response.json())


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not in {seconds} s"
        time.sleep(0.02)
    return found


def downloaded(server: Any, url: str, **choices: Any) -> dict[str, Any]:
    download_id = server.client.post("/api/downloads", json={"url": url, **choices}).json()["id"]

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = server.client.get(f"/api/downloads/{download_id}").json()
        assert found["status"] != "failed", found
        return found if found["done"] else None

    done: dict[str, Any] = until(ended, 60)
    return done


def test_a_file(server: Any, origin: Any) -> None:
    found = probe(server, origin.url("/file/some thing.zip", size=50_000_000, rate=1_000_000))
    assert found == {
        "kind": "file",
        "title": "some thing.zip",
        "filename": "some thing.zip",
        "total_bytes": 50_000_000,
        "total_is_estimate": False,
        "thumbnail_url": None,
        "duration_seconds": None,
        "formats": [],
        "entries": [],
        "subtitles": [],
    }
    assert server.client.get("/list").json() == []


def test_headers_and_cookies_go_along(server: Any, origin: Any) -> None:
    url = origin.url("/file/secret.bin", size=1000, cookie="pass=7", header="Referer=http://from.example/")
    host = urlsplit(url).hostname
    cookie = {"name": "pass", "value": "7", "domain": host}
    refused = server.client.post("/api/probe", json={"url": url})
    assert refused.status_code == 422
    assert probe(server, url, cookies=[cookie], referrer="http://from.example/")["total_bytes"] == 1000


@pytest.mark.parametrize(("status", "code"), [(404, "not-found"), (403, "forbidden"), (410, "gone")])
def test_what_is_not_there_is_refused_with_its_own_code(server: Any, origin: Any, status: int, code: str) -> None:
    response = server.client.post("/api/probe", json={"url": origin.url("/file/x.zip", status=status)})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (problem["code"], problem["field"], problem["retryable"]) == (code, "url", False)
    assert str(status) in problem["message"]


def test_a_page_without_media(server: Any, media_site: Any) -> None:
    assert server.client.post("/api/probe", json={"url": media_site.empty_page()}).json()["code"] == "no-media"


@pytest.mark.parametrize(
    "body", [{}, {"url": "file:///etc/passwd"}, {"url": "http://x.example/", "headers": {"Host": "y"}}]
)
def test_what_cannot_be_asked(server: Any, body: dict[str, Any]) -> None:
    assert server.client.post("/api/probe", json=body).status_code == 422


def test_a_video_lists_its_formats_with_the_sound_that_joins_them(server: Any, media_site: Any) -> None:
    url = media_site.dash()
    found = probe(server, url)
    assert (found["kind"], found["title"]) == ("media", "manifest")
    assert 5.5 < found["duration_seconds"] < 7
    picture, sound = found["formats"]
    assert (picture["quality"], picture["height"], picture["video_codec"]) == ("180p", 180, "h264")
    assert (picture["has_video"], picture["has_audio"], picture["audio_codec"]) == (True, True, "aac")
    assert (sound["has_video"], sound["has_audio"], sound["extension"]) == (False, True, "m4a")
    bits_per_second = [int(told) for told in re.findall(r'bandwidth="(\d+)"', httpx.get(url).text)]
    assert (sound["quality"], sound["height"], sound["fps"]) == (f"{bits_per_second[-1] / 1000:.0f} kbit/s", None, None)
    assert picture["total_bytes"] == pytest.approx(found["total_bytes"], abs=2)
    assert picture["total_bytes"] > sound["total_bytes"] > 0
    assert picture["total_is_estimate"]


def test_a_page_tells_its_picture_and_subtitles(server: Any, media_site: Any) -> None:
    found = probe(server, media_site.rich_page())
    assert (found["kind"], found["title"], found["subtitles"]) == ("media", "Rich Test", ["en"])
    assert found["thumbnail_url"].endswith(".jpg")
    assert found["filename"] == "Rich Test.mp4"


def test_a_feed_lists_its_entries(server: Any, media_site: Any) -> None:
    found = probe(server, media_site.feed(4))
    assert (found["kind"], found["title"]) == ("playlist", "Show")
    assert [entry["index"] for entry in found["entries"]] == [1, 2, 3, 4]
    assert found["entries"][2]["title"] == "Episode 3"


def test_a_download_after_a_probe_does_not_ask_the_site_again(server: Any, media_site: Any) -> None:
    url = media_site.dash_on_demand()
    manifest = urlsplit(url).path
    choice = probe(server, url)["formats"][0]["format_id"]
    asked = media_site.server.stats(manifest).requests
    done = downloaded(server, url, format_id=choice)
    assert done["kind"] == "media"
    assert media_site.server.stats(manifest).requests == asked
    other = downloaded(server, url, referrer="http://elsewhere.example/")  # asked otherwise, answered otherwise
    assert media_site.server.stats(manifest).requests > asked
    assert other["kind"] == "media"


def test_chosen_entries_of_a_probed_playlist_do_not_ask_for_it_again(server: Any, media_site: Any) -> None:
    url = media_site.feed(5)
    probe(server, url)
    asked = media_site.server.stats(urlsplit(url).path).requests
    done = downloaded(server, url, playlist_items="2,4-5")
    assert media_site.server.stats(urlsplit(url).path).requests == asked
    titles = {d["title"] for d in server.client.get("/list").json()}
    assert done["kind"] == "playlist"
    assert {"Episode 2", "Episode 4", "Episode 5"} <= titles
    assert not {"Episode 1", "Episode 3"} & titles


def test_a_client_that_goes_away_ends_its_probe(server: Any, origin: Any) -> None:
    url = origin.url("/file/slow.bin", size=1000, delay=60)
    body = ('{"url": "' + url + '"}').encode()
    for _ in range(3):  # as many as are done at a time
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            head = f"POST /api/probe HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: application/json\r\n"
            client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            asked = origin.stats("/file/slow.bin").requests
            until(lambda asked=asked: origin.stats("/file/slow.bin").requests > asked)
    began = time.monotonic()
    assert probe(server, origin.url("/file/quick.bin", size=10))["total_bytes"] == 10
    assert time.monotonic() - began < 20
