"""What buttons do to downloads: ask where something would be lost, do it, say what was refused."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Set
from contextlib import suppress

from nicegui import ui

from idm_app import desktop, schedule
from idm_app.dashboard.elements import RowMenu
from idm_app.dashboard.question import Answer, Question, TextAnswer
from idm_app.dashboard.row_state import title
from idm_app.dashboard.toast import toast
from idm_app.dashboard.words import Words
from idm_app.errors import Refused, UnknownDownload, WrongStatus
from idm_app.manager import Manager
from idm_app.model import Download, Status
from idm_app.playlists import unfinished_children
from idm_app.ranges import ranges


class Actions:
    """The actions of one tab."""

    def __init__(self, manager: Manager, words: Words, menu: RowMenu) -> None:
        self._manager = manager
        self._menu = menu
        self._words = words
        self._question = Question(words)
        self._client = ui.context.client

    async def on_one(self, action: str, download_id: int) -> None:
        """Do one thing to one download."""
        manager = self._manager
        actions: dict[str, Callable[[int], Awaitable[object]]] = {
            "pause": lambda chosen: self._unless_late(manager.pause, chosen),
            "resume": lambda chosen: self._unless_late(manager.resume, chosen),
            "retry": lambda chosen: self._unless_late(manager.retry, chosen),
            "remove": lambda chosen: self._ask_to_remove([chosen]),
            "redownload": self._redownload,
            "refresh_address": self._ask_for_address,
            "copy_address": self._copy_address,
            "open": lambda chosen: self._show(chosen, in_folder=False),
            "folder": lambda chosen: self._show(chosen, in_folder=True),
            "up": lambda chosen: self._move(chosen, -1),
            "down": lambda chosen: self._move(chosen, +1),
        }
        if action in actions:
            await self._attempt(lambda: actions[action](download_id))

    async def limit(self, download_id: int, bytes_per_second: int | None) -> None:
        """Let a download take no more than this, at once; ``None``: as much as there is."""
        changes = {"bytes_per_second_limit": bytes_per_second}
        await self._attempt(lambda: self._manager.change(download_id, changes))

    async def press(self, tool: str, selected: Set[int]) -> None:
        """What a tool of the page's header does; some do it to what is ``selected``."""
        match tool:
            case "resume_selected":
                await self._on_many("resume", selected)
                await self._on_many("retry", selected)  # as IDM: what has failed goes on, too
            case "stop_selected":
                await self._on_many("pause", selected)
            case "delete_selected":
                await self._attempt(lambda: self._ask_to_remove(sorted(selected)))
            case "zip_selected":
                self._zip(selected)
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

    async def _unless_late(self, act: Callable[[int], Awaitable[object]], download_id: int) -> None:
        with suppress(WrongStatus):  # pressed twice, or in another tab as well: the row says what is so
            await act(download_id)

    async def _show(self, download_id: int, *, in_folder: bool) -> None:
        path = self._manager.finished_file(download_id)
        await asyncio.to_thread(desktop.show, path, self._manager.options, in_folder=in_folder)

    async def _redownload(self, download_id: int) -> None:
        added = await self._manager.add([self._manager.get(download_id).request])
        toast(self._client, self._words("add.started", id=added[0].id), "positive", "download")

    async def _ask_for_address(self, download_id: int) -> None:
        download, words = self._manager.get(download_id), self._words

        async def refresh(address: str) -> str | None:
            try:
                await self._refresh_address(download_id, address.strip())
            except UnknownDownload:
                pass
            except Refused as error:
                return words.refusal(error)
            return None

        self._question.ask_for_text(
            words("refresh.title", title=title(download)),
            words("refresh.text"),
            words("refresh.address"),
            download.request.url,
            TextAnswer(words("refresh.go_on"), refresh),
        )

    async def _refresh_address(self, download_id: int, address: str) -> None:
        download = await self._manager.change(download_id, {"url": address})
        if download.status is Status.FAILED:
            await self._manager.retry(download_id)
        elif download.status is Status.PAUSED:
            await self._manager.resume(download_id)

    async def _copy_address(self, download_id: int) -> None:
        self._menu.copy(self._manager.get(download_id).request.url)
        toast(self._client, self._words("copied"), "info", "content_copy")

    async def _move(self, download_id: int, places: int) -> None:
        queued = [download for download in self._manager.newest_first() if download.status is Status.QUEUED]
        moved = schedule.moved(queued, download_id, places)
        for changed_id, position in moved.items():
            await self._manager.change(changed_id, {"position": position})
        neighbour = next((changed_id for changed_id in moved if changed_id != download_id), None)
        if neighbour is None:
            toast(self._client, self._words("queue.first" if places < 0 else "queue.last"), "info")
        else:
            where = "queue.before" if places < 0 else "queue.after"
            toast(self._client, self._words(where, title=title(self._manager.get(neighbour))), "info")

    def _zip(self, selected: Iterable[int]) -> None:
        downloads = [self._manager.get(download_id) for download_id in sorted(selected)]
        ids = [download.id for download in downloads if download.status is Status.COMPLETED and download.path]
        if ids:
            self._menu.save(f"/api/files.zip?ids={ranges(ids)}")
        else:
            toast(self._client, self._words("remove.nothing_finished"), "info")

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
        entries = sum(len(unfinished_children(download, self._manager.newest_first())) for download in downloads)
        would_lose = has_file or entries or any(download.received_bytes for download in downloads)
        if not would_lose and len(ids) == 1:
            await self._remove(ids, delete_file=False)
            return
        words = self._words
        one = len(ids) == 1
        question = words("remove.one", title=title(downloads[0])) if one else words("remove.many", count=len(ids))
        self._question.ask(question, self._consequence(downloads, has_file, entries), self._answers(ids, has_file))

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

    def _consequence(self, downloads: list[Download], has_file: bool, entries: int) -> str:
        if len(downloads) > 1:
            return self._words("remove.files_stay")
        if entries:
            return self._words("remove.entries_go", count=entries)
        return self._words("remove.file_stays") if has_file else self._words("remove.parts_are_lost")
