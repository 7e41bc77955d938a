"""Servers that take few connections: one download finds out, the next one knows."""

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
