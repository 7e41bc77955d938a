"""Text from the browser that may be longer than the megabyte that NiceGUI's socket takes: it comes in pieces."""

from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

_MOST_CHARACTERS = 8 << 20
"""As much as the API takes in one body."""


class LongText:
    """What an element is told by the ``idmInPieces`` of ``assets/live.js``."""

    def __init__(self, element: Element) -> None:
        self._pieces: list[str] = []
        element.on("piece", self._take)

    def whole(self, end: dict[str, Any]) -> str | None:
        """The text whose ``end`` has come; ``None`` where a part of it was lost on the way, or it is far too long."""
        pieces, self._pieces = self._pieces, []
        return "".join([*pieces, str(end["last"])]) if len(pieces) == end["after"] else None

    def _take(self, event: GenericEventArguments) -> None:
        if event.args["number"] == 0:
            self._pieces = []
        if sum(map(len, self._pieces)) < _MOST_CHARACTERS:
            self._pieces.append(str(event.args["piece"]))
