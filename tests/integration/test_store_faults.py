"""The store against what really happens: ``kill -9``, a disk that is full, two servers, many callers at once.

Run as a program this file is the server that is killed: it prints what was acknowledged, one JSON line each.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idm_app import store as store_module
from idm_app.errors import FolderInUse, StoreFull
from idm_app.model import Download, Request
from idm_app.store import Store

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TITLE = "A title that fills a line of the journal somewhat. " * 8


def download(number: int) -> Download:
    return Download(id=number, request=Request(f"https://example.org/{number}"), created_at=NOW, title=TITLE)


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True)


def test_what_was_acknowledged_survives_30_kills(tmp_path: Path) -> None:
    rolls = random.Random(6)
    added: set[int] = set()
    removed: set[int] = set()
    generations = set()
    for _ in range(30):
        process = start("write", str(tmp_path / "data"))
        assert process.stdout is not None
        acknowledged = [json.loads(process.stdout.readline())]  # it is up
        time.sleep(rolls.uniform(0.0, 0.25))
        process.kill()
        acknowledged += [json.loads(line) for line in process.stdout if line.endswith("\n")]
        process.wait()
        for line in acknowledged:
            if line["added"]:
                assert added.isdisjoint(line["added"]), "an id was given out twice"
            added |= set(line["added"])
            removed |= set(line["removed"])
            generations.add(line["generation"])
        store = Store.open(tmp_path / "data")
        stored = [d.id for d in store.downloads()]
        asked = {line["asked_to_remove"] for line in acknowledged}
        assert len(stored) == len(set(stored))
        assert added - removed - asked <= set(stored)
        assert removed.isdisjoint(stored)
        assert store.last_id >= max(added, default=0)
        assert store.recovery is None or "not written completely" in store.recovery
        removed |= asked - set(stored)
        store._lock.release()  # as a kill does: no last snapshot
    assert len(added) > 500
    assert len(generations) > 20, "no kill can have hit a compaction"


@pytest.mark.skipif(sys.platform == "win32", reason="the limit that stands for a full disk is POSIX")
def test_a_full_disk_refuses_keeps_and_recovers(tmp_path: Path) -> None:
    process = start("full", str(tmp_path / "data"))
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    told = json.loads(output)
    assert told["refused"] > 0
    assert len(told["acknowledged"]) > 10
    assert told["acknowledged"][-1] < 59
    store = Store.open(tmp_path / "data")
    assert [d.id for d in store.downloads()] == told["acknowledged"]
    assert store.recovery is None
    store._lock.release()


async def test_the_folder_of_a_killed_server_is_free_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    process = start("write", str(tmp_path / "data"))
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(FolderInUse, match=f"http://127.0.0.1:8000 .process {process.pid}"):
        Store.open(tmp_path / "data")
    process.kill()
    process.wait()
    store = Store.open(tmp_path / "data")
    assert store.downloads()
    await store.close()


async def test_callers_at_the_same_time_share_a_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(tmp_path / "data")
    syncs = 0
    real = os.fsync

    def counting(descriptor: int) -> None:
        nonlocal syncs
        syncs += 1
        time.sleep(0.02)  # a disk
        real(descriptor)

    monkeypatch.setattr(os, "fsync", counting)

    async def add(number: int) -> None:
        store.put(download(number))
        await store.commit()

    longest_hold = asyncio.create_task(_longest_hold_seconds(0.2))
    await asyncio.gather(*(add(number) for number in range(1, 201)))
    assert syncs <= 3
    assert await longest_hold < 1
    store._lock.release()
    assert len(Store.open(tmp_path / "data").downloads()) == 200


async def _longest_hold_seconds(during_seconds: float) -> float:
    longest, last = 0.0, time.perf_counter()
    end = last + during_seconds
    while last < end:
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return longest


# -- the server that is killed


async def write(folder: Path) -> None:
    """Add in batches, several callers at a time, remove now and then, compact often; until killed."""
    store_module.COMPACT_AT_BYTES = 16 * 1024
    store = Store.open(folder, address="http://127.0.0.1:8000")
    ids = iter(range(store.last_id + 1, 10**9))
    asked_to_remove = 0

    def tell(added: list[int], removed: list[int]) -> None:
        generation = store._storage._generation
        line = {"added": added, "removed": removed, "asked_to_remove": asked_to_remove, "generation": generation}
        os.write(1, json.dumps(line).encode() + b"\n")

    async def add() -> None:
        batch = [next(ids) for _ in range(random.randint(1, 3))]
        store.put(*map(download, batch))
        await store.commit()
        tell(batch, [])

    while True:
        await asyncio.gather(*(add() for _ in range(3)))
        asked_to_remove = random.randint(1, store.last_id)
        tell([], [])  # a kill from here on may or may not have removed it
        store.remove(asked_to_remove)
        await store.commit()
        tell([], [asked_to_remove])


async def full(folder: Path) -> None:
    """Add while files may grow a little, then not, then a little again …; die while they may not."""
    import resource

    store_module.COMPACT_AT_BYTES = 2 * 1024
    store = Store.open(folder)
    acknowledged, refused = [], 0
    for number in range(1, 60):
        limit = 6_000 if number // 10 % 2 == 0 else 1_500
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        store.put(download(number))
        try:
            await store.commit()
            acknowledged.append(number)
        except StoreFull:
            store.remove(number)
            refused += 1
    print(json.dumps({"acknowledged": acknowledged, "refused": refused}))
    os._exit(0)


if __name__ == "__main__":
    asyncio.run({"write": write, "full": full}[sys.argv[1]](Path(sys.argv[2])))
