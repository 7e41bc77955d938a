"""The rows of one tab: at most a page of bound elements; rows that stay are never rebuilt."""

from collections.abc import Awaitable, Callable

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from idm_app.dashboard.board import Board
from idm_app.dashboard.elements import DownloadRow
from idm_app.dashboard.view import PAGE_SIZE
from idm_app.dashboard.words import ASSETS, Words
from idm_app.errors import UnknownDownload


class DownloadList(Element, component=ASSETS / "download_list.js"):
    """Rows, and which downloads are selected (also those on other pages of the same view). Emits ``turn`` with ±1."""

    def __init__(
        self,
        board: Board,
        words: Words,
        on_action: Callable[[str, int], Awaitable[None]],
        on_selection: Callable[[int], None],
    ) -> None:
        super().__init__()
        self.selected: set[int] = set()
        self._board = board
        self._words = words
        self._on_action = on_action
        self._on_selection = on_selection
        self._rows: dict[int, DownloadRow] = {}
        self.on("row-action", self._act, args=["detail"])
        self.on("row-select", self._select, args=["detail"])
        self.on("select-all", self._select_all)

    def show(self, ids: list[int], offset: int) -> None:
        """Show the page of ``ids`` that begins at ``offset``."""
        page = ids[offset : offset + PAGE_SIZE]
        for download_id in self._rows.keys() - set(page):
            self._rows.pop(download_id).delete()
        place = 0
        for download_id in page:
            row = self._rows.get(download_id) or self._new_row(download_id)
            if row is None:
                continue
            if self.default_slot.children[place] is not row:
                row.move(target_index=place)
            place += 1
        last = offset + len(page)
        place_text = self._words("list.page_of", first=offset + 1, last=last, total=len(ids))
        self.props.set_optional("place", place_text if len(ids) > PAGE_SIZE else None)
        self.props.set_bool("has-newer", offset > 0)
        self.props.set_bool("has-older", last < len(ids))
        self.set_visibility(bool(page))
        if self.selected:
            self._select_only(self.selected.intersection(ids))

    def clear_selection(self) -> None:
        """Select nothing."""
        self._select_only(set())

    def _new_row(self, download_id: int) -> DownloadRow | None:
        try:
            shown = self._board.row(self._board.manager.get(download_id), self._words)
        except UnknownDownload:  # removed a moment ago; the next look at the list knows
            return None
        with self:
            row = self._rows[download_id] = DownloadRow(shown)
        row.mark_selected(download_id in self.selected)
        return row

    async def _act(self, event: GenericEventArguments) -> None:
        detail = event.args["detail"]
        await self._on_action(str(detail["action"]), int(detail["id"]))

    def _select(self, event: GenericEventArguments) -> None:
        detail = event.args["detail"]
        chosen = {int(detail["id"])}
        self._select_only(self.selected | chosen if detail["selected"] else self.selected - chosen)

    def _select_all(self, event: GenericEventArguments) -> None:
        self._select_only(set(self._rows) if event.args else set())

    def _select_only(self, ids: set[int]) -> None:
        if ids == self.selected:
            return
        self.selected = ids
        for download_id, row in self._rows.items():
            row.mark_selected(download_id in ids)
        self.props.set_bool("all-selected", bool(self._rows) and ids.issuperset(self._rows))
        self._on_selection(len(ids))
