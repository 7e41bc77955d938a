"""The details of one download beside the list: a panel on a wide screen, a page on a phone."""

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from idm_app.dashboard.board import Board, Shown
from idm_app.dashboard.elements import BoundElement
from idm_app.dashboard.words import ASSETS, Words
from idm_app.errors import UnknownDownload


class DetailsPanel(BoundElement, component=ASSETS / "details_panel.js"):
    """Emits ``act`` with an action, ``limit`` with bytes per second or ``None``, ``keep`` with a boolean, ``close``."""

    def __init__(self, shown: Shown) -> None:
        super().__init__(shown, "state")


class Details:
    """Which download this tab looks at, if any."""

    def __init__(
        self,
        board: Board,
        words: Words,
        on_action: Callable[[str, int], Awaitable[None]],
        on_limit: Callable[[int, int | None], Awaitable[None]],
        on_moved: Callable[[], None],
    ) -> None:
        self.download_id: int | None = None
        self.kept: set[int] = set()
        """Downloads whose file this tab saves once it is finished."""
        self._board = board
        self._words = words
        self._on_action = on_action
        self._on_limit = on_limit
        self._on_moved = on_moved
        self._place = ui.element("aside").classes("details-place")
        self._panel: DetailsPanel | None = None

    def open(self, download_id: int, *, looking: bool = False) -> None:
        """Show one; ``looking``: play it or show what is in it."""
        try:
            shown = self._board.details(self._board.manager.get(download_id), self._words)
        except UnknownDownload:
            self.close()
            return
        self._place.clear()
        self.download_id = download_id
        with self._place:
            panel = self._panel = DetailsPanel(shown)
        panel.props.set_bool("looking", looking)
        panel.props.set_bool("kept", download_id in self.kept)
        panel.on("act", self._act)
        panel.on("limit", self._limit)
        panel.on("keep", self._keep)
        panel.on("close", self.close)
        self._on_moved()

    def close(self) -> None:
        """Show none."""
        self._place.clear()
        self._panel = self.download_id = None
        self._on_moved()

    def refresh(self) -> None:
        """Close it if its download has gone."""
        if self.download_id is not None:
            try:
                self._board.manager.get(self.download_id)
            except UnknownDownload:
                self.close()

    async def _act(self, event: GenericEventArguments) -> None:
        if self.download_id is not None:
            await self._on_action(str(event.args), self.download_id)

    async def _limit(self, event: GenericEventArguments) -> None:
        if self.download_id is not None:
            await self._on_limit(self.download_id, _bytes_per_second(event.args))

    def _keep(self, event: GenericEventArguments) -> None:
        if self.download_id is not None and self._panel is not None:
            (self.kept.add if event.args else self.kept.discard)(self.download_id)
            self._panel.props.set_bool("kept", bool(event.args))


def _bytes_per_second(value: Any) -> int | None:
    return None if value is None else max(1000, int(value))
