"""What a tab tells while nobody looks at it: what has ended, and in its title and icon how far all is."""

from idm_app.dashboard.board import Board
from idm_app.dashboard.elements import BoundElement
from idm_app.dashboard.row_state import title
from idm_app.dashboard.words import ASSETS, Words
from idm_app.model import Download, Status


class Notices(BoundElement, component=ASSETS / "notices.js"):
    """A toast and, where allowed, a system notification and a sound; several that end are one notice."""

    def __init__(self, board: Board, words: Words) -> None:
        super().__init__(board.totals(words), "bar")
        self._words = words
        board.ended.subscribe(self.tell)

    def tell(self, ended: list[Download]) -> None:
        """These have finished or failed."""
        told = []
        for download in ended:
            has_failed = download.status is Status.FAILED
            text = self._words("ended.failed" if has_failed else "ended.finished", title=title(download))
            why = self._words.failure(download.error) if has_failed and download.error else ""
            told.append({"id": download.id, "text": text, "why": why, "failed": has_failed})
        self.run_method("tell", told)
