"""What buttons do to downloads: ask where something would be lost, do it, say what was refused."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from nicegui import ui

from idm_app import desktop
from idm_app.dashboard.question import Answer, Question
from idm_app.dashboard.row_state import title
from idm_app.dashboard.toast import toast
from idm_app.dashboard.words import Words
from idm_app.errors import Refused, UnknownDownload
from idm_app.manager import Manager
from idm_app.model import Download, Status


class Actions:
    """The actions of one tab."""

    def __init__(self, manager: Manager, words: Words) -> None:
        self._manager = manager
        self._words = words
        self._question = Question(words)
        self._client = ui.context.client

    async def on_one(self, action: str, download_id: int) -> None:
        """``open``, show the ``folder``, ``pause``, ``resume``, ``retry`` or ``remove`` one download."""
        manager = self._manager
        match action:
            case "open" | "folder":
                await self._attempt(lambda: self._show(download_id, in_folder=action == "folder"))
            case "pause":
                await self._attempt(lambda: manager.pause(download_id))
            case "resume":
                await self._attempt(lambda: manager.resume(download_id))
            case "retry":
                await self._attempt(lambda: manager.retry(download_id))
            case "remove":
                await self._attempt(lambda: self._ask_to_remove([download_id]))

    async def press(self, tool: str, selected: set[int]) -> None:
        """What a tool of the page's header does; some do it to what is ``selected``."""
        match tool:
            case "resume_selected":
                await self._on_many("resume", selected)
            case "stop_selected":
                await self._on_many("pause", selected)
            case "delete_selected":
                await self._attempt(lambda: self._ask_to_remove(list(selected)))
            case "start_all":
                await self._on_many("resume", None)
            case "stop_all":
                await self._on_many("pause", None)
            case "delete_completed":
                self._ask_to_remove_completed()

    async def _on_many(self, action: str, ids: Iterable[int] | None) -> None:
        chosen = None if ids is None else list(ids)
        await self._attempt(lambda: self._manager.act(action, chosen))

    def _ask_to_remove_completed(self) -> None:
        words = self._words
        ids = [d.id for d in self._manager.newest_first() if d.status is Status.COMPLETED]
        if not ids:
            toast(self._client, words("remove.nothing_finished"), "info")
            return
        answers = [self._answer(words("remove.from_list"), ids)]
        self._question.ask(words("remove.many", count=len(ids)), words("remove.only_the_list"), answers)

    async def _show(self, download_id: int, *, in_folder: bool) -> None:
        path = self._manager.finished_file(download_id)
        await asyncio.to_thread(desktop.show, path, self._manager.options, in_folder=in_folder)

    async def _attempt(self, do: Callable[[], Awaitable[object]]) -> None:
        try:
            await do()
        except UnknownDownload:
            pass  # gone already, as its row is about to be
        except Refused as error:
            toast(self._client, self._words.refusal(error), "negative")

    async def _ask_to_remove(self, ids: list[int]) -> None:
        downloads = [self._manager.get(download_id) for download_id in ids]
        if not downloads:
            return
        has_file = any(download.path for download in downloads)
        would_lose = has_file or any(download.received_bytes for download in downloads)
        if not would_lose and len(ids) == 1:
            await self._remove(ids, delete_file=False)
            return
        words = self._words
        one = len(ids) == 1
        question = words("remove.one", title=title(downloads[0])) if one else words("remove.many", count=len(ids))
        self._question.ask(question, self._consequence(downloads, has_file), self._answers(ids, has_file))

    def _answers(self, ids: list[int], has_file: bool) -> list[Answer]:
        words = self._words
        if not has_file:
            return [self._answer(words("remove.title"), ids, is_destructive=True)]
        with_file = words("remove.with_file") if len(ids) == 1 else words("remove.with_files")
        return [
            self._answer(with_file, ids, delete_file=True, is_destructive=True),
            self._answer(words("remove.from_list"), ids),
        ]

    def _answer(self, label: str, ids: list[int], *, delete_file: bool = False, is_destructive: bool = False) -> Answer:
        return Answer(label, lambda: self._attempt(lambda: self._remove(ids, delete_file=delete_file)), is_destructive)

    async def _remove(self, ids: list[int], *, delete_file: bool) -> None:
        if not delete_file:
            await self._manager.act("remove", ids)
            return
        for download_id in ids:
            await self._attempt(lambda: self._manager.remove(download_id, delete_file=True))  # noqa: B023

    def _consequence(self, downloads: list[Download], has_file: bool) -> str:
        if len(downloads) > 1:
            return self._words("remove.files_stay")
        return self._words("remove.file_stays") if has_file else self._words("remove.parts_are_lost")
