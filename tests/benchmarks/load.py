"""The server under a load that means no good. Prints what it cost, and what the others felt.

Run: ``python3 dev.py bench load`` (half a minute). At the same time: 200 clients of the feed, of which 20 never read
and 20 connect again and again; garbage, a thousand requests a second; 200 connections that send a header byte by byte;
sockets that send frames of 64 MB; 10,000 addresses in one batch; eight downloads. An honest client, a process of its
own, asks all the while.
"""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import httpx
import psutil
from fault_server import FaultServer
from live_server import LiveServer
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

HANDSHAKE = (
    "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
FRAME_64_MB = b"\x82\xff" + (64 << 20).to_bytes(8, "big") + bytes(4)


@dataclass
class Load:
    """One run against ``port``; sizes are those of the benchmark unless told."""

    port: int
    pid: int
    readers: int = 160
    silent: int = 20
    restless: int = 20
    slow: int = 200
    giants: int = 4
    garbage_per_second: int = 1000
    addresses: int = 10_000
    answers_seconds: list[float] = field(default_factory=list)
    most_bytes: int = 0
    sent: dict[str, int] = field(default_factory=dict)

    async def run(self, seconds: float) -> None:
        """Everything at once, for so long."""
        url = f"ws://127.0.0.1:{self.port}/ws"
        honest = [self._watch_memory(), *(self._read(url) for _ in range(self.readers))]
        hostile = [
            *(self._never_read() for _ in range(self.silent)),
            *(self._come_and_go(url) for _ in range(self.restless)),
            *(self._drip() for _ in range(self.slow)),
            *(self._send_giants() for _ in range(self.giants)),
            self._garbage(),
        ]
        running = [asyncio.ensure_future(work) for work in honest + hostile]
        asking = asyncio.ensure_future(self._ask(seconds))
        try:
            await asyncio.sleep(seconds / 3)
            await self._add()
            self.answers_seconds = await asking
            failed = [work for work in running if work.done()]
            assert not failed, failed[0].exception()
        finally:
            for work in running:
                work.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _ask(self, seconds: float) -> list[float]:
        command = [sys.executable, __file__, str(seconds), str(self.port)]
        client = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        answer, _ = await client.communicate()
        assert client.returncode == 0
        taken: list[float] = json.loads(answer)
        return taken

    def _count(self, name: str, number: int = 1) -> None:
        self.sent[name] = self.sent.get(name, 0) + number

    async def _add(self) -> None:
        urls = [f"http://192.0.2.1/{n}" for n in range(self.addresses)]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=120, trust_env=False) as client:
            answer = await client.post("/api/downloads", json={"urls": urls, "start": False})
            assert len(answer.json()["downloads"]) == self.addresses

    async def _watch_memory(self) -> None:
        process = psutil.Process(self.pid)
        while True:
            self.most_bytes = max(self.most_bytes, process.memory_info().rss)
            await asyncio.sleep(0.2)

    async def _read(self, url: str) -> None:
        while True:
            async with connect(url, proxy=None, max_size=None, open_timeout=60) as socket:
                with contextlib.suppress(WebSocketException):
                    async for _ in socket:
                        self._count("frames read")

    async def _never_read(self) -> None:
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1024)
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(HANDSHAKE.format(port=self.port).encode())
            with contextlib.suppress(OSError):
                await asyncio.sleep(3600)

    async def _come_and_go(self, url: str) -> None:
        while True:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                async with connect(url, proxy=None, max_size=None) as socket:
                    await socket.recv()
                    self._count("reconnections")
            await asyncio.sleep(0.05)

    async def _drip(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                self._count("slow connections")
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
                while not writer.is_closing():
                    writer.write(b"a")
                    await writer.drain()
                    await asyncio.sleep(1)
            await asyncio.sleep(0.5)

    async def _send_giants(self) -> None:
        block = bytes(1 << 20)
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(HANDSHAKE.format(port=self.port).encode() + FRAME_64_MB)
                for _ in range(64):
                    writer.write(block)
                    await writer.drain()
                    self._count("MB of giant frames")
            await asyncio.sleep(0.1)

    async def _garbage(self) -> None:
        bodies = (
            b"\x16\x03\x01" + os.urandom(60),
            b"GET /" + b"%" * 30 + b" HTTP/1.1\r\n\r\n",
            b"POST /api/downloads HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
            b"Content-Length: 5\r\nConnection: close\r\n\r\n{NaN}" % self.port,
            b"BREW /pot HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        )

        async def one(body: bytes) -> None:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(body)
                self._count("garbage")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(5):
                        await reader.read()
                writer.close()

        flying: set[asyncio.Future[None]] = set()
        while True:
            begun = time.monotonic()
            for number in range(self.garbage_per_second // 20):
                if len(flying) < 200:
                    work = asyncio.ensure_future(one(bodies[number % len(bodies)]))
                    flying.add(work)
                    work.add_done_callback(flying.discard)
            await asyncio.sleep(max(0, begun + 0.05 - time.monotonic()))


def ask(port: int, seconds: float) -> list[float]:
    """How long each answer took of those that were asked for within so many seconds, fifty a second at most."""
    taken: list[float] = []
    until = time.monotonic() + seconds
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
        while time.monotonic() < until:
            begun = time.perf_counter()
            client.get("/api/stats").raise_for_status()
            taken.append(time.perf_counter() - begun)
            time.sleep(0.02)
    return taken


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder, FaultServer() as origin:
        server = LiveServer(Path(folder))
        server.start()
        urls = [origin.url(f"/{n}.bin", size=50_000_000, rate=300_000) for n in range(8)]
        server.client.post("/api/downloads", json={"urls": urls, "connections": 2}).raise_for_status()
        before = psutil.Process(server.pid).memory_info().rss
        load = Load(server.port, server.pid)
        try:
            asyncio.run(load.run(seconds))
            stats = server.client.get("/api/stats").json()
        finally:
            server.kill()
        assert stats["total"] == load.addresses + len(urls), stats
        p50, p99 = (percentile(load.answers_seconds, share) * 1000 for share in (0.5, 0.99))
        print(f"an honest client's answers: p50 {p50:.0f} ms, p99 {p99:.0f} ms ({len(load.answers_seconds)} of them)")
        print(f"the feed, by the server's own clock: p99 {stats['feed']['p99_ms']} ms")
        print(f"memory: {before / 1e6:.0f} MB before, {load.most_bytes / 1e6:.0f} MB at most")
        print("sent: " + ", ".join(f"{number:,} {name}" for name, number in sorted(load.sent.items())))


if __name__ == "__main__":
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30
    if len(sys.argv) > 2:
        print(json.dumps(ask(int(sys.argv[2]), seconds)))
    else:
        main(seconds)
