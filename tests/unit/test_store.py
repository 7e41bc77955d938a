"""The list at rest: what is acknowledged is there again, whatever is done to the files in between."""

import asyncio
import os
import shutil
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tinydb import TinyDB, where
from tinydb.table import Document

from idm_app import store as store_module
from idm_app.errors import FolderInUse, StoreFull, StoreUnreadable
from idm_app.model import Download, Request, Status
from idm_app.store import Store, files
from idm_app.store.storage import DurableStorage

NOW = datetime(2026, 11, 22, 22, 14, 3, 120456, UTC)


def download(number: int, title: str = "", **fields: Any) -> Download:
    return Download(
        id=number,
        request=Request(f"https://example.org/{number}"),
        created_at=NOW,
        title=title or f"No. {number}",
        **fields,
    )


def newest(folder: Path, kind: str) -> Path:
    return list(files.generations(folder, kind).values())[-1]


def kept_aside(folder: Path) -> list[Path]:
    return list(folder.glob("*.corrupt-*"))


async def loaded(folder: Path) -> tuple[list[int], str | None]:
    """The ids that a start finds, and what it says."""
    store = Store.open(folder)
    ids = [d.id for d in store.downloads()]
    assert all(d == download(d.id) for d in store.downloads())
    recovery = store.recovery
    await store.close()
    return ids, recovery


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


# -- damage


@pytest.fixture
async def two_generations(folder: Path) -> Path:
    """1–3 in the backup and its journal, all of 1–6 in the newest snapshot, 7–9 in the newest journal; then a crash."""
    for first in (1, 4, 7):
        store = Store.open(folder)
        for number in range(first, first + 3):
            store.put(download(number))
            await store.commit()
        if first < 7:
            await store.close()
    store._lock.release()
    return folder


ALL = list(range(1, 10))
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    **{f"cut at {n}/20": lambda content, n=n: content[: len(content) * n // 20] for n in range(20)},
    "NULs": lambda content: bytes(len(content)),
    "NULs in the middle": lambda content: content[:200] + bytes(200) + content[400:],
    "{}": lambda _: b"{}",
    "[]": lambda _: b"[]",
    "null": lambda _: b"null",
    "bad UTF-8": lambda content: content.replace(b"No. 4", b"No\xff 4"),
    "wrong types": lambda content: content.replace(b'"tables":{', b'"tables":[{').replace(b"},\n", b"}],\n"),
    "another number": lambda content: content.replace(b"No. 4", b"No. 5"),
    "extra data": lambda content: content + content[-100:],
    "deep": lambda _: b"[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_snapshot_costs_nothing(two_generations: Path, damage: str) -> None:
    path = newest(two_generations, "json")
    bad = DAMAGES[damage](path.read_bytes())
    assert bad != path.read_bytes()
    path.write_bytes(bad)
    ids, recovery = await loaded(two_generations)
    assert ids == ALL
    assert recovery is not None
    assert "backup" in recovery
    assert [kept.read_bytes() for kept in kept_aside(two_generations)] == [bad]
    assert kept_aside(two_generations)[0].name in recovery
    assert await loaded(two_generations) == (ALL, None)


async def test_a_missing_snapshot_costs_nothing(two_generations: Path) -> None:
    newest(two_generations, "json").unlink()
    assert (await loaded(two_generations))[0] == ALL


async def test_no_flipped_bit_in_the_snapshot_is_believed(two_generations: Path, tmp_path: Path) -> None:
    path = newest(two_generations, "json")
    whole = path.read_bytes()
    schema_at = whole.index(b'"schema":') + len(b'"schema":')
    for position in range(0, len(whole), 23):
        if position == schema_at:
            continue
        flipped = bytearray(whole)
        flipped[position] ^= 1 << position % 8
        copy = Path(shutil.copytree(two_generations, tmp_path / f"flip{position}"))
        (copy / path.name).write_bytes(flipped)
        ids, recovery = await loaded(copy)
        assert ids == ALL, position
        assert recovery


async def test_a_journal_cut_anywhere_in_its_last_line_loses_that_line_only(
    two_generations: Path, tmp_path: Path
) -> None:
    path = newest(two_generations, "journal")
    whole = path.read_bytes()
    begin = whole.rindex(b"\n", 0, -1) + 1
    for end in range(begin, len(whole)):
        copy = Path(shutil.copytree(two_generations, tmp_path / f"cut{end}"))
        (copy / path.name).write_bytes(whole[:end])
        store = Store.open(copy)
        assert [d.id for d in store.downloads()] == ALL[:-1], end
        assert ("left out" in str(store.recovery)) is (end > begin)
        store.put(download(9))
        await store.commit()
        store._lock.release()
        assert await loaded(copy) == (ALL, None)


async def test_a_torn_journal_is_told_once(two_generations: Path) -> None:
    path = newest(two_generations, "journal")
    path.write_bytes(path.read_bytes() + bytes(4096))  # what a power cut leaves
    for told in (True, False):
        store = Store.open(two_generations)
        assert [d.id for d in store.downloads()] == ALL
        assert (store.recovery is not None) is told
        store._lock.release()


async def test_a_flipped_bit_in_the_journal_costs_its_line_and_is_told(two_generations: Path, tmp_path: Path) -> None:
    path = newest(two_generations, "journal")
    whole = path.read_bytes()
    for position in range(0, len(whole), 7):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << position % 8
        copy = Path(shutil.copytree(two_generations, tmp_path / f"flip{position}"))
        (copy / path.name).write_bytes(flipped)
        ids, recovery = await loaded(copy)
        assert set(ALL[:6]) <= set(ids) <= set(ALL), position
        assert len(ids) >= len(ALL) - 2, position  # a flipped line end takes its neighbour with it
        assert recovery, position
        assert await loaded(copy) == (ids, None)


async def test_a_damaged_journal_is_kept(two_generations: Path) -> None:
    path = newest(two_generations, "journal")
    bad = path.read_bytes().replace(b"No. 8", b"No. X")
    path.write_bytes(bad)
    ids, recovery = await loaded(two_generations)
    assert ids == [1, 2, 3, 4, 5, 6, 7, 9]
    assert [kept.read_bytes() for kept in kept_aside(two_generations)] == [bad]
    assert kept_aside(two_generations)[0].name in str(recovery)


async def test_only_a_backup_is_left(two_generations: Path) -> None:
    for kind in ("json", "journal"):
        newest(two_generations, kind).unlink()
    assert (await loaded(two_generations))[0] == ALL[:6]


async def test_a_missing_journal_is_told(two_generations: Path) -> None:
    newest(two_generations, "journal").unlink()
    ids, recovery = await loaded(two_generations)
    assert ids == ALL[:6]
    assert "missing" in str(recovery)


@pytest.mark.parametrize("kind", ["json", "journal"])
async def test_a_newer_schema_is_refused_and_left_alone(two_generations: Path, kind: str) -> None:
    path = newest(two_generations, kind)
    content = path.read_bytes().replace(b'"schema":1', b'"schema":2')
    if kind == "journal":
        _, header = content.split(b"\n")[0].split(b" ", 1)
        content = files.journal_line(files.loads(header)) + content.split(b"\n", 1)[1]
    path.write_bytes(content)
    before = sorted(file.name for file in two_generations.glob("list.*"))
    with pytest.raises(StoreUnreadable, match="newer version"):
        Store.open(two_generations)
    assert sorted(file.name for file in two_generations.glob("list.*")) == before


async def test_nothing_readable_is_refused_until_it_is_set_aside(two_generations: Path) -> None:
    for path in files.generations(two_generations, "json").values():
        path.write_bytes(path.read_bytes()[:-30])
    before = {path.name: path.read_bytes() for path in two_generations.glob("list.*")}
    with pytest.raises(StoreUnreadable, match="--reset-store"):
        Store.open(two_generations)
    assert {path.name: path.read_bytes() for path in two_generations.glob("list.*")} == before
    store = Store.open(two_generations, reset=True)
    assert store.downloads() == []
    assert sorted(path.read_bytes() for path in kept_aside(two_generations)) == sorted(before.values())
    await store.close()


async def test_reset_leaves_a_readable_list_alone(two_generations: Path) -> None:
    store = Store.open(two_generations, reset=True)
    assert [d.id for d in store.downloads()] == ALL
    await store.close()


async def test_one_damaged_download_is_set_aside_and_the_others_stay(folder: Path) -> None:
    store = Store.open(folder)
    store.put(*(download(number) for number in (1, 2, 3)))
    table = store.database.table("downloads")
    table.update({"received_bytes": "many", "title": "secret"}, doc_ids=[3])
    table.update({"id": 8}, doc_ids=[2])
    await store.close()
    store = Store.open(folder)
    assert [d.id for d in store.downloads()] == [1]
    (aside,) = kept_aside(folder)
    assert "secret" in aside.read_text()
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    assert aside.name in str(store.recovery)
    assert store.last_id == 3
    await store.close()
    assert await loaded(folder) == ([1], None)


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
