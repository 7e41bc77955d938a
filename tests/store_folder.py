"""A store's folder as its tests see it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from idm_app.model import Download, Request
from idm_app.store import Store, files

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
