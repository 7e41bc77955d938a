"""uvicorn's HTTP connection, that does not wait for ever for a request that comes a byte at a time (slowloris)."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 10.0
"""From the connection, or the end of the answer before, to the end of a request's headers."""
BODY_SECONDS = 120.0
"""From there to the end of the body: 8 MiB at 70 kB/s."""


class PatientProtocol(H11Protocol):
    """Closes a connection whose client takes longer than that. How slowly an answer is read is the client's affair."""

    _awaited: str | None = None
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await("headers")

    def handle_events(self) -> None:
        super().handle_events()
        if self.transport.get_protocol() is self:  # not a WebSocket by now
            self._await(self._missing())

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._await(None)
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._await(None)
        super().connection_lost(exc)

    def _missing(self) -> str | None:
        if self.cycle is None or self.cycle.response_complete:
            return "headers"
        return "body" if self.cycle.more_body else None

    def _await(self, awaited: str | None) -> None:
        if awaited == self._awaited:
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self._awaited, self._deadline = awaited, None
        if awaited is not None:
            seconds = HEADER_SECONDS if awaited == "headers" else BODY_SECONDS
            self._deadline = self.loop.call_later(seconds, self.transport.close)
