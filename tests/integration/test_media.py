"""Media through the real server: what a user does with a recording, a long playlist, subtitles beside."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not in {seconds} s"
        time.sleep(0.02)
    return found


def add(server: Any, url: str, **choices: Any) -> int:
    response = server.client.post("/api/downloads", json={"url": url, **choices})
    assert response.status_code == 201, response.text
    return int(response.json()["id"])


def get(server: Any, download_id: int) -> dict[str, Any]:
    return dict(server.client.get(f"/api/downloads/{download_id}").json())


def test_pausing_a_recording_finishes_it_with_what_is_there(server: Any, media_site: Any) -> None:
    stream = media_site.live()
    stream.send(3)
    download_id = add(server, stream.url)
    until(lambda: get(server, download_id)["phase"] == "recording" and get(server, download_id)["received_bytes"])
    assert server.client.post(f"/api/downloads/{download_id}/pause").status_code == 200
    done = until(lambda: (found := get(server, download_id))["done"] and found)
    assert (done["status"], done["error"], done["kind"]) == ("completed", None, "media")
    assert done["total_bytes"] > 10_000
    assert "concluded" in [event["code"] for event in done["events"]]


def test_a_recording_survives_a_restart_of_the_server(server: Any, media_site: Any) -> None:
    stream = media_site.live()
    stream.send(3)
    download_id = add(server, stream.url)
    received = until(lambda: get(server, download_id)["received_bytes"])
    server.restart()
    stream.send(1)
    until(lambda: get(server, download_id)["received_bytes"] > received)
    stream.end()
    done = until(lambda: (found := get(server, download_id))["done"] and found)
    assert (done["status"], done["error"]) == ("completed", None)


def test_a_playlist_of_a_thousand_blocks_nothing(server: Any, media_site: Any) -> None:
    url = media_site.feed(1000)
    download_id = add(server, url)
    answers = []

    def asked(path: str) -> Any:
        began = time.monotonic()
        answer = server.client.get(path).json()
        answers.append(time.monotonic() - began)
        return answer

    until(lambda: asked("/api/downloads?limit=1")["total"] == 1001)
    assert get(server, download_id)["kind"] == "playlist"
    assert server.client.post(f"/api/downloads/{download_id}/pause").status_code == 200
    until(lambda: asked("/api/downloads?status=queued")["total"] == 0)
    assert asked("/api/downloads?status=paused")["total"] > 900
    resumed = server.client.post(f"/api/downloads/{download_id}/resume").json()
    assert resumed["status"] == "downloading"
    assert asked("/api/downloads?status=paused")["total"] == 0
    assert server.client.delete(f"/api/downloads/{download_id}").status_code == 204
    assert max(answers) < 2


def entries_of(server: Any, count: int) -> list[dict[str, Any]]:
    """The entries of the only playlist, once there are so many, the first one first."""
    listed = until(lambda: (found := server.client.get("/list").json()) and len(found) == count + 1 and found)
    return [download for download in reversed(listed) if download["kind"] != "playlist"]


@pytest.mark.parametrize("items", ["", ",", "1,,2", "1-2-3", "1:2:0", "a", "1 2", "--", "1;2"])
def test_entries_that_nobody_can_mean_are_refused(server: Any, items: str) -> None:
    response = server.client.post("/api/downloads", json={"url": "http://x.example/", "playlist_items": items})
    assert response.status_code == 422


def test_a_playlist_is_over_when_its_last_entries_are_removed(server: Any, media_site: Any) -> None:
    download_id = add(server, media_site.feed(2, rate=20_000))
    for entry in entries_of(server, 2):
        assert get(server, download_id)["status"] == "downloading"
        assert server.client.delete(f"/api/downloads/{entry['id']}").status_code == 204
    assert get(server, download_id)["status"] == "completed"


def test_a_playlist_some_of_whose_entries_fail_says_so_and_retries_those(server: Any, media_site: Any) -> None:
    page = media_site.page(title="Later")
    path = page.rpartition("/")[2]
    later = media_site.server.files.pop(f"/{path}")
    items = "".join(f"<item><title>{u}</title><link>{u}</link></item>" for u in (media_site.page(title="Now"), page))
    rss = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Show</title>{items}</channel></rss>'
    media_site.server.files["/half.xml"] = (rss.encode(), "application/rss+xml")
    media_site.server.files[f"/{path}"] = (b"<html><title>Nothing yet</title></html>", "text/html")
    download_id = add(server, media_site.server.url("/half.xml"))
    failed = until(lambda: (found := get(server, download_id))["status"] == "failed" and found)
    assert (failed["error"]["code"], failed["done"], failed["progress"]) == ("entries-failed", False, 50)
    media_site.server.files[f"/{path}"] = later
    assert server.client.post(f"/api/downloads/{download_id}/retry").json()["status"] == "downloading"
    done = until(lambda: (found := get(server, download_id))["done"] and found)
    assert (done["status"], done["error"], done["progress"]) == ("completed", None, 100)


def test_a_paused_playlist_takes_its_entries_along_when_it_is_removed(server: Any, media_site: Any) -> None:
    download_id = add(server, media_site.feed(3, rate=20_000))
    entries_of(server, 3)
    assert server.client.post(f"/api/downloads/{download_id}/pause").status_code == 200
    assert server.client.delete(f"/api/downloads/{download_id}").status_code == 204
    assert server.client.get("/list").json() == []


def test_entries_that_are_resumed_one_by_one_end_their_playlist(server: Any, media_site: Any) -> None:
    download_id = add(server, media_site.feed(2, rate=400_000))
    entries = entries_of(server, 2)
    server.client.post(f"/api/downloads/{download_id}/pause")
    for entry in entries:
        server.client.post(f"/api/downloads/{entry['id']}/resume")
    until(lambda: get(server, download_id)["done"])


def test_a_server_killed_while_entries_are_added_has_each_of_them_once(server: Any, media_site: Any) -> None:
    server.client.patch("/api/settings", json={"max_active": 1}).raise_for_status()
    download_id = add(server, media_site.feed(400))
    until(lambda: server.client.get("/api/downloads?limit=1").json()["total"] > 1)
    server.kill()
    server.start()
    entries = entries_of(server, 400)
    server.client.post(f"/api/downloads/{download_id}/pause")
    assert len({entry["url"] for entry in entries}) == 400


def test_subtitles_beside_go_with_their_video(server: Any, media_site: Any) -> None:
    download_id = add(server, media_site.rich_page(), subtitles=["en"], subtitles_as="beside")
    until(lambda: get(server, download_id)["done"])
    folder: Path = server.download_dir
    names = {"Rich Test.mp4", "Rich Test.en.vtt"}
    assert names <= {path.name for path in folder.iterdir()}
    assert server.client.delete(f"/api/downloads/{download_id}?file=true").status_code == 204
    assert not names & {path.name for path in folder.iterdir()}
