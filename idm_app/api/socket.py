"""The feed over WebSocket: hello, snapshot, updates, ticks. What clients may say is ``ping``."""

import asyncio
import json
from contextlib import suppress

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from idm_app import __version__
from idm_app.feed import Subscription, encode
from idm_app.manager import Manager

API_VERSION = 1
SUBPROTOCOL = "idm.v1"
TICK_SECONDS = 20.0
"""A Chrome service worker counts data frames, not protocol pings, and sleeps after 30 s without one."""
UNREAD_SECONDS = 30.0
MAX_CLIENT_MESSAGE_BYTES = 64 * 1024


def build(manager: Manager) -> APIRouter:
    """``/ws`` and ``/api/feed``."""
    router = APIRouter()

    @router.websocket("/ws")
    @router.websocket("/api/feed")
    async def feed(socket: WebSocket) -> None:
        offered = socket.scope.get("subprotocols", [])
        await socket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
        await _FeedSocket(socket, manager).serve()

    return router


class _FeedSocket:
    """One client of the feed."""

    def __init__(self, socket: WebSocket, manager: Manager) -> None:
        self._socket = socket
        self._manager = manager
        self._sending = asyncio.Lock()

    async def serve(self) -> None:
        """Until the client goes, says what it may not, or does not read for :data:`UNREAD_SECONDS`."""
        writer = asyncio.create_task(self._write())
        reader = asyncio.create_task(self._read())
        await asyncio.wait((writer, reader), return_when=asyncio.FIRST_COMPLETED)
        writer.cancel()
        reader.cancel()
        _, close_code = await asyncio.gather(writer, reader, return_exceptions=True)
        if self._socket.client_state is WebSocketState.CONNECTED:
            with suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
                async with asyncio.timeout(1):
                    await self._socket.close(close_code if isinstance(close_code, int) else 1011)

    async def _write(self) -> None:
        hello = {"type": "hello", "api": API_VERSION, "version": __version__, "server_id": self._manager.server_id}
        await self._send(encode(hello))
        while True:
            snapshot, subscription = self._manager.follow()
            try:
                await self._send(snapshot)
                del snapshot  # a long list's is megabytes
                await self._pass_on(subscription)
            finally:
                subscription.close()

    async def _pass_on(self, subscription: Subscription) -> None:
        while True:
            try:
                async with asyncio.timeout(TICK_SECONDS):
                    frame = await subscription.next()
            except TimeoutError:
                await self._send('{"type":"tick"}')
                continue
            if frame is None:  # it fell too far behind
                return
            await self._send(frame.text)
            self._manager.sent(frame)

    async def _read(self) -> int:
        """The code to close with; raises when the client has gone."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1006))
            text = message.get("text")
            if len(message.get("bytes") or (text or "").encode()) > MAX_CLIENT_MESSAGE_BYTES:
                return 1009
            if not _is_ping(text):
                return 1003
            await self._send('{"type":"pong"}')

    async def _send(self, text: str) -> None:
        async with asyncio.timeout(UNREAD_SECONDS), self._sending:
            await self._socket.send_text(text)


def _is_ping(text: str | None) -> bool:
    try:
        return text is not None and json.loads(text) == {"type": "ping"}
    except (ValueError, RecursionError):
        return False
