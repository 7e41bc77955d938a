"""The list at rest: what is acknowledged is there again."""

import asyncio
import os
import shutil
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from store_folder import download, loaded, newest
from tinydb import TinyDB, where
from tinydb.table import Document

from idm_app import store as store_module
from idm_app.errors import FolderInUse, StoreFull
from idm_app.model import Status
from idm_app.store import Store, files
from idm_app.store.storage import DurableStorage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def crashed(folder: Path, tmp_path: Path) -> Callable[[], Path]:
    """A copy of the folder as it is now: what a kill would leave."""
    numbers = iter(range(1000))
    return lambda: Path(shutil.copytree(folder, tmp_path / f"crash{next(numbers)}"))


# -- life


async def test_a_fresh_folder(folder: Path) -> None:
    store = Store.open(folder)
    assert (store.downloads(), store.settings(), store.last_id, store.recovery) == ([], {}, 0, None)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    await store.close()


async def test_all_is_there_after_a_stop_and_after_a_crash(folder: Path, crashed: Callable[[], Path]) -> None:
    store = Store.open(folder)
    store.put(download(2), download(1))
    store.put(download(3, "before"), download(3))
    store.put_settings({"max_active": 7})
    await store.commit()
    after_crash = crashed()
    await store.close()
    for each in (folder, after_crash):
        again = Store.open(each)
        assert again.downloads() == [download(1), download(2), download(3)]
        assert again.settings() == {"max_active": 7}
        assert again.server_id == store.server_id
        assert again.recovery is None
        await again.close()


async def test_ids_are_never_used_again(folder: Path, crashed: Callable[[], Path]) -> None:
    store = Store.open(folder)
    store.put(download(1), download(9))
    await store.commit()
    store.remove(9, 77)
    await store.commit()
    after_crash = crashed()
    await store.close()
    for each in (folder, after_crash):
        again = Store.open(each)
        assert [d.id for d in again.downloads()] == [1]
        assert again.last_id == 9
        await again.close()


async def test_the_second_is_refused_and_told_where_the_first_is(folder: Path) -> None:
    store = Store.open(folder, address="http://127.0.0.1:8123")
    with pytest.raises(FolderInUse, match=rf"http://127\.0\.0\.1:8123 \(process {os.getpid()}\)"):
        Store.open(folder, address="http://127.0.0.1:9999")
    store.put(download(1))
    await store.close()
    await store.close()
    assert await loaded(folder) == ([1], None)


async def test_a_start_and_stop_without_a_change_writes_nothing(folder: Path) -> None:
    await Store.open(folder).close()
    before = sorted(path.name for path in folder.glob("list.*"))
    await Store.open(folder).close()
    assert sorted(path.name for path in folder.glob("list.*")) == before


# -- TinyDB


async def test_every_operation_of_tinydb_is_durable(folder: Path, crashed: Callable[[], Path]) -> None:
    store = Store.open(folder)
    table = store.database.table("downloads")
    store.put(*(download(number) for number in range(1, 7)))
    assert table.search(where("title") == "No. 3")[0].doc_id == 3
    assert table.update({"queue": "night"}, where("id") > 4) == [5, 6]
    assert table.update(lambda document: document["request"].update(url="https://other"), doc_ids=[2, 99]) == [2]
    assert table.remove(where("title") == "No. 1") == [1]
    assert table.upsert(Document({"queue": "night"}, 4)) == [4]
    assert table.insert({"free": "form"}) == 7
    with pytest.raises(ValueError, match="already exists"):
        table.insert(Document({}, 4))
    store.database.table("other").insert_multiple([{"a": 1}, {"a": 2}])
    store.database.table("gone").insert({"a": 1})
    store.database.drop_table("gone")
    store.database.table("empty").insert({"a": 1})
    store.database.table("empty").truncate()
    expected = {name: store.database.table(name).all() for name in ("downloads", "other", "gone", "empty")}
    await store.commit()
    again = DurableStorage(crashed())
    assert [{**row} for row in expected["downloads"]] == list(again.tables["downloads"].values())
    assert again.tables["downloads"].keys() == {"2", "3", "4", "5", "6", "7"}
    assert again.tables["downloads"]["2"]["request"]["url"] == "https://other"
    assert again.tables["downloads"]["4"]["queue"] == "night"
    assert list(again.tables["other"].values()) == [{"a": 1}, {"a": 2}]
    assert not expected["gone"]
    assert not again.tables.get("gone")
    assert not again.tables["empty"]
    await store.close()


def test_a_stock_tinydb_works_on_the_storage(folder: Path) -> None:
    folder.mkdir()
    with TinyDB(folder, storage=DurableStorage) as database:
        database.insert_multiple([{"n": 1}, {"n": 2}, {"n": 3}])
        database.remove(where("n") == 2)
        database.update({"n": 30}, where("n") == 3)
    with TinyDB(folder, storage=DurableStorage) as database:
        assert [document["n"] for document in database] == [1, 30]


async def test_a_change_by_id_notes_one_document_and_an_update_without_a_change_none(folder: Path) -> None:
    store = Store.open(folder)
    store.put(*(download(number) for number in range(1, 100)))
    await store.commit()
    table, storage = store.database.table("downloads"), store._storage
    before = storage.tables["downloads"]["5"]
    table.update({"queue": "night"}, doc_ids=[5])
    assert list(storage.take()) == [("downloads", "5")]
    assert "queue" not in before  # a thread may be writing it
    table.update({"title": "No. 6"}, where("id") == 6)
    store.put(download(7))
    store.remove(1000)
    assert not storage.take()
    await store.close()


async def test_text_that_is_not_unicode_stops_nobody(folder: Path, crashed: Callable[[], Path]) -> None:
    odd = download(1, "caf\udce9 \x00 \u2028", total_bytes=10**25, status=Status.PAUSED)
    store = Store.open(folder)
    store.put(odd)
    await store.commit()
    after_crash = crashed()
    await store.close()
    for each in (folder, after_crash):
        again = Store.open(each)
        assert again.downloads()[0].title == odd.title
        await again.close()


# -- writing


async def test_a_folder_that_is_away_refuses_and_the_next_commit_makes_good(folder: Path, tmp_path: Path) -> None:
    store = Store.open(folder)
    store.put(download(1), download(2, "old"))
    await store.commit()
    folder.rename(tmp_path / "away")
    store.put(download(2), download(3), download(4))
    with pytest.raises(StoreFull, match="Make room"):
        await store.commit()
    store.remove(4)
    store.put(download(5))
    (tmp_path / "away").rename(folder)
    await store.commit()
    store._lock.release()
    assert await loaded(folder) == ([1, 2, 3, 5], None)


async def test_a_failed_write_does_not_undo_what_came_after_it(folder: Path, tmp_path: Path) -> None:
    store = Store.open(folder)
    folder.rename(tmp_path / "away")
    store.put(download(1, "old"))
    failing = asyncio.create_task(store.commit())
    while store._storage._pending:
        await asyncio.sleep(0)
    store.put(download(1))
    with pytest.raises(StoreFull):
        await failing
    (tmp_path / "away").rename(folder)
    await store.commit()
    store._lock.release()
    assert await loaded(folder) == ([1], None)


async def test_a_failed_fsync_is_not_believed_the_second_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(folder)
    store.put(download(1))
    await store.commit()
    before = newest(folder, "journal")
    real = os.fsync

    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    store.put(download(2))
    with pytest.raises(StoreFull):
        await store.commit()
    monkeypatch.setattr(os, "fsync", real)
    await store.commit()
    assert newest(folder, "journal") != before
    store._lock.release()
    assert await loaded(folder) == ([1, 2], None)


async def test_at_every_step_of_every_write_the_files_are_the_whole_list(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compaction beside commits, cut at each fsync: just before it, when all that was done is there but not more."""
    monkeypatch.setattr(store_module, "COMPACT_AT_BYTES", 500)
    acknowledged: set[int] = set()
    steps: list[tuple[Path, set[int]]] = []
    real = os.fsync

    def copying(descriptor: int) -> None:
        copy = tmp_path / f"step{len(steps)}"
        steps.append((copy, set(acknowledged)))
        shutil.copytree(folder, copy)
        real(descriptor)

    store = Store.open(folder)
    store._threads = ThreadPoolExecutor(1)  # so that a copy is of one moment
    monkeypatch.setattr(os, "fsync", copying)
    for number in range(1, 25):
        store.put(download(number))
        await store.commit()
        acknowledged.add(number)
    await store.close()
    monkeypatch.setattr(os, "fsync", real)
    assert len(steps) > 50
    assert len(files.generations(folder, "json")) == 2
    for copy, promised in steps:
        ids, recovery = await loaded(copy)
        assert promised <= set(ids), copy
        assert recovery is None or "not written completely" in recovery


async def test_a_caller_that_goes_away_harms_nobody(folder: Path) -> None:
    store = Store.open(folder)
    store.put(download(1))
    impatient, patient = (asyncio.create_task(store.commit()) for _ in range(2))
    await asyncio.sleep(0)  # both wait for the same write
    impatient.cancel()
    await patient
    store._lock.release()
    assert await loaded(folder) == ([1], None)
