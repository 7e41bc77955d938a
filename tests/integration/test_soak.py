"""A small soak; ``python3 dev.py bench soak`` is the long one."""

from fault_server import FaultServer
from live_server import LiveServer
from soak import Soak


def test_random_faults_pauses_and_kills_never_give_a_wrong_file(server: LiveServer, origin: FaultServer) -> None:
    server.client.patch("/api/settings", json={"max_active": 8}).raise_for_status()
    soak = Soak(server, origin, seed=1)
    soak.run(12, seconds=110)
    assert soak.pauses
