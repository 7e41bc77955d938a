"""What an acknowledged change costs, beside TinyDB's own storage in the same run. Prints a Markdown table.

Run: ``python3 dev.py bench store`` (or ``… bench store 100000`` for other sizes of the list).

*Acknowledge*: from ``put`` to the return of ``commit``, on disk, one caller after the other. *50 at once*: the slowest
of 50 callers. *Longest hold*: the longest the event loop stood still while a snapshot was written beside commits,
against the same without one. TinyDB's own ``JSONStorage`` inserts one document a time, which it fsyncs too.
"""

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tinydb import TinyDB
from tinydb.table import Document

from idm_app.model import Category, Cookie, Download, Event, Kind, Request
from idm_app.store import Store
from idm_app.store.documents import to_document

NOW = datetime(2026, 11, 22, 22, 14, 3, 120456, UTC)
CHANGES = 500
OWN_CHANGES = 20


def download(number: int) -> Download:
    """One of about 800 bytes."""
    return Download(
        id=number,
        request=Request(
            f"https://media.example.org/library/{number}/big_buck_bunny_2160p.mp4?token={'0f' * 32}",
            headers=(("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),),
            cookies=(Cookie("session", "d" * 40, "media.example.org"),),
        ),
        created_at=NOW,
        kind=Kind.FILE,
        title=f"Big Buck Bunny, copy {number}",
        filename=f"big_buck_bunny_{number}.mp4",
        category=Category.VIDEO,
        received_bytes=4_530_000,
        total_bytes=10_000_000,
        started_at=NOW,
        events=(Event(NOW, "waiting.connection-lost", (("seconds", "12"),)),),
    )


def percentiles(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    at = [ordered[int(share * (len(ordered) - 1))] * 1000 for share in (0.5, 0.99)]
    return f"{at[0]:.2f} / {at[1]:.2f}"


async def acknowledge(store: Store, number: int) -> float:
    begun = time.perf_counter()
    store.put(download(number))
    await store.commit()
    return time.perf_counter() - begun


async def longest_hold(until: Callable[[], bool]) -> float:
    """The longest time between two turns of the event loop, in seconds."""
    longest, last = 0.0, time.perf_counter()
    while not until():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last - 0.001), now
    return longest


async def compaction(store: Store, size: int) -> tuple[float, float, float, list[float]]:
    """Seconds of a snapshot, the event loop's longest hold without and with it, and what changes beside it took."""

    async def change() -> None:
        for number in range(1, 10**9):
            seconds.append(await acknowledge(store, number % size + 1))
            await asyncio.sleep(0.002)

    async def measured(until: Callable[[], bool]) -> float:
        changing = asyncio.create_task(change())
        hold = await longest_hold(until)
        changing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await changing
        return hold

    seconds: list[float] = []
    end = time.perf_counter() + 1
    without = await measured(lambda: time.perf_counter() > end)
    seconds.clear()
    begun = time.perf_counter()
    compacting = asyncio.create_task(store._compact())
    hold = await measured(compacting.done)
    return time.perf_counter() - begun, without, hold, seconds


def own_storage(folder: Path, size: int) -> list[float]:
    """What TinyDB's ``JSONStorage`` takes for one document more."""
    with TinyDB(folder / "own.json") as database:
        database.insert_multiple(Document(to_document(download(n)), n) for n in range(1, size + 1))
        seconds = []
        for number in range(size + 1, size + 1 + OWN_CHANGES):
            begun = time.perf_counter()
            database.insert(Document(to_document(download(number)), number))
            seconds.append(time.perf_counter() - begun)
    return seconds


async def measure(size: int, folder: Path) -> str:
    store = Store.open(folder / "data")
    store.put(*(download(number) for number in range(1, size + 1)))
    await store.commit()
    one = [await acknowledge(store, number) for number in range(size + 1, size + 1 + CHANGES)]
    many = [
        max(await asyncio.gather(*(acknowledge(store, size + 1 + CHANGES + n) for n in range(50)))) for _ in range(20)
    ]
    took, without, hold, beside = await compaction(store, size)
    store.put(replace(download(1), title="once more"))
    await store.close()
    begun = time.perf_counter()
    store = Store.open(folder / "data")
    store.downloads()
    opened = time.perf_counter() - begun
    await store.close()
    own = own_storage(folder, size)
    ratio = sorted(own)[len(own) // 2] / sorted(one)[len(one) // 2]
    cells = (
        *(f"{size:,}", percentiles(one), percentiles(own), f"{ratio:,.0f} ×", percentiles(many)),
        *(f"{took * 1000:.0f}", percentiles(beside), f"{without * 1000:.1f} / {hold * 1000:.1f}"),
        f"{opened * 1000:.0f}",
    )
    return f"| {' | '.join(cells)} |"


async def main(sizes: list[int]) -> None:
    print("Milliseconds; p50 / p99.\n")
    print(
        "| downloads in the store | acknowledge | TinyDB's JSONStorage | ratio of p50 | 50 at once | a snapshot "
        "| acknowledge beside it | event loop's longest hold without / with it | start |"
    )
    print("| --- " * 9 + "|")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            print(await measure(size, Path(folder)), flush=True)


if __name__ == "__main__":
    asyncio.run(main([int(argument) for argument in sys.argv[1:]] or [1_000, 10_000]))
