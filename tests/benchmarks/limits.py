"""How near the rate limits come to their figure over 5 s: one download, all together, changed while they run.

Run: ``python3 dev.py bench limits``. The goal is 5 %. Counted are the bytes that have arrived.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from live_server import LiveServer

ORIGIN = Path(__file__).parent / "origins" / "fast_origin.py"
SECONDS = 5.0
SETTLE_SECONDS = 2.0
SIZE = 1 << 33
MB = 1_000_000


class Limits:
    """One server with downloads that could take much more."""

    def __init__(self, server: LiveServer, origin: str) -> None:
        self._server = server
        self._origin = origin

    def add(self, connections: int, limit: int | None = None) -> int:
        """A download from 2 MB/s a connection; its id."""
        url = f"{self._origin}/{connections}-{limit}-{time.monotonic_ns()}.bin?size={SIZE}&rate={2 * MB}"
        body = {"url": url, "connections": connections, "bytes_per_second_limit": limit}
        answer = self._server.client.post("/api/downloads", json=body).raise_for_status()
        return int(answer.json()["id"])

    def limit_all(self, bytes_per_second: int | None) -> None:
        body = {"bytes_per_second_limit": bytes_per_second}
        self._server.client.patch("/api/settings", json=body).raise_for_status()

    def limit_one(self, download_id: int, bytes_per_second: int | None) -> None:
        body = {"bytes_per_second_limit": bytes_per_second}
        self._server.client.patch(f"/api/downloads/{download_id}", json=body).raise_for_status()

    def received(self, download_id: int | None = None) -> int:
        """Bytes of one download, or of all."""
        every = self._server.client.get("/list").json()
        return sum(one["received_bytes"] for one in every if download_id in (None, one["id"]))


def measured(received: Callable[[], int]) -> float:
    """Bytes per second over :data:`SECONDS`, once a change has settled."""
    time.sleep(SETTLE_SECONDS)
    began, before = time.monotonic(), received()
    time.sleep(SECONDS)
    return (received() - before) / (time.monotonic() - began)


def row(what: str, limit: int, rate: float) -> None:
    print(f"| {what} | {limit / MB:g} MB/s | {rate / MB:.2f} MB/s | {100 * (rate / limit - 1):+.1f} % |", flush=True)


def main() -> None:
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    command = [sys.executable, str(ORIGIN)]
    with (
        tempfile.TemporaryDirectory(dir=memory) as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as origin,
    ):
        assert origin.stdout is not None
        server = LiveServer(Path(folder))
        server.start()
        limits = Limits(server, f"http://127.0.0.1:{origin.stdout.readline().strip()}")
        print("| limited | to | measured | off by |\n|---|---|---|---|")
        one = limits.add(8, 3 * MB)
        row("one download, 8 connections", 3 * MB, measured(lambda: limits.received(one)))
        limits.limit_one(one, 500_000)
        row("… changed while it runs", 500_000, measured(lambda: limits.received(one)))
        limits.limit_one(one, None)
        for connections in (1, 4, 8):
            limits.add(connections)
        limits.limit_all(6 * MB)
        row("4 downloads together, 21 connections", 6 * MB, measured(limits.received))
        limits.limit_one(one, MB)
        row("… one of them to less", 6 * MB, measured(limits.received))
        limits.limit_all(1 * MB)
        row("… all to less", MB, measured(limits.received))
        server.close()
        origin.kill()


if __name__ == "__main__":
    main()
