"""Whom the server does not wait for, and whom it does: a real uvicorn with less patience."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect

from idm_app import patience

PATIENCE_SECONDS = 0.3
LONGER_SECONDS = 4 * PATIENCE_SECONDS
LARGE_BYTES = 20_000_000
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": (await receive())["text"]})
        return
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/late":
        await asyncio.sleep(LONGER_SECONDS)
    size = LARGE_BYTES if scope["path"] == "/large" else 2
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % size)]})
    await send({"type": "http.response.body", "body": b"x" * size})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(patience, "HEADER_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(patience, "BODY_SECONDS", PATIENCE_SECONDS)
    config = uvicorn.Config(
        app, port=0, http=patience.PatientProtocol, ws="websockets-sansio", log_config=None, timeout_keep_alive=60
    )
    server = uvicorn.Server(config)
    running = asyncio.ensure_future(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


@asynccontextmanager
async def sent(port: int, *parts: bytes) -> AsyncIterator[asyncio.StreamReader]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.01)
    yield reader
    writer.close()


CUT: dict[str, tuple[int, tuple[bytes, ...]]] = {
    "nothing": (0, ()),
    "half a head": (0, (b"GET / HTTP/1.1\r\nHost:",)),
    "half a body": (0, (POST, b"12345")),
    "half a head after a request": (1, (GET, b"GET /")),
    "half a head behind a request": (1, (GET + b"GET /",)),
    "half a body behind a request": (1, (GET + POST,)),
    "half a body behind a whole one": (1, (POST, b"1234567890" + POST + b"1")),
}


@pytest.mark.parametrize(("answered", "parts"), CUT.values(), ids=CUT)
async def test_what_does_not_come_is_not_waited_for(port: int, answered: int, parts: tuple[bytes, ...]) -> None:
    async with sent(port, *parts) as reader, asyncio.timeout(20):
        answers = await reader.read(-1)
    assert answers.count(b"200 OK") == answered


async def test_an_answer_that_takes_long_is_waited_for(port: int) -> None:
    async with sent(port, GET.replace(b"/ ", b"/late ")) as reader, asyncio.timeout(20):
        assert b"200 OK" in await reader.readline()


async def test_who_reads_slowly_gets_everything(port: int) -> None:
    async with sent(port, GET.replace(b"/ ", b"/large ")) as reader, asyncio.timeout(20):
        head = await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(LONGER_SECONDS)
        assert b"200 OK" in head
        assert len(await reader.readexactly(LARGE_BYTES)) == LARGE_BYTES


async def test_a_socket_that_says_nothing_stays_open(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}/", proxy=None) as opened:
        await asyncio.sleep(LONGER_SECONDS)
        await opened.send("still here")
        assert await opened.recv() == "still here"
