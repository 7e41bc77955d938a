"""Random downloads from servers that misbehave, paused, resumed and killed; every file's SHA-256 must be right.

Run: ``python3 dev.py bench soak`` (200 downloads, a few minutes), or with another number and seed: ``… soak 50 7``.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from fault_server import FaultServer
from live_server import LiveServer
from soak import Soak


def main(count: int = 200, seed: int = 1) -> None:
    with tempfile.TemporaryDirectory() as folder, FaultServer() as origin:
        server = LiveServer(Path(folder))
        server.start()
        server.client.patch("/api/settings", json={"max_active": 16}).raise_for_status()
        soak = Soak(server, origin, seed)
        began = time.monotonic()
        soak.run(count, seconds=60 + 10 * count)
        seconds = time.monotonic() - began
        server.close()
    print(f"{count} downloads, {soak.pauses} pauses, {soak.kills} killed workers, {seconds:.0f} s: every file is right")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
