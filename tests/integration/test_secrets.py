"""Where passwords, tokens, cookies and headers do not stand: everything that a running server leaves or says."""

import json
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from fault_server import FaultServer
from live_server import LiveServer
from websockets.sync.client import connect

PASSWORD, COOKIE, HEADER = "hunter-password", "hunter-cookie", "hunter-header"


def contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    return ((path, path.read_bytes()) for path in folder.rglob("*") if path.is_file())


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_secrets_stand_nowhere_but_where_they_are_needed(
    server_factory: Callable[..., LiveServer], origin: FaultServer
) -> None:
    server = server_factory("--host", "0.0.0.0", IDM_PASSWORD=PASSWORD)
    assert server.client.post("/api/login", json={"password": PASSWORD}).status_code == 204
    session = next(iter(server.client.cookies.values()))
    token = server.client.post("/api/tokens", json={"name": "script"}).json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    server.client.patch("/api/settings", json={"allow_private_addresses": True}).raise_for_status()
    body = {
        "url": origin.url("/a.bin", size=1_000_000, rate=300_000),
        "connections": 1,
        "headers": {"X-Api-Key": HEADER},
        "cookies": [{"name": "session", "value": COOKIE, "domain": "127.0.0.1"}],
    }
    download_id = server.client.post("/api/downloads", json=body).json()["id"]
    until = time.monotonic() + 30
    while not (download := server.client.get(f"/api/downloads/{download_id}").json())["received_bytes"]:
        assert time.monotonic() < until, download
        time.sleep(0.02)
    with connect(f"ws://127.0.0.1:{server.port}/ws", additional_headers=bearer) as feed:
        said = [json.dumps(download), str(feed.recv()), str(feed.recv())]
    said += [server.client.get(path).text for path in ("/list", "/api/export", "/api/tokens", "/api/diagnostics", "/")]
    for process in psutil.Process(server.pid).children(recursive=True):
        said += [" ".join(process.cmdline()), str(process.environ())]
    said += psutil.Process(server.pid).cmdline()
    sent = origin.stats("/a.bin").exchanges[-1].headers
    assert (sent["x-api-key"], sent["cookie"]) == (HEADER, f"session={COOKIE}"), "the download gets what it needs"
    while not server.client.get(f"/api/downloads/{download_id}").json()["done"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    server.stop()
    said.append(server.output())
    for secret in (PASSWORD, COOKIE, HEADER, token, session):
        assert not any(secret in text for text in said), secret
    kept = list(contents(server.data_dir)) + list(contents(server.download_dir))
    assert kept
    for path, content in kept:
        for secret in (PASSWORD, token, session):
            assert secret.encode() not in content, (secret, path)
    for path in (server.data_dir, *server.data_dir.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    server.start()
    server.client.patch(f"/api/downloads/{download_id}", json={"title": "new"}, headers=bearer).raise_for_status()
    server.stop()  # writes a new generation of the list; the one before stays as its backup
    for path, content in (*contents(server.data_dir), *contents(server.download_dir)):
        assert COOKIE.encode() not in content, path
        assert HEADER.encode() not in content, path


def test_a_fresh_address_elsewhere_does_not_hear_what_was_meant_for_the_old_one(
    server: LiveServer, origin: FaultServer
) -> None:
    wish = {"headers": {"Authorization": HEADER, "User-Agent": "Mine/1"}, "start": False}
    with FaultServer() as other:
        for fresh in (origin, other):
            added = server.client.post("/api/downloads", json={"url": origin.url("/old.bin"), **wish}).json()
            path = f"/api/downloads/{added['id']}"
            server.client.patch(path, json={"url": fresh.url("/fresh.bin", size=10)}).raise_for_status()
            server.client.post(f"{path}/resume").raise_for_status()
            until = time.monotonic() + 30
            while not server.client.get(path).json()["done"]:
                assert time.monotonic() < until
                time.sleep(0.05)
        (same,), (elsewhere,) = origin.stats("/fresh.bin").headers, other.stats("/fresh.bin").headers
    assert same["authorization"] == HEADER
    assert "authorization" not in elsewhere
    assert same["user-agent"] == elsewhere["user-agent"] == "Mine/1"
