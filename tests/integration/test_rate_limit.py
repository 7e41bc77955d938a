"""A limit holds connections in the middle of what they were told; letting go of one may end its segment."""

from typing import Any


def test_limited_downloads_in_segments_finish_whole(server: Any, feed: Any, origin: Any) -> None:
    body = {"urls": [origin.url(f"/file/{n}.bin", rate=40_000) for n in range(4)], "bytes_per_second_limit": 40_000}
    ids = [download["id"] for download in server.client.post("/api/downloads", json=body).json()["downloads"]]
    ended = feed.wait_until(lambda all_: all(all_[i]["status"] in ("completed", "failed") for i in ids), timeout=60)
    assert {ended[i]["status"] for i in ids} == {"completed"}
