"""The tests' own server and feed client notice what must not pass unseen."""

from collections.abc import Callable
from pathlib import Path

import httpx
import live_server
import pytest
from fault_server import FaultServer
from feed_client import FeedClient
from live_server import LiveServer


def add(server: LiveServer, url: str) -> int:
    return int(server.client.post("/api/downloads", json={"url": url}).raise_for_status().json()["id"])


def test_the_feed_client_has_the_same_list_as_the_server(
    server: LiveServer, feed: FeedClient, origin: FaultServer
) -> None:
    assert feed.wait_for(lambda message: message["type"] == "hello")["api"] == 1
    download_id = add(server, origin.url("/file/a.zip", size=500_000))
    downloads = feed.wait_until(lambda downloads: downloads.get(download_id, {}).get("done"))
    truth = server.client.get(f"/api/downloads/{download_id}").json()
    assert downloads[download_id].items() <= truth.items()
    server.client.delete(f"/api/downloads/{download_id}")
    feed.wait_until(lambda downloads: not downloads)
    times = [message["received_at"] for message in feed.messages]
    assert times == sorted(times)


def test_waiting_in_vain_and_a_feed_that_is_closed_are_failures(server: LiveServer, feed: FeedClient) -> None:
    with pytest.raises(AssertionError, match=r"not within 0.2 s; \d messages"):
        feed.wait_for(lambda message: message["type"] == "nothing", timeout=0.2)
    server.stop()
    with pytest.raises(AssertionError, match="the feed was closed"):
        feed.wait_until(lambda downloads: False)


def test_several_servers_have_ports_and_folders_of_their_own(server_factory: Callable[..., LiveServer]) -> None:
    feed_port = live_server.free_port()
    first, second = server_factory(), server_factory(IDM_FEED_PORT=str(feed_port))
    assert first.url != second.url
    assert first.data_dir != second.data_dir
    add(first, "http://127.0.0.1:9/x")
    assert httpx.get(f"http://127.0.0.1:{feed_port}/list", trust_env=False).json() == []


def test_a_server_that_does_not_start_is_told_with_its_words(tmp_path: Path) -> None:
    server = LiveServer(tmp_path, "--nonsense")
    with pytest.raises(AssertionError, match=r"(?s)ended with 2.*nonsense"):
        server.start()
    server.close()


def test_a_traceback_in_the_log_is_a_failure(tmp_path: Path) -> None:
    server = LiveServer(tmp_path)
    server.log.write_text("Traceback (most recent call last):\n")
    with pytest.raises(AssertionError, match="Traceback"):
        server.close()


def test_a_killed_server_starts_again_where_it_was(server: LiveServer) -> None:
    download_id = add(server, "http://127.0.0.1:9/x")
    before = server.pid
    server.kill()
    assert not server.is_running
    server.restart()
    assert server.pid != before
    assert server.client.get(f"/api/downloads/{download_id}").status_code == 200
