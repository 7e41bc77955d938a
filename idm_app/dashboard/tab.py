"""The page of one browser tab: header, filters, list, status bar."""

from dataclasses import replace
from urllib.parse import parse_qsl

from nicegui import ui
from nicegui.events import GenericEventArguments

from idm_app.access import Access
from idm_app.dashboard.actions import Actions
from idm_app.dashboard.adding import AddDialog, AddForm
from idm_app.dashboard.addresses import Problems, found_addresses
from idm_app.dashboard.board import Board
from idm_app.dashboard.details import Details
from idm_app.dashboard.devices import DevicesDialog
from idm_app.dashboard.download_list import DownloadList
from idm_app.dashboard.elements import FilterList, KeySheet, PageHeader, PageKeys, RowMenu, StatusBar, ThemeSwitch
from idm_app.dashboard.first_start import teach
from idm_app.dashboard.long_text import LongText
from idm_app.dashboard.notices import Notices
from idm_app.dashboard.view import GROUPS, View
from idm_app.dashboard.words import Words
from idm_app.model import Category, Download, Status

_GROUP_ICONS = {"all": "inbox", "unfinished": "downloading", "finished": "task_alt", "failed": "error_outline"}
_CATEGORY_ICONS = {
    Category.COMPRESSED: "folder_zip",
    Category.DOCUMENTS: "description",
    Category.MUSIC: "music_note",
    Category.PROGRAMS: "widgets",
    Category.VIDEO: "movie",
    Category.OTHER: "insert_drive_file",
}


class Tab:
    """What one browser tab shows and has selected."""

    def __init__(
        self,
        board: Board,
        access: Access,
        view: View,
        words: Words,
        address: str,
        shared: str = "",
        opened: int | None = None,
    ) -> None:
        """``address``: where the browser found the page.

        ``shared``: what another application has handed over; it goes into the form and no further.

        ``opened``: the download whose details are shown.
        """
        self._board = board
        self._words = words
        self._address = address
        self._view = view
        self._menu = RowMenu()
        self._menu.on("choose", self._choose_from_menu)
        self._actions = Actions(board.manager, words, self._menu)
        self._dialog = AddDialog(board.manager, words, self._open)
        self._devices = DevicesDialog(access, board.manager.options, address, words)
        self._form: AddForm | None = None
        with ui.element("div").classes("shell"):
            self._header = PageHeader(view.text)
            self._header.on("press", self._press)
            self._header.on("search", self._search)
            with self._header:
                ui.button(icon="devices", on_click=self._devices.open).classes("icon-button").props(
                    f'flat dense aria-label="{words("devices.title")}" title="{words("devices.title")}"'
                )
                with (
                    ui.link(target="options")
                    .classes("icon-button")
                    .props(f'aria-label="{words("page_title.options")}" title="{words("page_title.options")}"')
                ):
                    ui.icon("tune")
                ThemeSwitch()
            self._filters = FilterList(board.totals(words), _filter_groups(words), view.show)
            self._filters.on("choose", self._choose)
            with ui.element("div").classes("content"):
                self._build_banner()
                self._list = DownloadList(board, words, self._on_one, self._show_selection)
                self._list.on("turn", self._turn)
                self._list.on("sort", lambda event: self._show(self._view.sorted_by(str(event.args))))
                self._list.on("narrow", self._narrow)
                self._list.on("delete", self._delete)
                self._list.on("details", self._open_details)
                with ui.element("div").classes("nothing-fits") as self._nothing_fits:
                    ui.label(words("list.nothing_fits"))
                    ui.button(words("list.show_all"), on_click=self._show_all).props("flat no-caps")
                self._empty_page = ui.element("section").classes("empty")
            self._details = Details(board, words, self._on_one, self._actions.limit, self._remember)
            StatusBar(board.totals(words))
        Notices(board, words)
        KeySheet()
        self._keys = PageKeys()
        self._keys.on("open", lambda: self._add())
        self._pasted = LongText(self._keys)
        self._keys.on("addresses", self._add_text)
        self._keys.on("draft", self._go_on_with)
        self.refresh()
        if opened is not None:
            self._details.open(opened)
        board.list_changed.subscribe(self.refresh)
        board.ended.subscribe(self._save_what_was_awaited)
        if shared:
            ui.timer(0, lambda: self._take(shared), once=True)  # as soon as the browser can be spoken to
        else:
            self._keys.take_left()

    def refresh(self) -> None:
        """Look at the list anew; rows that stay are not touched."""
        ids = self._board.ids(self._view)
        self._view = self._view.within(len(ids))
        self._list.show(ids, self._view)
        self._details.refresh()
        has_any = self._board.counts["all"] > 0
        self._list.set_visibility(has_any)
        self._nothing_fits.set_visibility(has_any and not ids)
        if has_any:
            self._leave_empty_page()
        elif self._form is None:
            self._build_empty_page()
        self._empty_page.set_visibility(not has_any)

    # -- building

    def _build_banner(self) -> None:
        recovery = self._board.manager.stats()["recovery"]
        if recovery:
            with ui.element("div").classes("banner") as banner:
                ui.icon("healing")
                with ui.element("div"):
                    ui.label(self._words("list.recovered")).classes("heading")
                    ui.label(recovery)
                ui.button(self._words("list.dismiss"), on_click=banner.delete).props("flat no-caps dense")

    def _build_empty_page(self) -> None:
        words = self._words
        with self._empty_page:
            ui.element("span").classes("logo").props("aria-hidden=true")
            ui.label(words("empty.title")).classes("heading")
            self._form = AddForm(self._board.manager, words, self._on_first_added, self._open, rows=3)
            teach(self._board.manager.options, self._address, words)

    def _leave_empty_page(self) -> None:
        form, self._form = self._form, None
        self._empty_page.clear()
        if form is not None:  # the first download may have come from elsewhere: what is half typed here is not lost
            self._keys.take_draft(is_wanted=not form.has_added)

    # -- what a person does

    def _add(self, text: str = "", *, is_foreign: bool = False) -> None:
        if self._form is None:
            self._dialog.open(text, is_foreign=is_foreign)
        else:
            self._form.fill(text, is_foreign=is_foreign)
            self._form.run_method("focus")

    def _take(self, shared: str) -> None:
        self._add(shared, is_foreign=True)
        ui.navigate.history.replace("./")

    def _open(self, download_id: int) -> None:
        self._show(View(text=self._board.manager.get(download_id).request.url))
        self._header.write(self._view.text)

    def _on_first_added(self, problems: Problems) -> None:
        if problems:  # the empty page and its form are about to go
            self._dialog.leave(problems)

    def _add_text(self, event: GenericEventArguments) -> None:
        if (text := self._pasted.whole(event.args)) is not None:
            self._add(found_addresses(text))

    def _go_on_with(self, event: GenericEventArguments) -> None:
        if draft := self._pasted.whole(event.args):
            self._add(draft)

    async def _press(self, event: GenericEventArguments) -> None:
        if event.args == "add":
            self._add()
        else:
            await self._actions.press(str(event.args), self._list.selected)

    def _choose(self, event: GenericEventArguments) -> None:
        self._show(replace(self._view, show=str(event.args), offset=0))

    def _search(self, event: GenericEventArguments) -> None:
        self._show(replace(self._view, text=str(event.args), offset=0))

    def _narrow(self, event: GenericEventArguments) -> None:
        self._show(replace(self._view, status=str(event.args["status"]), day=str(event.args["day"]), offset=0))

    def _show(self, view: View) -> None:
        is_same_set = replace(view, sort="", offset=0) == replace(self._view, sort="", offset=0)
        self._view = View.of(dict(parse_qsl(view.query)))
        self._filters.choose(self._view.show)
        if not is_same_set:
            self._list.select_only()
        self.refresh()
        self._remember()

    def _show_all(self) -> None:
        self._show(View())
        self._header.write("")

    def _show_selection(self, count: int) -> None:
        self._header.show_selection(count)
        self._menu.show_selection(count)

    async def _choose_from_menu(self, event: GenericEventArguments) -> None:
        action, download_id = str(event.args["action"]), event.args.get("id")
        if download_id is None:
            await self._actions.press(action, self._list.selected)
        else:
            await self._on_one(action, int(download_id))

    async def _on_one(self, action: str, download_id: int) -> None:
        if action in ("properties", "look"):
            self._details.open(download_id, looking=action == "look")
        else:
            await self._actions.on_one(action, download_id)

    def _open_details(self, event: GenericEventArguments) -> None:
        self._details.open(int(event.args))

    def _remember(self) -> None:
        """Put what is shown into the page's address, so that a reload shows it again."""
        opened = self._details.download_id
        query = self._view.query + ("" if opened is None else f"&open={opened}")
        ui.navigate.history.replace("?" + query.removeprefix("&"))

    async def _delete(self, event: GenericEventArguments) -> None:
        await self._actions.press("delete_selected", self._list.selected or frozenset({int(event.args)}))

    def _turn(self, event: GenericEventArguments) -> None:
        self._view = self._view.moved(int(event.args))
        self.refresh()
        self._remember()

    def _save_what_was_awaited(self, ended: list[Download]) -> None:
        for download in ended:
            if download.id in self._details.kept and download.status is Status.COMPLETED and download.path:
                self._details.kept.discard(download.id)
                self._menu.save(f"/api/downloads/{download.id}/file")


def _filter_groups(words: Words) -> list[dict[str, object]]:
    groups = [{"key": key, "label": words(f"group.{key}"), "icon": _GROUP_ICONS[key]} for key in GROUPS]
    categories = [{"key": c, "label": words(f"category.{c}"), "icon": _CATEGORY_ICONS[c]} for c in _CATEGORY_ICONS]
    return [{"label": words("filters"), "entries": groups}, {"label": words("categories"), "entries": categories}]
