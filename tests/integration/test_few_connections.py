"""Servers that take few connections: one download finds out, the next one knows."""

import hashlib
import time
from typing import Any

from fault_server import FaultServer
from feed_client import FeedClient
from live_server import LiveServer
from test_api import add, wait_for

SIZE = 3_000_000


def test_what_one_download_was_refused_the_next_does_not_ask_for(server: LiveServer, origin: FaultServer) -> None:
    knobs = {"size": SIZE, "rate": 1_000_000, "max_connections": 2}
    for path in ("/first.bin", "/second.bin"):
        done = wait_for(server, add(server, origin.url(path, **knobs))["id"], "completed", seconds=60)
        assert done["error"] is None
    assert origin.stats("/first.bin").most_connections > 2
    assert origin.stats("/second.bin").most_connections == 2


def test_a_server_that_is_busy_with_our_own_downloads_is_waited_for(
    server: LiveServer, feed: FeedClient, origin: FaultServer
) -> None:
    first = add(server, origin.url("/first.bin", size=SIZE, rate=100_000))["id"]
    wait_for(server, first, "downloading")
    second = add(server, origin.url("/second.bin", status=503, retry_after=40))["id"]

    def waits(downloads: dict[int, dict[str, Any]]) -> bool:
        found = downloads.get(second, {})
        return found.get("status") in ("queued", "failed") and found["error"] is not None

    waiting = feed.wait_until(waits)[second]
    assert (waiting["status"], waiting["error"]["code"]) == ("queued", "server-busy")
    assert "again" in server.client.get(f"/api/downloads/{second}").json()["events"][-1]["message"]


def connections_of(server: LiveServer, *ids: int) -> list[int]:
    return [server.client.get(f"/api/downloads/{download_id}").json()["connections"] for download_id in ids]


def until_connected(server: LiveServer, ids: list[int], expected: list[int]) -> None:
    end = time.monotonic() + 30
    while (found := connections_of(server, *ids)) != expected:
        assert time.monotonic() < end, f"{found} instead of {expected}"
        time.sleep(0.02)


def allow(server: LiveServer, connections: int) -> None:
    answer = server.client.patch("/api/settings", json={"connections_per_host": connections})
    assert answer.json()["connections_per_host"] == connections


def test_a_limit_of_connections_to_one_host_is_shared_and_changes_while_they_run(
    server: LiveServer, origin: FaultServer
) -> None:
    allow(server, 6)
    knobs = {"size": 30_000_000, "rate": 150_000}
    first = add(server, origin.url("/first.bin", **knobs))["id"]
    until_connected(server, [first], [6])
    with FaultServer() as elsewhere:  # the redirect's end counts, not its beginning
        second = add(server, elsewhere.url("/second", location=origin.url("/second.bin", **knobs)))["id"]
        until_connected(server, [first, second], [3, 3])
    allow(server, 1)
    until_connected(server, [first, second], [1, 1])
    allow(server, 16)
    until_connected(server, [first, second], [8, 8])
    server.client.delete(f"/api/downloads/{second}").raise_for_status()
    until_connected(server, [first], [16])


def test_no_byte_is_wrong_when_connections_are_taken_and_given_again(server: LiveServer, origin: FaultServer) -> None:
    download_id = add(server, origin.url("/a.bin", size=6_000_000, rate=60_000))["id"]
    for connections in (2, 7, 1, 5, 3):
        allow(server, connections)
        until_connected(server, [download_id], [connections])
    allow(server, 32)
    wait_for(server, download_id, "completed", seconds=60)
    content = server.client.get(f"/api/downloads/{download_id}/file").content
    assert hashlib.sha256(content).hexdigest() == origin.sha256(6_000_000)
