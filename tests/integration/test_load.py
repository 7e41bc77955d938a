"""Clients that mean no good cost the others little: a smaller ``python3 dev.py bench load``."""

import asyncio
import socket
import sys
import time
from pathlib import Path

import psutil
from live_server import LiveServer

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from load import Load

from idm_app.patience import HEADER_SECONDS


def test_a_crowd_that_means_no_good(server: LiveServer) -> None:
    before = psutil.Process(server.pid).memory_info().rss
    load = Load(
        server.port,
        server.pid,
        readers=10,
        silent=4,
        restless=4,
        slow=20,
        giants=1,
        garbage_per_second=50,
        addresses=2000,
    )
    asyncio.run(load.run(4))
    assert len(load.answers_seconds) > 10
    assert sorted(load.answers_seconds)[len(load.answers_seconds) // 2] < 1
    assert load.most_bytes - before < 150_000_000
    assert server.client.get("/api/stats").json()["total"] == 2000
    for name in ("garbage", "reconnections", "MB of giant frames", "slow connections"):
        assert load.sent[name] > 0


def test_a_request_that_does_not_come_is_not_waited_for(server: LiveServer) -> None:
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
    begun = time.monotonic()
    connections[1].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    connections[2].sendall(b"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % server.port)
    assert connections[2].recv(15) == b"HTTP/1.1 200 OK"
    connections[2].sendall(b"GET /")
    for connection in connections[:2]:
        connection.settimeout(HEADER_SECONDS + 15)
        assert connection.recv(1) == b""
        assert time.monotonic() - begun > HEADER_SECONDS - 1
    connections[2].settimeout(HEADER_SECONDS + 15)
    while connections[2].recv(65536):
        pass
    for connection in connections:
        connection.close()
