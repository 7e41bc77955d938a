"""Adding downloads: one form that takes an address or many, in a dialog or on the empty page."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from nicegui import background_tasks, ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from idm_app.address import safe_directory
from idm_app.dashboard.addresses import MOST_ADDRESSES, Problems, sort_out, split_addresses
from idm_app.dashboard.long_text import LongText
from idm_app.dashboard.offer import any_qualities, extras, offer_state, with_quality
from idm_app.dashboard.row_state import title
from idm_app.dashboard.toast import toast
from idm_app.dashboard.words import ASSETS, Words
from idm_app.errors import Refused
from idm_app.manager import Manager
from idm_app.model import Category, Download, Extra, Request

_SHOWN_PROBLEMS = 20
_MOST_LOOKED_UP = 2000
"""Addresses that are compared with the list while somebody types; more are only counted."""


class AddForm(Element, component=ASSETS / "add_form.js"):
    """The field named ``URL``, what is found there, the choices, the ``Download`` button.

    When something was added, ``on_submitted`` gets what could not be, and says where that is shown. ``on_open`` gets
    the id of a download that somebody wants to see instead of having it twice.
    """

    def __init__(
        self,
        manager: Manager,
        words: Words,
        on_submitted: Callable[[Problems], None],
        on_open: Callable[[int], None],
        *,
        rows: int,
        text: str = "",
    ) -> None:
        super().__init__()
        self._manager = manager
        self._words = words
        self._on_submitted = on_submitted
        self.has_added = False
        """Whether what was in the field is on its way into the list, or there."""
        self._busy = False
        self._looking: asyncio.Task[None] | None = None
        self.props["rows"] = rows
        self.props["text"] = text
        self.props["qualities"] = any_qualities(words)
        self.props["extras"] = extras(words)
        self.props["categories"] = [{"value": c, "label": words(f"category.{c}")} for c in Category]
        self.props["folders"] = _folders(manager)
        self.state: dict[str, Any] = {}
        self._show(problems=[])
        self._typed = LongText(self)
        self.on("look", self._look)
        self.on("submit", self._submit)
        self.on("open", lambda event: on_open(int(event.args)))

    def fill(self, text: str, *, is_foreign: bool = False) -> None:
        """Put ``text`` behind what is there. ``is_foreign``: it came by a link, not by this person's own hand."""
        self.props["is-foreign"] = is_foreign
        self.run_method("fill", text)

    def leave(self, problems: Problems) -> None:
        """Leave nothing but what could not be added, with the reasons."""
        self._stop_looking()
        self.run_method("replace", "\n".join(address for address, _ in problems))
        self._show_problems(problems)

    def look(self, text: str) -> None:
        """Say what ``text`` would add; a single address is asked what it offers."""
        self._stop_looking()
        addresses = split_addresses(text)
        good, _ = sort_out(addresses[:_MOST_LOOKED_UP], self._words)
        self._show(preview=self._preview(good + addresses[_MOST_LOOKED_UP:]), **self._known(good))
        if len(addresses) == len(good) == 1:
            self._looking = background_tasks.create(self._probe(good[0]), name="probe for the Add form")

    async def submit(self, text: str, **choices: Any) -> None:
        """Add every good address, as chosen: what ``assets/add_form.js`` sends with ``submit``."""
        addresses = split_addresses(text)
        if len(addresses) > MOST_ADDRESSES:
            self._show_problems([("", self._words("add.too_many", most=MOST_ADDRESSES))])
            return
        good, bad = sort_out(addresses, self._words)
        if not good:
            self._show_problems(bad or [("", self._words("add.nothing"))])
            return
        if self._busy:
            return
        self._busy = self.has_added = True
        try:
            newest = max((download.id for download in self._manager.newest_first()), default=0)
            added = await self._manager.add([_request(address, choices) for address in good], **_conditions(choices))
        except Refused as error:
            self.has_added = False
            self._show_problems([("", self._words.refusal(error)), *bad])
            return
        finally:
            self._busy = False
        toast(self.client, self._started([d.id for d in added if d.id > newest]), "positive", "download")
        if not self.client.is_deleted:
            self._on_submitted(bad)

    def _look(self, event: GenericEventArguments) -> None:
        if (text := self._typed.whole(event.args)) is not None:
            self.look(text)

    async def _submit(self, event: GenericEventArguments) -> None:
        text = self._typed.whole(event.args["text"])
        if text is None:
            self._show_problems([("", self._words("add.not_whole"))])
        else:
            await self.submit(**event.args | {"text": text})

    # -- what is known about what was typed

    def _preview(self, addresses: list[str]) -> str:
        if len(addresses) < 2:
            return ""
        first, last = addresses[0], addresses[min(len(addresses), MOST_ADDRESSES) - 1]
        return self._words("add.preview", count=min(len(addresses), MOST_ADDRESSES), first=first, last=last)

    def _known(self, addresses: list[str]) -> dict[str, Any]:
        """Which of ``addresses`` are on the list already."""
        wanted = set(addresses)
        known: dict[str, Download] = {}
        for download in self._manager.newest_first():
            if download.request.url in wanted and download.parent_id is None:
                known.setdefault(download.request.url, download)
        if not known:
            return {}
        twin = next(iter(known.values()))
        if len(addresses) == 1:
            text = self._words("add.known", title=title(twin), day=self._words.day(twin.created_at))
            return {"known": text, "known_id": twin.id}
        return {"known": self._words("add.known_many", count=len(known))}

    async def _probe(self, address: str) -> None:
        self._show(**self.state | {"is_looking": True})
        try:
            offer = offer_state(await self._manager.probe(Request(address)), self._words)
            self._show(**self.state | {"is_looking": False, "offer": offer})
        except Refused as error:
            self._show(**self.state | {"is_looking": False, "trouble": self._words.refusal(error)})

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _handle_delete(self) -> None:
        self._stop_looking()
        super()._handle_delete()

    # -- telling

    def _started(self, ids: list[int]) -> str:
        if not ids:
            return self._words("add.nothing_new")
        if len(ids) == 1:
            return self._words("add.started", id=str(ids[0]))
        return self._words("add.started_many", count=len(ids), first=str(ids[0]), last=str(ids[-1]))

    def _show_problems(self, problems: Problems) -> None:
        shown = [{"address": address, "reason": reason} for address, reason in problems[:_SHOWN_PROBLEMS]]
        more = len(problems) - len(shown)
        told = self._words("add.more_problems", more=more) if more else ""
        self._show(**self.state | {"problems": shown, "more_problems": told, "is_looking": False})

    def _show(self, **state: Any) -> None:
        self.state = {"problems": [], **state}
        self.props["state"] = self.state


class AddDialog:
    """The form in a dialog, made when it is opened: nothing of it is in a page that does not show it."""

    def __init__(self, manager: Manager, words: Words, on_open: Callable[[int], None]) -> None:
        self._manager = manager
        self._words = words
        self._on_open = on_open
        self._form: AddForm | None = None
        self._dialog = ui.dialog().props(f'transition-duration=120 aria-label="{words("add.title")}"')
        self._dialog.on("hide", self._empty)

    def open(self, text: str = "", *, is_foreign: bool = False) -> None:
        """Show it, with ``text`` in the field. ``is_foreign``: it came by a link, not by this person's own hand."""
        if self._form is not None and self._dialog.value:
            self._form.fill(text, is_foreign=is_foreign)
            return
        self._empty()
        with self._dialog, ui.card().classes("sheet wide"):
            ui.label(self._words("add.title")).classes("heading")
            self._form = AddForm(self._manager, self._words, self.leave, self._open_known, rows=4, text=text)
            self._form.props["in-dialog"] = True
            self._form.props["is-foreign"] = is_foreign
            self._form.on("cancel", self._dialog.close)
        self._dialog.open()

    def leave(self, problems: Problems) -> None:
        """Show what could not be added; nothing: close."""
        if problems:
            if self._form is None:
                self.open()
            assert self._form is not None
            self._form.leave(problems)
        else:
            self._dialog.close()

    def _open_known(self, download_id: int) -> None:
        self._dialog.close()
        self._on_open(download_id)

    def _empty(self) -> None:
        self._form = None
        self._dialog.clear()


def _request(address: str, choices: dict[str, Any]) -> Request:
    directory = str(choices.get("directory") or "").strip()
    category = choices.get("category")
    request = Request(
        url=address,
        directory=safe_directory(directory) if directory else None,
        category=Category(category) if category else None,
        subtitles=tuple(str(language) for language in choices.get("subtitles") or ()),
        embed=tuple(map(Extra, choices.get("embed") or ())),
        playlist_items=choices.get("items") or None,
    )
    return with_quality(request, choices.get("quality") or "quality:best")


def _conditions(choices: dict[str, Any]) -> dict[str, Any]:
    """Whether and when to start, and what becomes of those that are there already."""
    start_at = choices.get("start_at")
    return {
        "start": choices.get("start", True),
        "start_at": datetime.fromisoformat(start_at) if start_at else None,
        "on_duplicate": "skip" if choices.get("skip_known") else "again",
    }


def _folders(manager: Manager) -> list[str]:
    """Those that downloads were put into, the latest first."""
    used = (download.request.directory for download in manager.newest_first())
    return list(dict.fromkeys(directory for directory in used if directory))[:20]
