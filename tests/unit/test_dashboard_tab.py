"""Tabs on one board: NiceGUI's own clients without a browser, and a real manager whose downloads do not start."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from nicegui import Client, binding, core, ui
from nicegui.events import GenericEventArguments, handle_event

from idm_app.access import Access
from idm_app.dashboard.adding import AddForm
from idm_app.dashboard.addresses import Problems
from idm_app.dashboard.board import Board
from idm_app.dashboard.download_list import DownloadList
from idm_app.dashboard.elements import DownloadRow, FilterList, PageHeader
from idm_app.dashboard.tab import Tab
from idm_app.dashboard.view import PAGE_SIZE, View
from idm_app.dashboard.words import words_in
from idm_app.errors import UnknownDownload
from idm_app.manager import Manager
from idm_app.model import Quality, Request
from idm_app.settings import Options
from idm_app.store import Store

E = TypeVar("E", bound=ui.element)


@pytest.fixture
async def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Board]:
    monkeypatch.setattr(core, "loop", asyncio.get_running_loop())
    options = Options(data_dir=tmp_path / "data", download_dir=tmp_path / "files")
    manager = Manager(options, Store.open(options.data_dir))
    await manager.change_settings({"max_active": 0})
    board = Board(manager)
    board.start()
    await asyncio.sleep(0)
    yield board
    await manager.close()


@contextmanager
def tab(board: Board, view: View | None = None) -> Iterator[Client]:
    client = Client(ui.page("/nowhere"))
    with client:
        access = Access(board.manager.options, board.manager.server_id)
        Tab(board, access, view or View(), words_in("en"), "http://127.0.0.1:8000")
    try:
        yield client
    finally:
        client.delete()


async def add(board: Board, count: int = 1) -> list[int]:
    requests = [Request(f"https://example.org/{number}.zip") for number in range(count)]
    return [download.id for download in await board.manager.add(requests, start=False)]


def rows(client: Client) -> list[DownloadRow]:
    frame = the(DownloadList, client)
    return [row for row in frame.default_slot.children if isinstance(row, DownloadRow)]


def ids(client: Client) -> list[int]:
    return [row.state["id"] for row in rows(client)]


def the(kind: type[E], client: Client) -> E:
    return next(element for element in client.elements.values() if isinstance(element, kind))


def emit(element: ui.element, kind: str, args: object) -> None:
    """What the browser sends when a component emits ``kind`` (camel case, as NiceGUI keeps it)."""
    for listener in element._event_listeners.values():
        if listener.type == kind:
            handle_event(listener.handler, GenericEventArguments(sender=element, client=element.client, args=args))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_new_download_comes_to_every_tab_and_no_other_row_is_rebuilt(board: Board) -> None:
    await add(board, 2)
    with tab(board) as first, tab(board) as second:
        before = rows(first)
        await add(board)
        await until(lambda: ids(first) == ids(second) == [3, 2, 1])
        assert rows(first)[1:] == before


async def test_a_change_is_made_once_and_reaches_the_bound_rows_of_all_tabs(board: Board) -> None:
    await add(board)
    with tab(board) as first, tab(board) as second:
        await board.manager.change(1, {"title": "A new name"})
        await until(lambda: rows(first)[0].props["given"]["title"] == "A new name")
        assert rows(second)[0].props["given"]["title"] == "A new name"
        assert rows(first)[0].state is rows(second)[0].state


async def test_a_removed_one_goes_and_the_page_says_how_to_begin(board: Board) -> None:
    await add(board)
    with tab(board) as client:
        empty = next(element for element in client.elements.values() if "empty" in element.classes)
        assert not empty.visible
        await asyncio.sleep(0.3)  # so that adding has been taken in
        await board.manager.remove(1)
        await until(lambda: ids(client) == [])
        assert empty.visible


async def test_the_history_is_paged_and_never_more_than_a_page_of_elements(board: Board) -> None:
    await add(board, 100)
    with tab(board) as client:
        assert ids(client) == list(range(100, 100 - PAGE_SIZE, -1))
        elements = len(client.elements)
        for expected in (list(range(60, 20, -1)), list(range(20, 0, -1)), list(range(20, 0, -1))):
            emit(the(DownloadList, client), "turn", 1)
            assert ids(client) == expected
        assert len(client.elements) <= elements


async def test_what_is_selected_outlives_a_turned_page_but_not_its_download(board: Board) -> None:
    await add(board, 50)
    with tab(board) as client:
        listed = the(DownloadList, client)
        emit(listed, "pick", {"id": 50, "how": "toggle"})
        emit(listed, "turn", 1)
        emit(listed, "pick", {"id": 1, "how": "toggle"})
        assert the(PageHeader, client).props["selected"] == 2
        await asyncio.sleep(0.3)
        await board.manager.remove(50)
        await until(lambda: listed.selected == {1})
        emit(listed, "selectAll", False)
        assert the(PageHeader, client).props["selected"] == 0


async def test_filters_and_counts_follow(board: Board) -> None:
    await add(board, 3)
    with tab(board, View("finished")) as finished, tab(board, View("unfinished")) as unfinished:
        assert (ids(finished), ids(unfinished)) == ([], [3, 2, 1])
        filters = the(FilterList, finished)
        await until(lambda: filters.state["unfinished"] == 3)
        await asyncio.sleep(0.3)
        await board.manager.remove(2)
        await until(lambda: filters.state["unfinished"] == 2 and ids(unfinished) == [3, 1])


async def test_closed_tabs_leave_nothing_behind(board: Board) -> None:
    await add(board, 5)
    for _ in range(20):
        with tab(board):
            await board.manager.change(1, {"title": "x"})
    await asyncio.sleep(0.3)
    gc.collect()
    assert not any(binding.bindings.values())
    assert not binding.active_links
    assert not board.list_changed.callbacks
    assert not board.ended.callbacks
    assert not list(board._rows)


async def test_what_is_wrong_is_not_counted_and_what_is_not_shown_is(board: Board) -> None:
    client = Client(ui.page("/nowhere"))
    with client:
        form = AddForm(board.manager, words_in("en"), lambda _: None, lambda _: None, rows=3)
        form.look("https://example.org/1.zip\nnonsense\nhttps://example.org/2.zip")
        assert form.state["preview"] == "2 addresses: https://example.org/1.zip … https://example.org/2.zip"
        await form.submit("\n".join(f"nonsense {number}" for number in range(520)))
        assert len(form.state["problems"]) == 20
        assert form.state["more_problems"] == "And 500 more."
    client.delete()


async def test_what_is_good_is_submitted_and_what_is_not_stays_with_the_reason(board: Board) -> None:
    left: list[Problems] = []
    client = Client(ui.page("/nowhere"))

    def on_submitted(problems: Problems) -> None:
        left.append(problems)
        form.leave(problems)

    with client:
        form = AddForm(board.manager, words_in("en"), on_submitted, lambda _: None, rows=3)
        await form.submit("https://example.org/good.zip\nftp://example.org/bad.zip")
        assert [address for address, _ in left[0]] == ["ftp://example.org/bad.zip"]
        problem = form.state["problems"][0]
        assert problem["address"] == "ftp://example.org/bad.zip"
        assert problem["reason"].startswith("Only addresses")
        toasts = [message for _, kind, message in client.outbox.messages if kind == "notify"]
        assert [toast["message"] for toast in toasts] == ["Download started #1"]
        await form.submit("https://example.org/better.zip")
        assert left[1] == []
    client.delete()
    assert board.manager.get(2).request.url == "https://example.org/better.zip"
    with pytest.raises(UnknownDownload):
        board.manager.get(3)


async def test_choices_become_the_request_and_what_is_known_is_skipped(board: Board) -> None:
    client = Client(ui.page("/nowhere"))
    with client:
        form = AddForm(board.manager, words_in("en"), lambda _: None, lambda _: None, rows=3)
        await form.submit(
            "https://example.org/[1-2].mp4",
            quality="audio:mp3",
            subtitles=["de"],
            items="1-3,7",
            directory="films/new",
            category="music",
            start=False,
        )
        request = board.manager.get(2).request
        assert (request.quality, request.audio_format) == (Quality.AUDIO, "mp3")
        assert (request.subtitles, request.playlist_items) == (("de",), "1-3,7")
        assert (request.directory, request.category) == ("films/new", "music")
        assert board.manager.get(2).status == "paused"
        form.look("https://example.org/[1-5].mp4")
        assert form.state["known"] == "2 of these are on your list already."
        await form.submit("https://example.org/[1-5].mp4", start=False, skip_known=True)
        assert len(list(board.manager.newest_first())) == 5
        await form.submit("https://example.org/9.mp4", directory="../up")
        assert form.state["problems"][0]["reason"] == "The folder must be a plain name below the download folder."
        await form.submit("https://example.org/9.mp4", quality="format:137+140")
        assert board.manager.get(6).request.format_id == "137+140"
    client.delete()
