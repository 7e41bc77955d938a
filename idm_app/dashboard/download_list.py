"""The rows of one tab: at most a page of bound elements; rows that stay are never rebuilt."""

from collections.abc import Awaitable, Callable

from nicegui import ui
from nicegui.events import GenericEventArguments

from idm_app.dashboard import words
from idm_app.dashboard.board import Board
from idm_app.dashboard.bound_element import DownloadRow
from idm_app.errors import UnknownDownload


class DownloadList:
    """Rows, and which downloads are selected (also those on other pages of the same view)."""

    def __init__(
        self, board: Board, on_action: Callable[[str, int], Awaitable[None]], on_selection: Callable[[int], None]
    ) -> None:
        self.selected: set[int] = set()
        self._board = board
        self._on_action = on_action
        self._on_selection = on_selection
        self._rows: dict[int, DownloadRow] = {}
        with ui.element("div").classes("downloads") as self._table:
            self._build_header()
            self._list = ui.element("div").classes("list").props(f'role=list aria-label="{words.LIST}"')
        self._list.on("row-action", self._act, args=["detail"])
        self._list.on("row-select", self._select, args=["detail"])

    def show(self, ids: list[int]) -> None:
        """Show these downloads in this order."""
        for download_id in self._rows.keys() - set(ids):
            self._rows.pop(download_id).delete()
        place = 0
        for download_id in ids:
            row = self._rows.get(download_id) or self._new_row(download_id)
            if row is None:
                continue
            if self._list.default_slot.children[place] is not row:
                row.move(target_index=place)
            place += 1
        self._table.set_visibility(bool(ids))

    def forget(self, gone: set[int]) -> None:
        """Take these out of the selection."""
        if gone & self.selected:
            self.selected -= gone
            self._selection_changed()

    def clear_selection(self) -> None:
        """Select nothing."""
        self.forget(set(self.selected))

    def _build_header(self) -> None:
        with ui.element("div").classes("columns"):
            with ui.element("label").classes("pick"):
                self._all = ui.element("input").props(f'type=checkbox aria-label="{words.SELECT_ALL}"')
                self._all.on("change", self._select_all, js_handler="(event) => emit(event.target.checked)")
            for name, label in words.COLUMNS.items():
                ui.label(label).classes(name).props("aria-hidden=true")

    def _new_row(self, download_id: int) -> DownloadRow | None:
        try:
            shown = self._board.row(self._board.manager.get(download_id))
        except UnknownDownload:  # removed a moment ago; the next look at the list knows
            return None
        with self._list:
            row = self._rows[download_id] = DownloadRow(shown)
        row.mark_selected(download_id in self.selected)
        return row

    async def _act(self, event: GenericEventArguments) -> None:
        detail = event.args["detail"]
        await self._on_action(str(detail["action"]), int(detail["id"]))

    def _select(self, event: GenericEventArguments) -> None:
        detail = event.args["detail"]
        (self.selected.add if detail["selected"] else self.selected.discard)(int(detail["id"]))
        self._selection_changed()

    def _select_all(self, event: GenericEventArguments) -> None:
        self.selected = set(self._rows) if event.args else set()
        self._selection_changed()

    def _selection_changed(self) -> None:
        for download_id, row in self._rows.items():
            row.mark_selected(download_id in self.selected)
        self._all.props.set_bool("checked", bool(self._rows) and self.selected.issuperset(self._rows))
        self._on_selection(len(self.selected))
