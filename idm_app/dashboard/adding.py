"""Adding downloads: one field that takes an address or many lines, in a dialog or on the empty page."""

import re
from collections.abc import Callable

from nicegui import ui

from idm_app.address import checked_address
from idm_app.dashboard.toast import toast
from idm_app.dashboard.words import Words
from idm_app.errors import InvalidAddress, Refused
from idm_app.manager import Manager
from idm_app.model import Request

_BETWEEN_ADDRESSES = re.compile(r"\s*[\r\n]+\s*|\s+(?=https?://)", re.IGNORECASE)

_SHOWN_PROBLEMS = 20

Problems = list[tuple[str, str]]
"""Addresses, each with the reason why it cannot be downloaded."""


def split_addresses(text: str) -> list[str]:
    """Every line is an address; so is what follows a blank and begins with ``http``. Blanks inside one stay."""
    return [part for part in _BETWEEN_ADDRESSES.split(text.strip()) if part]


def sort_out(addresses: list[str], words: Words) -> tuple[list[str], Problems]:
    """What can be downloaded, and the rest, each with the reason."""
    good, bad = [], []
    for address in addresses:
        try:
            good.append(checked_address(address))
        except InvalidAddress as error:
            bad.append((address, words.refusal(error)))
    return good, bad


class AddForm:
    """The field named ``URL`` and its ``Download`` button.

    When something was added, ``on_submitted`` gets what could not be, and says where that is shown.
    """

    def __init__(self, manager: Manager, words: Words, on_submitted: Callable[[Problems], None], *, rows: int) -> None:
        self._manager = manager
        self._words = words
        self._on_submitted = on_submitted
        self._client = ui.context.client
        self._busy = False
        with ui.element("form").classes("add-form").on("submit.prevent", self.submit):
            self.field = ui.textarea(words("add.url")).props(f"outlined rows={rows} spellcheck=false autocomplete=off")
            self.field.on("keydown.enter.exact.prevent", self.submit)
            self._problems = ui.element("ul").classes("problems").props("aria-live=polite")
            with ui.element("div").classes("buttons"):
                ui.label(words("add.hint")).classes("hint")
                self.buttons = ui.element("div").classes("answers")
                with self.buttons:
                    ui.button(words("add.download"), icon="download").props("type=submit unelevated no-caps")
        self._show_problems([])

    def fill(self, text: str) -> None:
        """Put ``text`` behind what is there."""
        self.field.value = "\n".join(part for part in ((self.field.value or "").strip(), text.strip()) if part)

    def leave(self, problems: Problems) -> None:
        """Leave nothing but what could not be added, with the reasons."""
        self.field.value = "\n".join(address for address, _ in problems)
        self._show_problems(problems)

    async def submit(self) -> None:
        """Add every good address."""
        good, bad = sort_out(split_addresses(self.field.value or ""), self._words)
        if not good:
            self._show_problems(bad or [("", self._words("add.nothing"))])
            return
        if self._busy:
            return
        self._busy = True
        try:
            added = await self._manager.add([Request(url=address) for address in good])
        except Refused as error:
            self._show_problems([("", self._words.refusal(error)), *bad])
            return
        finally:
            self._busy = False
        toast(self._client, self._started([download.id for download in added]), "positive", "download")
        if not self._client.is_deleted:
            self._on_submitted(bad)

    def _started(self, ids: list[int]) -> str:
        if len(ids) == 1:
            return self._words("add.started", id=str(ids[0]))
        return self._words("add.started_many", count=len(ids), first=str(ids[0]), last=str(ids[-1]))

    def _show_problems(self, problems: Problems) -> None:
        self._problems.clear()
        self._problems.set_visibility(bool(problems))
        with self._problems:
            for address, reason in problems[:_SHOWN_PROBLEMS]:
                with ui.element("li"):
                    ui.label(address).classes("address")
                    ui.label(reason)


class AddDialog:
    """The form in a dialog."""

    def __init__(self, manager: Manager, words: Words) -> None:
        self._dialog = ui.dialog().props(f'transition-duration=120 aria-label="{words("add.title")}"')
        with self._dialog, ui.card().classes("sheet wide"):
            ui.label(words("add.title")).classes("heading")
            self._form = AddForm(manager, words, self.leave, rows=4)
            self._form.field.props("autofocus")
            with self._form.buttons:
                cancel = ui.button(words("cancel"), on_click=self._dialog.close).props("flat no-caps color=grey")
                cancel.move(target_index=0)

    def open(self, text: str = "") -> None:
        """Show it, with ``text`` in the field."""
        self._form.fill(text)
        self._dialog.open()

    def leave(self, problems: Problems) -> None:
        """Show what could not be added; nothing: close."""
        self._form.leave(problems)
        self._dialog.value = bool(problems)
