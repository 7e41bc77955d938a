"""What is done to the files between a stop and the next start costs nothing, or as little as can be, and is told."""

import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from store_folder import download, kept_aside, loaded, newest

from idm_app.errors import StoreUnreadable
from idm_app.store import Store, files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


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
