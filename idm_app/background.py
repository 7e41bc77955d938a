"""What goes on beside the event that has begun it, and is waited for at the end; long lists, that hold nobody up."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Iterable
from typing import Any, TypeVar

from idm_app.errors import StoreFull

log = logging.getLogger(__name__)

_STEPS_IN_A_ROW = 200
"""A few milliseconds of what is done with one download."""

T = TypeVar("T")


async def unhurried(values: Iterable[T]) -> AsyncIterator[T]:
    """``values``; the event loop does other things in between."""
    for number, value in enumerate(values, 1):
        yield value
        if number % _STEPS_IN_A_ROW == 0:
            await asyncio.sleep(0)


class Background:
    """Keeps hold of what runs; an error is a line in the log. Event loop only."""

    def __init__(self) -> None:
        self._running: set[asyncio.Future[Any]] = set()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Begin it."""
        future = asyncio.ensure_future(coroutine)
        self._running.add(future)
        future.add_done_callback(self._on_done)

    async def finish(self) -> None:
        """Wait for all that has begun, and for what that begins."""
        while self._running:
            await asyncio.wait(self._running)

    def _on_done(self, future: "asyncio.Future[Any]") -> None:
        self._running.discard(future)
        if not future.cancelled() and (error := future.exception()):
            log.error("in the background: %s", error, exc_info=None if isinstance(error, StoreFull) else error)
