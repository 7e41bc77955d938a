"""The contract over HTTP, asked of the real server."""

import hashlib
import json
import time
from typing import Any

import httpx
import pytest

MIB = 1024 * 1024


def wait_for(server: Any, download_id: int, *statuses: str, seconds: float = 20) -> dict[str, Any]:
    """The download once it has one of ``statuses``."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        download: dict[str, Any] = server.client.get(f"/api/downloads/{download_id}").json()
        if download["status"] in statuses:
            return download
        time.sleep(0.05)
    raise AssertionError(f"still {download['status']} after {seconds} s: {download}")


def add(server: Any, url: str, **choices: Any) -> dict[str, Any]:
    response = server.client.post("/api/downloads", json={"url": url, **choices})
    assert response.status_code == 201, response.text
    return dict(response.json())


def test_a_file_arrives_and_is_fetched_again_in_parts(server: Any, origin: Any) -> None:
    url = origin.url("/file/quite a näme.zip", size=2 * MIB, seed=3)
    added = add(server, url)
    assert (added["status"], added["done"], added["progress"], added["file_url"]) == ("queued", False, None, None)
    done = wait_for(server, added["id"], "completed")
    assert (done["done"], done["progress"], done["kind"], done["category"]) == (True, 100.0, "file", "compressed")
    assert done["received_bytes"] == done["total_bytes"] == 2 * MIB
    whole = server.client.get(done["file_url"])
    assert whole.status_code == 200
    assert hashlib.sha256(whole.content).hexdigest() == origin.sha256(2 * MIB, 3)
    assert whole.headers["content-disposition"].startswith("attachment;")
    assert "n%C3%A4me" in whole.headers["content-disposition"]
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert int(whole.headers["content-length"]) == 2 * MIB
    assert whole.headers["etag"]
    part = server.client.get(done["file_url"], headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])


def test_answers_come_before_anything_is_fetched(server: Any, origin: Any) -> None:
    begun = time.monotonic()
    download = add(server, origin.url("/file/slow.bin", size=1000, delay=5))
    assert time.monotonic() - begun < 2
    assert download["status"] == "queued"


def test_many_addresses_in_one_call_and_the_short_forms(server: Any, origin: Any) -> None:
    urls = [origin.url(f"/file/{n}.bin", size=1000) for n in range(5)]
    response = server.client.post("/api/downloads", json={"urls": urls})
    assert response.status_code == 201
    ids = [download["id"] for download in response.json()["downloads"]]
    assert ids == sorted(ids)
    short = server.client.post("/download", json={"url": urls[0]})
    assert short.status_code == 201
    listed = server.client.get("/list").json()
    assert [d["id"] for d in listed[:6]] == [short.json()["id"], *reversed(ids)]
    for download_id in (*ids, short.json()["id"]):
        wait_for(server, download_id, "completed")


def test_pause_keeps_bytes_and_resume_finishes(server: Any, origin: Any) -> None:
    added = add(server, origin.url("/file/big.bin", size=8 * MIB, seed=5, rate=600_000), connections=2)
    until = time.monotonic() + 10
    while server.client.get(f"/api/downloads/{added['id']}").json()["received_bytes"] < MIB:
        assert time.monotonic() < until
        time.sleep(0.05)
    paused = server.client.post(f"/api/downloads/{added['id']}/pause").json()
    assert (paused["status"], paused["bytes_per_second"], paused["connections"]) == ("paused", None, 0)
    assert paused["received_bytes"] >= MIB
    assert server.client.post(f"/api/downloads/{added['id']}/pause").status_code == 409
    resumed = server.client.post(f"/api/downloads/{added['id']}/resume").json()
    assert resumed["status"] in ("queued", "probing", "downloading")
    done = wait_for(server, added["id"], "completed", seconds=30)
    content = server.client.get(done["file_url"]).content
    assert hashlib.sha256(content).hexdigest() == origin.sha256(8 * MIB, 5)


def test_what_waits_is_sorted_by_its_address_already(server: Any) -> None:
    for address, category in (("a/song.MP3?x=1", "music"), ("b.zip/", "compressed"), ("watch?v=1", "other")):
        assert add(server, f"https://example.org/{address}", start=False)["category"] == category
    assert add(server, "https://example.org/a.zip", start=False, filename="a.pdf")["category"] == "documents"
    assert add(server, "https://example.org/a.zip", start=False, category="video")["category"] == "video"


def test_a_chosen_name_is_made_safe_at_once(server: Any) -> None:
    for chosen, safe in (
        ("../../x.sh", "_.._x.sh"),
        ("a\0b\nc.zip", "abc.zip"),
        ("C:\\nul", "C__nul"),
        ("..", "download"),
    ):
        assert add(server, "https://example.org/a", start=False, filename=chosen)["filename"] == safe


def test_list_filters_sorts_and_pages(server: Any, origin: Any) -> None:
    for name in ("Alpha one.zip", "beta.mp3", "alpha two.pdf"):
        wait_for(server, add(server, origin.url(f"/file/{name}", size=1000))["id"], "completed")
    get = server.client.get
    assert [d["title"] for d in get("/api/downloads?q=ALPHA&sort=title").json()["downloads"]] == [
        "Alpha one.zip",
        "alpha two.pdf",
    ]
    assert get("/api/downloads?category=music").json()["total"] == 1
    page = get("/api/downloads?limit=1&offset=1").json()
    assert (page["total"], page["downloads"][0]["title"]) == (3, "beta.mp3")
    assert get("/api/downloads?status=failed").json() == {"downloads": [], "total": 0}
    assert get("/api/downloads?status=&category=&q=&sort=&limit=&offset=").json() == get("/api/downloads").json()
    assert get("/api/downloads?status=nonsense").status_code == 422
    server.client.patch("/api/downloads/1", json={"title": "Zeta"})
    assert [d["title"] for d in get("/api/downloads?sort=title").json()["downloads"]] == [
        "alpha two.pdf", "beta.mp3", "Zeta",
    ]  # fmt: skip


def test_remove_stops_and_forgets_and_deletes_only_when_asked(server: Any, origin: Any) -> None:
    running = add(server, origin.url("/file/big.bin", size=50 * MIB, rate=500_000))
    wait_for(server, running["id"], "downloading")
    assert server.client.delete(f"/api/downloads/{running['id']}").status_code == 204
    assert server.client.get(f"/api/downloads/{running['id']}").status_code == 404
    assert not list((server.download_dir / ".idm").glob(f"*/{running['id']}"))
    for delete, stays in (("", True), ("?file=true", False)):
        done = wait_for(server, add(server, origin.url("/file/x.bin", size=1000))["id"], "completed")
        assert server.client.delete(f"/api/downloads/{done['id']}{delete}").status_code == 204
        assert (server.download_dir / done["filename"]).exists() is stays


def test_at_most_max_active_run_and_the_rest_follow_in_order(server: Any, origin: Any) -> None:
    assert server.client.patch("/api/settings", json={"max_active": 2}).json()["max_active"] == 2
    urls = [origin.url(f"/file/{n}.bin", size=MIB, rate=700_000) for n in range(5)]
    ids = [d["id"] for d in server.client.post("/api/downloads", json={"urls": urls}).json()["downloads"]]
    most = 0
    started = []
    until = time.monotonic() + 40
    while time.monotonic() < until:
        states = {d["id"]: d["status"] for d in server.client.get("/list").json()}
        running = [i for i in ids if states[i] in ("probing", "downloading", "processing")]
        most = max(most, len(running))
        started += [i for i in ids if states[i] != "queued" and i not in started]
        if all(states[i] == "completed" for i in ids):
            break
        time.sleep(0.02)
    assert most == 2
    assert started == ids


def test_actions_on_many(server: Any, origin: Any) -> None:
    urls = [origin.url(f"/file/{n}.bin", size=20 * MIB, rate=300_000) for n in range(6)]
    server.client.post("/api/downloads", json={"urls": urls})
    assert server.client.post("/api/downloads/actions", json={"action": "pause", "ids": "all"}).json() == {"changed": 6}
    assert {d["status"] for d in server.client.get("/list").json()} == {"paused"}
    assert server.client.post("/api/downloads/actions", json={"action": "retry", "ids": "all"}).json() == {"changed": 0}
    ids = [d["id"] for d in server.client.get("/list").json()][:2]
    body = {"action": "remove", "ids": [*ids, 9999]}
    assert server.client.post("/api/downloads/actions", json=body).json() == {"changed": 2}
    assert server.client.get("/api/downloads").json()["total"] == 4


def test_duplicates_are_asked_about_skipped_or_taken_again(server: Any, origin: Any) -> None:
    url = origin.url("/file/x.bin", size=1000)
    first = add(server, url)
    ask = server.client.post("/api/downloads", json={"url": url, "on_duplicate": "ask"})
    assert (ask.status_code, ask.json()["code"]) == (409, "duplicate")
    assert add(server, url, on_duplicate="skip")["id"] == first["id"]
    again = add(server, url)
    assert again["id"] != first["id"]
    names = {wait_for(server, d["id"], "completed")["filename"] for d in (first, again)}
    assert names == {"x.bin", "x (1).bin"}


def test_what_is_not_to_start_yet_waits(server: Any, origin: Any) -> None:
    url = origin.url("/file/x.bin", size=1000)
    assert add(server, url, start=False)["status"] == "paused"
    later = add(server, url, start_at="2999-01-01T00:00:00Z")
    assert later["status"] == "queued"
    soon = add(server, url)
    wait_for(server, soon["id"], "completed")
    assert server.client.get(f"/api/downloads/{later['id']}").json()["status"] == "queued"


def test_a_download_can_be_changed(server: Any, origin: Any) -> None:
    waiting = add(server, origin.url("/file/x.bin", size=1000), start=False)
    path = f"/api/downloads/{waiting['id']}"
    changed = server.client.patch(path, json={"title": "Mine", "url": origin.url("/file/y.bin", size=2000)}).json()
    assert (changed["title"], changed["id"]) == ("Mine", waiting["id"])
    assert server.client.patch(path, json={"position": 1}).status_code == 409
    assert server.client.patch(path, json={"url": "file:///etc/passwd"}).status_code == 422
    assert server.client.patch(path, json={"title": None}).status_code == 422
    server.client.post(f"{path}/resume")
    assert wait_for(server, waiting["id"], "completed")["total_bytes"] == 2000


BAD = [
    (b"{", 400, "malformed"),
    (b"", 422, "invalid-field"),
    (b"[]", 422, "invalid-field"),
    (b"null", 422, "invalid-field"),
    (b"{}", 422, "invalid-field"),
    (b'{"url": 5}', 422, "invalid-field"),
    (b'{"url": null}', 422, "invalid-field"),
    (b'{"url": NaN}', 422, "invalid-field"),
    (b'{"url": "\\ud800"}', 422, None),
    (b'{"url": ""}', 422, "invalid-address"),
    (b'{"url": "file:///etc/passwd"}', 422, "invalid-address"),
    (b'{"url": "javascript:alert(1)"}', 422, "invalid-address"),
    (b'{"url": "ftp://example.org/x"}', 422, "invalid-address"),
    (b'{"url": "http://u:p@example.org/x"}', 422, "invalid-address"),
    (b'{"url": "http://example.org/\\u0000"}', 422, "invalid-address"),
    (b'{"url": "http://' + b"a" * 300 + b'/"}', 422, "invalid-address"),
    (b'{"url": "http://x/' + b"a" * 10240 + b'"}', 422, "invalid-address"),
    (b'{"urls": ["http://127.0.0.1/a", "nonsense"]}', 422, "invalid-address"),
    (b'{"urls": []}', 422, "invalid-field"),
    (b'{"url": "http://127.0.0.1/a", "urls": ["http://127.0.0.1/a"]}', 422, "invalid-field"),
    (b'{"url": "http://127.0.0.1/a", "connections": 33}', 422, "invalid-field"),
    (b'{"url": "http://127.0.0.1/a", "connections": 1e400}', 422, "invalid-field"),
    (b'{"url": "http://127.0.0.1/a", "quality": "worst"}', 422, "invalid-field"),
    (b'{"url": "http://127.0.0.1/a", "exec": "rm"}', 422, "invalid-field"),
    (b'{"url": "http://127.0.0.1/a", "directory": "../x"}', 422, "invalid-field"),
    (b'{"url": "http://127.0.0.1/a", "headers": {"X-A": "a\\r\\nb: c"}}', 422, "invalid-field"),
    (b'{"url": "http://127.0.0.1/a", "headers": {"Host": "evil"}}', 422, "invalid-field"),
    (b'{"url": "http://127.0.0.1/a", "start_at": "2026-01-01T00:00:00"}', 422, "invalid-field"),
    (b'{"url": "http://127.0.0.1/a", "start_at": "0001-01-01T00:00:00+14:00"}', 422, "invalid-field"),
    (b'{"url": "http://127.0.0.1/a", "start_at": "9999-12-31T23:59:59-14:00"}', 422, "invalid-field"),
    (b'{"url": "http://127.0.0.1/a", "checksum": "sha256:' + b"a" * 63 + b'"}', 422, "invalid-field"),
    (b'{"url": "http://127.0.0.1/a", "checksum": "md5:' + b"a" * 64 + b'"}', 422, "invalid-field"),
    (b'{"url": "http://a..b/"}', 422, "invalid-address"),
    *(
        (b'{"url": "http://127.0.0.1/a", "playlist_items": "%s"}' % items, 422, "invalid-field")
        for items in (b"-", b"1,,2", b"1-2-3", b"1:9:0", b",1")
    ),
    (b"[" * 100_000, 400, None),
    (b"\xff\xfe", 400, None),
]


def test_bad_bodies_are_refused_with_a_code_and_change_nothing(server: Any) -> None:
    for body, status, code in BAD:
        response = server.client.post("/api/downloads", content=body, headers={"Content-Type": "application/json"})
        shown = body[:80]
        assert response.status_code == status, (shown, response.text)
        assert response.headers["content-type"] == "application/problem+json", shown
        problem = response.json()
        assert code in (None, problem["code"]), (shown, problem)
        assert problem["message"], shown
        assert status != 400 or problem["message"] == "The body is not valid JSON.", shown
    assert server.client.get("/api/downloads").json()["total"] == 0


def test_too_much_at_once(server: Any) -> None:
    headers = {"Content-Type": "application/json"}
    big = b'{"url": "http://x/' + b"a" * (8 * MIB) + b'"}'
    assert server.client.post("/api/downloads", content=big, headers=headers).status_code == 413
    many = json.dumps({"urls": ["http://127.0.0.1/"] * 20_001}).encode()
    response = server.client.post("/api/downloads", content=many, headers=headers)
    assert (response.status_code, response.json()["code"]) == (413, "too-many")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/downloads/99", 404),
        ("GET", "/api/downloads/x", 422),
        ("GET", "/api/downloads?limit=0", 422),
        ("GET", "/api/downloads?limit=1001", 422),
        ("GET", "/api/downloads?status=odd", 422),
        ("GET", "/api/downloads?sort=request", 422),
        ("GET", "/api/downloads/99/file", 404),
        ("POST", "/api/downloads/99/pause", 404),
        ("DELETE", "/api/downloads/99", 404),
        ("PUT", "/api/downloads", 405),
        ("PATCH", "/api/settings", 422),
    ],
)
def test_refusals_are_problems(server: Any, method: str, path: str, status: int) -> None:
    response = server.client.request(method, path)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"]


def test_an_unfinished_file_is_409_and_a_deleted_one_410(server: Any, origin: Any) -> None:
    waiting = add(server, origin.url("/file/x.bin", size=1000), start=False)
    assert server.client.get(f"/api/downloads/{waiting['id']}/file").status_code == 409
    done = wait_for(server, add(server, origin.url("/file/y.bin", size=1000))["id"], "completed")
    (server.download_dir / done["filename"]).unlink()
    assert server.client.get(done["file_url"]).status_code == 410


def test_health_stats_and_documents(server: Any) -> None:
    assert server.client.get("/api/health").json()["status"] == "ok"
    stats = server.client.get("/api/stats").json()
    assert stats["counts"]["queued"] == 0
    assert stats["free_bytes"] > 0
    assert "/api/downloads/{download_id}" in server.client.get("/api/openapi.json").json()["paths"]
    page = server.client.get("/api/docs").text
    assert "http://" not in page.replace(server.url, "")
    assert "https://" not in page


def test_head_is_get_without_the_body(server: Any, origin: Any) -> None:
    done = wait_for(server, add(server, origin.url("/file/a.pdf", size=900_000))["id"], "completed")
    preview = f"/api/downloads/{done['id']}/preview"
    doors = ["/", "/api/health", "/list", "/api/downloads/1", "/api/downloads/9", "/api/settings", "/api/export"]
    for door in (*doors, done["file_url"], preview):
        head, get = server.client.head(door), server.client.get(door)
        assert (head.status_code, head.content) == (get.status_code, b""), door
        assert head.headers["content-type"] == get.headers["content-type"], door
    part = server.client.head(done["file_url"], headers={"Range": "bytes=0-9"})
    assert (part.headers["content-length"], part.content) == ("10", b"")
    assert server.client.head("/api/downloads/1/pause").status_code == 405
    assert server.client.head("/", headers={"Host": "evil.example"}).status_code == 421


def test_the_gate_stands_before_every_door(server: Any) -> None:
    doors = [
        "/",
        "/api/health",
        "/api/downloads",
        "/list",
        "/api/docs",
        "/_nicegui_ws/socket.io/?EIO=4&transport=polling",
        "/nowhere",
    ]
    for door in doors:
        assert server.client.get(door, headers={"Host": "evil.example"}).status_code == 421, door
        evil = server.client.get(door, headers={"Origin": "http://evil.example"})
        assert evil.status_code == 403, door
        assert "access-control-allow-origin" not in evil.headers, door
    response = httpx.post(f"{server.url}/api/downloads", content=b"{}", headers={"Content-Type": "text/plain"})
    assert response.status_code == 415
