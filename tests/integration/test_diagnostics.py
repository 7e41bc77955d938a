"""The text that goes with a report of what is wrong: enough to help, nothing to regret."""

import time

from fault_server import FaultServer
from live_server import LiveServer


def test_it_tells_what_helps_and_nothing_that_is_secret(server: LiveServer, origin: FaultServer) -> None:
    server.client.post(
        "/api/downloads",
        json={
            "url": origin.url("/hunter1.bin", status=404, fail=9) + "&token=hunter2",
            "headers": {"Authorization": "Bearer hunter3"},
            "cookies": [{"name": "s", "value": "hunter4", "domain": "127.0.0.1"}],
        },
    )
    server.client.get("/nothing/here?token=hunter5")  # NiceGUI logs what it does not find
    until = time.monotonic() + 20
    while not server.client.get("/api/stats").json()["counts"]["failed"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    answer = server.client.get("/api/diagnostics")
    assert answer.headers["content-disposition"].startswith('attachment; filename="idm-diagnostics-')
    assert answer.headers["content-type"].startswith("text/plain")
    text = answer.text
    for word in ("== idm", "yt-dlp 20", "== settings", '"max_active"', '"not-found": 1', '"resident"', "/nothing/here"):
        assert word in text, word
    assert "hunter" not in text
