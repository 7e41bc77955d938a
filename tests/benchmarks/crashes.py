"""Kills the server at random moments while downloads are added and run, and checks that nothing is lost.

Run: ``python3 dev.py bench crashes`` (200 kills, about ten minutes), or with another number: ``… bench crashes 20``.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from crashes import Crashes
from fault_server import FaultServer
from live_server import LiveServer


def main(kills: int) -> None:
    with tempfile.TemporaryDirectory() as folder, FaultServer() as origin:
        server = LiveServer(Path(folder))
        server.start()
        crashes = Crashes(server, origin, seed=kills)
        for number in range(1, kills + 1):
            crashes.round()
            if number % 20 == 0:
                downloads = crashes.check_end(600)
                done = f"{len(downloads)} downloads, {len(crashes.acknowledged)} acknowledged, all complete and right"
                print(f"{number} kills: {done}", flush=True)
        crashes.check_end(600)
        server.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
