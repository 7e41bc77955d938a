"""Adding downloads: one field that takes an address or many lines, in a dialog or on the empty page."""

import re
from collections.abc import Callable

from nicegui import ui

from idm_app.address import checked_address
from idm_app.dashboard import words
from idm_app.errors import InvalidAddress, Refused
from idm_app.manager import Manager
from idm_app.model import Request

_BETWEEN_ADDRESSES = re.compile(r"\s*[\r\n]+\s*|\s+(?=https?://)", re.IGNORECASE)


def split_addresses(text: str) -> list[str]:
    """Every line is an address; so is what follows a blank and begins with ``http``. Blanks inside one stay."""
    return [part for part in _BETWEEN_ADDRESSES.split(text.strip()) if part]


def sort_out(addresses: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """What can be downloaded, and the rest, each with the reason."""
    good, bad = [], []
    for address in addresses:
        try:
            good.append(checked_address(address))
        except InvalidAddress as error:
            bad.append((address, str(error)))
    return good, bad


class AddForm:
    """The field named ``URL`` and its ``Download`` button. Submits what is good; what is not stays, with the reason."""

    def __init__(self, manager: Manager, on_submitted: Callable[[], object], *, rows: int) -> None:
        self._manager = manager
        self._on_submitted = on_submitted
        self._busy = False
        with ui.element("form").classes("add-form").on("submit.prevent", self.submit) as self.element:
            self.field = ui.textarea(words.URL).props(f"outlined rows={rows} spellcheck=false autocomplete=off")
            self.field.on("keydown.enter.exact.prevent", self.submit)
            self._problems = ui.element("ul").classes("problems").props("aria-live=polite")
            with ui.element("div").classes("buttons"):
                ui.label(words.ADD_HINT).classes("hint")
                self.buttons = ui.element("div").classes("answers")
                with self.buttons:
                    ui.button(words.DOWNLOAD, icon="download").props("type=submit unelevated no-caps")
        self._show_problems([])

    def fill(self, text: str) -> None:
        """Put ``text`` behind what is there."""
        self.field.value = "\n".join(part for part in ((self.field.value or "").strip(), text.strip()) if part)

    async def submit(self) -> None:
        """Add every good address."""
        good, bad = sort_out(split_addresses(self.field.value or ""))
        if not good and not bad:
            bad = [("", words.ADD_NOTHING)]
        if self._busy:
            return
        self._busy = True
        try:
            added = await self._manager.add([Request(url=address) for address in good]) if good else []
        except Refused as error:
            self._show_problems([("", str(error)), *bad])
            return
        finally:
            self._busy = False
        self.field.value = "\n".join(address for address, _ in bad)
        self._show_problems(bad)
        if added:
            ui.notify(words.started([download.id for download in added]), type="positive", icon="download")
        if not bad:
            self._on_submitted()

    def _show_problems(self, problems: list[tuple[str, str]]) -> None:
        self._problems.clear()
        self._problems.set_visibility(bool(problems))
        with self._problems:
            for address, reason in problems[:20]:
                with ui.element("li"):
                    ui.label(address).classes("address")
                    ui.label(reason)


class AddDialog:
    """The form in a dialog."""

    def __init__(self, manager: Manager) -> None:
        self._dialog = ui.dialog().props(f'transition-duration=120 aria-label="{words.ADD_TITLE}"')
        with self._dialog, ui.card().classes("sheet wide"):
            ui.label(words.ADD_TITLE).classes("heading")
            self._form = AddForm(manager, self._dialog.close, rows=4)
            self._form.field.props("autofocus")
            with self._form.buttons:
                cancel = ui.button(words.CANCEL, on_click=self._dialog.close).props("flat no-caps color=grey")
                cancel.move(target_index=0)

    def open(self, text: str = "") -> None:
        """Show it, with ``text`` in the field."""
        self._form.fill(text)
        self._dialog.open()
