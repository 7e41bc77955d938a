"""The rows of one tab: at most a page of bound elements; rows that stay are never rebuilt."""

from collections.abc import Awaitable, Callable

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from idm_app.dashboard.board import Board
from idm_app.dashboard.elements import DownloadRow
from idm_app.dashboard.selection import Selection
from idm_app.dashboard.view import DAYS, PAGE_SIZE, View
from idm_app.dashboard.words import ASSETS, Words
from idm_app.errors import UnknownDownload
from idm_app.model import Status


class DownloadList(Element, component=ASSETS / "download_list.js"):
    """Rows, and which downloads are selected (also those on other pages of the same view).

    Emits ``turn`` with ±1, ``sort`` with a column, ``narrow`` with a status and a day, ``delete``.
    """

    def __init__(
        self,
        board: Board,
        words: Words,
        on_action: Callable[[str, int], Awaitable[None]],
        on_selection: Callable[[int], None],
    ) -> None:
        super().__init__()
        self.selection = Selection()
        self._board = board
        self._words = words
        self._on_action = on_action
        self._on_selection = on_selection
        self._rows: dict[int, DownloadRow] = {}
        self._ids: list[int] = []
        self.props["filters"] = {
            "status": {"": words("list.any_status"), **{status: words(f"status.{status}") for status in Status}},
            "day": {"": words("day.any"), **{day: words(f"day.{day}") for day in DAYS}},
        }
        self.on("row-action", self._act, args=["detail"])
        self.on("pick", self._pick)
        self.on("select-all", self._select_all)

    @property
    def selected(self) -> frozenset[int]:
        """Ids of what is selected."""
        return self.selection.ids

    def show(self, ids: list[int], view: View) -> None:
        """Show the page of ``ids`` that begins at the offset of ``view``."""
        self._ids = ids
        page = ids[view.offset : view.offset + PAGE_SIZE]
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
        last = view.offset + len(page)
        place_text = self._words("list.page_of", first=view.offset + 1, last=last, total=len(ids))
        self.props.set_optional("place", place_text if len(ids) > PAGE_SIZE else None)
        self.props["page"] = view.query
        self.props.set_bool("has-newer", view.offset > 0)
        self.props.set_bool("has-older", last < len(ids))
        self.props.set_bool("is-empty", not page)
        for name in ("sort", "status", "day"):
            self.props.set_optional(name, getattr(view, name) or None)
        self._select(self.selection.within(ids))

    def select_only(self, download_id: int | None = None) -> None:
        """Select one, or nothing."""
        self._select(Selection() if download_id is None else Selection(frozenset({download_id}), download_id))

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

    def _pick(self, event: GenericEventArguments) -> None:
        self._select(self.selection.picked(int(event.args["id"]), str(event.args["how"]), self._ids))

    def _select_all(self, event: GenericEventArguments) -> None:
        self._select(Selection(frozenset(self._ids if event.args else ())))

    def _select(self, selection: Selection) -> None:
        changed = selection.ids ^ self.selection.ids
        self.selection = selection
        for download_id in changed & self._rows.keys():
            self._rows[download_id].mark_selected(download_id in selection.ids)
        count = len(selection.ids)
        self.props.set_optional("chosen", self._words("list.selected", count=count) if count > 1 else None)
        self.props.set_bool("all-selected", bool(self._ids) and len(selection.ids) == len(self._ids))
        if changed:
            self._on_selection(count)
