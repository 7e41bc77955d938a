"""The whole list out, and in again: our own export and the lists of other programs."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from fault_server import FaultServer
from live_server import LiveServer

ADDRESS = "http://192.0.2.1/"  # TEST-NET-1: nobody answers
DONE = {"url": ADDRESS, "status": "completed"}


def imported(server: LiveServer, document: Any, status: int = 201, start: bool = False) -> Any:
    answer = server.client.post("/api/import", params={"start": start}, json=document)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_list_comes_through_whole_and_only_once(
    server_factory: Callable[..., LiveServer], origin: FaultServer
) -> None:
    first, second = server_factory(), server_factory()
    secret = {"headers": {"Authorization": "Bearer hunter2"}, "cookies": [
        {"name": "session", "value": "hunter3", "domain": "127.0.0.1"}]}  # fmt: skip
    client = first.client
    done = client.post("/api/downloads", json={"url": origin.url("/é.bin", size=9000), "directory": "films"}).json()[
        "id"
    ]
    failed = client.post("/api/downloads", json={"url": origin.url("/gone", fail=99, status=404)}).json()["id"]
    paused = client.post(
        "/api/downloads", json={"url": ADDRESS + "a?x=1", "start": False, "quality": "720p", "queue": "night", **secret}
    ).json()["id"]
    until = time.monotonic() + 30
    while (counts := client.get("/api/stats").json()["counts"])["completed"] + counts["failed"] < 2:
        assert time.monotonic() < until, client.get("/list").json()
        time.sleep(0.05)
    answer = client.get("/api/export")
    assert "hunter" not in answer.text
    assert answer.headers["content-disposition"].startswith('attachment; filename="idm-')
    document = answer.json()
    assert (document["format"], document["version"], len(document["downloads"])) == ("idm", 1, 3)
    assert imported(first, document) == {"format": "idm", "added": 0, "skipped": 3}
    assert imported(second, document) == {"format": "idm", "added": 3, "skipped": 0}
    assert imported(second, {"text": answer.text}) == {"format": "idm", "added": 0, "skipped": 3}
    kept = ("url", "status", "title", "kind", "filename", "total_bytes", "queue", "created_at", "finished_at")
    before = {d["url"]: d for d in client.get("/list").json()}
    for now in second.client.get("/list").json():
        then = before.pop(now["url"])
        assert {name: now[name] for name in kept} == {name: then[name] for name in kept}
        assert now["error"] is None or now["error"]["code"] == then["error"]["code"] == "not-found"
    assert not before
    assert client.get(f"/api/downloads/{done}").json()["filename"] == "é.bin"
    (second.download_dir / "films").mkdir()
    assert second.client.get("/api/downloads/1/file").status_code == 410
    (first.download_dir / "films" / "é.bin").rename(second.download_dir / "films" / "é.bin")
    assert len(second.client.get("/api/downloads/1/file").content) == 9000
    assert {failed, paused} == {2, 3}
    again = second.client.get("/api/export").json()["downloads"]
    assert again == document["downloads"]


ARIA2 = """# a comment
http://192.0.2.1/one.iso\thttp://mirror.example/one.iso
 gid=d2703803b52216d1
 out=One.iso
 split=64
 checksum=sha-256={digest}
 max-download-limit=2M
http://192.0.2.1/two.iso
 dir=/elsewhere
 pause=true
""".replace("{digest}", "0" * 64)
METUBE = {
    "schema_version": 2,
    "kind": "persistent_queue:completed",
    "items": [
        {"key": "k", "info": {"url": ADDRESS + "v", "title": "V", "quality": "1080", "status": "finished",
                              "filename": "V.mp4", "download_type": "video", "format": "any", "folder": ""}},
        {"key": "k", "info": {"url": ADDRESS + "s", "title": "S", "quality": "best", "status": "error", "format": "mp3",
                              "download_type": "audio", "folder": "music"}},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("document", "name", "entries"),
    [
        ([ADDRESS + "1", ADDRESS + "2", ADDRESS + "1"], "list", {"1": "paused", "2": "paused"}),
        ({"text": f"# mine\n\n{ADDRESS}3\r\n  \n{ADDRESS}4"}, "list", {"3": "paused", "4": "paused"}),
        ({"text": ARIA2}, "aria2", {"one.iso": "paused", "two.iso": "paused"}),
        (METUBE, "metube", {"v": "completed", "s": "failed"}),
        ({"text": json.dumps(METUBE)}, "metube", {"v": "completed", "s": "failed"}),
        ({"done": [{"url": ADDRESS + "h", "status": "finished"}], "queue": [{"url": ADDRESS + "q"}]}, "metube",
         {"h": "completed", "q": "paused"}),
    ],
)  # fmt: skip
def test_the_lists_of_others(server: LiveServer, document: Any, name: str, entries: dict[str, str]) -> None:
    answer = imported(server, document)
    assert (answer["format"], answer["added"]) == (name, len(entries))
    assert imported(server, document)["added"] == 0
    found = {d["url"].removeprefix(ADDRESS): d["status"] for d in server.client.get("/list").json()}
    assert found == entries
    if name == "aria2":
        one, two = server.client.get("/api/export").json()["downloads"]
        assert (one["filename"], one["connections"], one["bytes_per_second_limit"]) == ("One.iso", 32, 2 * 1024**2)
        assert one["checksum"] == "sha256:" + "0" * 64
        assert "directory" not in two


@pytest.mark.parametrize(
    ("document", "status", "words"),
    [
        ({"format": "idm", "version": 2, "downloads": []}, 422, "newer version"),
        ({"format": "idm", "version": 1, "downloads": [{"url": ADDRESS}, {"url": "ftp://x/"}]}, 422, "http"),
        ({"format": "idm", "version": 1, "downloads": [{"url": ADDRESS}, {"url": ADDRESS, "path": "/etc/passwd"}]}, 422,
         "downloads[1].path"),
        ({"format": "idm", "version": 1, "downloads": [{**DONE, "created_at": "0001-01-01T00:00:00+14:00"}]}, 422,
         "downloads[0].created_at"),
        ({"format": "idm", "version": 1, "downloads": [{**DONE, "saved_as": "../x"}]}, 422, "saved_as"),
        ({"format": "idm", "version": 1, "downloads": [{**DONE, "saved_as": "/x"}]}, 422, "saved_as"),
        ({"text": f"{ADDRESS}\nmagnet:?xt=urn"}, 422, "http"),
        ({"text": "{"}, 422, "JSON"),
        ({"text": " out=x"}, 422, "first address"),
        ({"anything": 1}, 422, "no list"),
        (7, 422, "no list"),
        ([ADDRESS] * 20_001, 413, "20000"),
        ([ADDRESS, {}], 422, "[1].url"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_changes_nothing(server: LiveServer, document: Any, status: int, words: str) -> None:
    answer = imported(server, document, status)
    assert words in answer["message"] + answer.get("field", "")
    assert server.client.get("/list").json() == []


def test_a_time_to_start_comes_along(server_factory: Callable[..., LiveServer]) -> None:
    first, second = server_factory(), server_factory()
    later = {"url": ADDRESS + "later", "start_at": "2999-01-01T00:00:00Z"}
    assert first.client.post("/api/downloads", json=later).status_code == 201
    document = first.client.get("/api/export").json()
    assert document["downloads"][0]["start_at"] == "2999-01-01T00:00:00+00:00"
    imported(second, document, start=True)
    assert second.client.get("/api/export").json()["downloads"] == document["downloads"]
    assert second.client.get("/api/downloads/1").json()["status"] == "queued"


def test_twenty_thousand_at_once_hold_nobody_up(server: LiveServer) -> None:
    entries = [{"url": f"{ADDRESS}{n}", "status": "paused", "title": f"Title {n}"} for n in range(20_000)]
    slowest = _slowest_answer_during(
        server, lambda: imported(server, {"format": "idm", "version": 1, "downloads": entries})
    )
    assert server.client.get("/api/stats").json()["counts"]["paused"] == 20_000
    assert slowest < 1.5
    assert len(server.client.get("/api/export").json()["downloads"]) == 20_000


def _slowest_answer_during(server: LiveServer, work: Callable[[], object]) -> float:
    import threading

    import httpx

    done = threading.Event()
    slowest = 0.0

    def ask() -> None:
        nonlocal slowest
        with httpx.Client(base_url=server.url, trust_env=False, timeout=60) as client:
            while not done.is_set():
                begun = time.monotonic()
                client.get("/api/health").raise_for_status()
                slowest = max(slowest, time.monotonic() - begun)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        work()
    finally:
        done.set()
        thread.join()
    return slowest
