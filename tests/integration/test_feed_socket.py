"""The feed over its real socket."""

import json
import time
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

MIB = 1024 * 1024


def follow(
    socket: ClientConnection, until: Any, seconds: float = 20
) -> tuple[dict[int, dict[str, Any]], list[dict[str, Any]]]:
    """Apply what comes until ``until(downloads)``; the client's picture and all updates in order."""
    downloads: dict[int, dict[str, Any]] = {}
    updates = []
    end = time.monotonic() + seconds
    while not until(downloads):
        message = json.loads(socket.recv(timeout=max(0.1, end - time.monotonic())))
        if message["type"] in ("snapshot", "update"):
            for download in message["downloads"]:
                downloads.setdefault(download["id"], {}).update(download)
                if message["type"] == "update":
                    updates.append(download)
            for download_id in message.get("removed", []):
                downloads.pop(download_id, None)
    return downloads, updates


@pytest.fixture
def socket(server: Any) -> Any:
    with connect(server.url.replace("http", "ws") + "/ws", proxy=None, subprotocols=["idm.v1"]) as opened:  # type: ignore[list-item]
        yield opened


def test_the_server_speaks_first(socket: ClientConnection) -> None:
    hello, snapshot = json.loads(socket.recv(5)), json.loads(socket.recv(5))
    assert (hello["type"], hello["api"]) == ("hello", 1)
    assert hello["server_id"]
    assert (snapshot["type"], snapshot["downloads"]) == ("snapshot", [])
    assert socket.subprotocol == "idm.v1"


def test_snapshot_plus_updates_is_what_get_says_and_every_status_passes(
    server: Any, origin: Any, socket: ClientConnection
) -> None:
    url = origin.url("/file/a.bin", size=2 * MIB, rate=1_500_000)
    download_id = server.client.post("/api/downloads", json={"url": url, "connections": 1}).json()["id"]
    downloads, updates = follow(socket, lambda d: d.get(download_id, {}).get("done"))
    truth = server.client.get(f"/api/downloads/{download_id}").json()
    assert downloads[download_id] == {key: truth[key] for key in downloads[download_id]}
    assert set(truth) - set(downloads[download_id]) == {"segments", "streams", "events"}
    statuses = [update["status"] for update in updates]
    assert list(dict.fromkeys(statuses)) == ["queued", "probing", "downloading", "completed"]
    assert all({"id", "progress", "status", "done"} <= set(update) for update in updates)
    numbers = [update["progress"] for update in updates if update["progress"] is not None]
    assert len(numbers) > 8
    assert numbers == sorted(numbers)


def test_tiny_files_pass_through_every_status_too(server: Any, origin: Any, socket: ClientConnection) -> None:
    urls = [origin.url(f"/file/{n}.bin", size=10) for n in range(10)]
    ids = [d["id"] for d in server.client.post("/api/downloads", json={"urls": urls}).json()["downloads"]]
    _, updates = follow(socket, lambda d: all(d.get(i, {}).get("done") for i in ids))
    for download_id in ids:
        passed = list(dict.fromkeys(u["status"] for u in updates if u["id"] == download_id))
        assert passed == ["queued", "probing", "downloading", "completed"]


def test_at_most_twenty_frames_a_second(server: Any, origin: Any, socket: ClientConnection) -> None:
    urls = [origin.url(f"/file/{n}.bin", size=20 * MIB, rate=2_000_000) for n in range(4)]
    server.client.post("/api/downloads", json={"urls": urls, "connections": 1})
    time.sleep(1)
    times = []
    while len(times) < 60:
        if json.loads(socket.recv(5))["type"] == "update":
            times.append(time.monotonic())
    backlog = sum(1 for t in times if t - times[0] < 0.05)
    assert (len(times) - backlog) / (times[-1] - times[backlog - 1]) < 21.5


def test_what_the_snapshot_did_not_hold_comes_whole_when_it_changes(server: Any) -> None:
    done = [{"url": f"http://192.0.2.1/{number}", "status": "completed"} for number in range(102)]
    document = {"format": "idm", "version": 1, "downloads": done}
    assert server.client.post("/api/import", json=document).status_code == 201
    with connect(server.url.replace("http", "ws") + "/ws", proxy=None) as opened:
        _, snapshot = json.loads(opened.recv(5)), json.loads(opened.recv(5))
        assert [len(snapshot["downloads"]), snapshot["downloads"][-1]["id"]] == [100, 3]
        changed = server.client.patch("/api/downloads/1", json={"title": "old"}).json()
        assert json.loads(opened.recv(5))["downloads"] == [changed]


def test_removed_downloads_are_told(server: Any, socket: ClientConnection) -> None:
    download_id = server.client.post("/api/downloads", json={"url": "http://127.0.0.1:9/x", "start": False}).json()[
        "id"
    ]
    follow(socket, lambda d: download_id in d)
    server.client.delete(f"/api/downloads/{download_id}")
    while True:
        message = json.loads(socket.recv(5))
        if message["type"] == "update" and message["removed"]:
            assert message["removed"] == [download_id]
            return


def test_ping_is_answered_and_anything_else_closes(server: Any) -> None:
    address = server.url.replace("http", "ws") + "/api/feed"
    with connect(address, proxy=None) as opened:
        opened.send('{"type": "ping"}')
        while json.loads(opened.recv(5))["type"] != "pong":
            pass
    for said, code in (
        ("hello", 1003),
        ('{"type":"sub"}', 1003),
        (b"\x00", 1003),
        ("[" * 5000, 1003),
        ("x" * 70_000, 1009),
        ("é" * 40_000, 1009),
    ):
        with connect(address, proxy=None) as opened:
            opened.send(said)
            with pytest.raises(ConnectionClosed) as closed:
                list(opened)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == code, said[:20]


@pytest.mark.parametrize(
    ("headers", "status"), [({"Origin": "http://evil.example"}, 403), ({"Host": "evil.example"}, 421)]
)
@pytest.mark.parametrize("path", ["/ws", "/api/feed", "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"])
def test_foreign_pages_hear_nothing(server: Any, path: str, headers: dict[str, str], status: int) -> None:
    handshake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    handshake["Sec-WebSocket-Key"] = "x" * 22 + "=="
    assert httpx.get(server.url + path, headers={**handshake, **headers}).status_code == status
    if "Origin" in headers:
        with pytest.raises(InvalidStatus):
            connect(server.url.replace("http", "ws") + path, proxy=None, origin=headers["Origin"])  # type: ignore[arg-type]


def test_a_client_that_does_not_read_harms_nobody(server: Any, origin: Any, socket: ClientConnection) -> None:
    import socket as sockets

    port = int(server.url.rsplit(":", 1)[1])
    silent = [sockets.create_connection(("127.0.0.1", port)) for _ in range(5)]
    for connection in silent:
        connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        connection.sendall(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
    url = origin.url("/file/a.bin", size=3 * MIB, rate=1_500_000)
    download_id = server.client.post("/api/downloads", json={"url": url, "connections": 1}).json()["id"]
    _downloads, updates = follow(socket, lambda d: d.get(download_id, {}).get("done"))
    assert len(updates) > 15
    for connection in silent:
        connection.close()
