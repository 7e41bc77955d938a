"""A TinyDB storage that loses nothing: the tables in memory, every commit a line of an fsynced journal."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinydb import Storage

from idm_app.errors import StoreUnreadable
from idm_app.store import files
from idm_app.store.files import Tables

log = logging.getLogger(__name__)

COMPACT_AT_BYTES = 8 * 1024 * 1024

Changes = dict[tuple[str, str], Any]
"""What is not on disk yet: the newest document of each table and key, ``None`` for removed."""


class DurableStorage(Storage):
    """The store's tables. In memory at once; on disk after :meth:`commit`, and never half.

    :meth:`take` and :meth:`give_back` belong to the thread that changes the tables; :meth:`append` and
    :meth:`begin_generation` to one writing thread at a time; :meth:`write_snapshot` may run beside both.
    """

    def __init__(self, folder: Path) -> None:
        """Read what is in ``folder``, or begin there. Raises :class:`StoreUnreadable`, ``OSError``."""
        self._folder = folder
        self._pending: Changes = {}
        self._generation = 0
        self._journal: files.Journal | None = None
        self.journaled_bytes = 0
        """What has been appended since the newest snapshot."""
        self.tables: Tables = {}
        self.recovery: list[str] = []
        """What had to be mended: sentences for people."""
        self._load()

    # -- TinyDB's side

    def read(self) -> Tables:
        """The tables themselves, not a copy."""
        return self.tables

    def write(self, data: Tables) -> None:
        """Take whole tables from an operation that does not say what changed."""
        self.tables = data
        self._pending = {("", ""): data}

    def note(self, table: str, key: str, document: Mapping[str, Any] | None) -> None:
        """One document was replaced, or removed."""
        self._pending.pop((table, key), None)  # to the end: after a whole write that may be pending
        self._pending[table, key] = document

    def close(self) -> None:
        """Put everything on disk. Raises ``OSError``."""
        self.commit()
        self.compact()

    # -- disk

    def take(self) -> Changes:
        """What is not on disk yet; it is the caller's to :meth:`append` or to :meth:`give_back`."""
        changes, self._pending = self._pending, {}
        return changes

    def give_back(self, changes: Changes) -> None:
        """``changes`` could not be written: keep what has not been overtaken since, for the next time."""
        self._pending = self._pending if ("", "") in self._pending else changes | self._pending

    def append(self, changes: Changes) -> None:
        """Put ``changes`` on disk, all or nothing. Raises ``OSError``."""
        if not changes:
            return
        if self._journal is None or not self._journal.is_sound:
            self.begin_generation()
        assert self._journal is not None
        lines = ((table, key, document) for (table, key), document in changes.items())
        self.journaled_bytes += self._journal.append(lines)

    def commit(self) -> None:
        """Put everything on disk, in this thread. Raises ``OSError``; nothing is forgotten then."""
        changes = self.take()
        try:
            self.append(changes)
        except OSError:
            self.give_back(changes)
            raise

    def compact(self) -> None:
        """Write a snapshot if anything changed since the last one, in this thread. Raises ``OSError``."""
        if self.journaled_bytes:
            self.write_snapshot(self.begin_generation())

    def begin_generation(self) -> int:
        """Begin a journal; what is appended from now on belongs to it. Returns its number. Raises ``OSError``."""
        self._journal = files.begin_journal(self._folder, self._generation + 1)
        self._generation += 1
        self.journaled_bytes = 0
        return self._generation

    def write_snapshot(self, generation: int) -> None:
        """Write everything as it is now, then let go of all but one generation before. Raises ``OSError``."""
        files.write_snapshot(self._folder, generation, self.tables)
        snapshots = files.generations(self._folder, "json")
        backup = max((number for number in snapshots if number < generation), default=generation)
        for found in (snapshots, files.generations(self._folder, "journal")):
            for number, path in found.items():
                if number < backup:
                    path.unlink(missing_ok=True)

    # -- start

    def _load(self) -> None:
        for leftover in self._folder.glob("list.*.tmp"):
            leftover.unlink(missing_ok=True)
        snapshots = files.generations(self._folder, "json")
        journals = files.generations(self._folder, "journal")
        if not snapshots and not journals:
            self.write_snapshot(1)
            self.begin_generation()
            return
        base, unreadable = self._read_newest(snapshots)
        self._generation = max(*snapshots, *journals, base)
        damaged = self._replay_from(base, journals)
        if unreadable or damaged or self._journal is None:
            self._mend(unreadable, damaged)

    def _read_newest(self, snapshots: dict[int, Path]) -> tuple[int, list[Path]]:
        unreadable: list[Path] = []
        for number in sorted(snapshots, reverse=True):
            tables = files.read_snapshot(snapshots[number])
            if tables is not None:
                self.tables = tables
                return number, unreadable
            unreadable.append(snapshots[number])
        raise StoreUnreadable(
            f"The list in {self._folder} cannot be read, nor its backup. Put a copy back, or start once with "
            "--reset-store: the damaged files are set aside and the list begins empty."
        )

    def _replay_from(self, base: int, journals: dict[int, Path]) -> list[Path]:
        """Bring the tables up to date and open the newest journal if it can go on. Returns the damaged ones."""
        damaged = []
        for number in range(base, self._generation + 1):
            if number not in journals:
                self.recovery.append("A journal of the list is missing; some of the last changes may be lost.")
                self._journal = None
                continue
            path, is_newest = journals[number], number == self._generation
            content = files.read_journal(path)
            self.tables = files.replay(self.tables, content.changes)
            self.journaled_bytes += content.sound_bytes if content.changes else 0
            if content.damaged_lines or (content.is_torn and not is_newest):
                damaged.append(path)
            elif is_newest:
                self._journal = self._open_journal(path, content)
        return damaged

    def _open_journal(self, path: Path, content: files.JournalContent) -> files.Journal:
        if content.is_torn:
            with path.open("r+b") as file:
                file.truncate(content.sound_bytes)
            self.recovery.append("The last change was not written completely and is left out.")
        return files.Journal(path, content.sound_bytes)

    def _mend(self, unreadable: list[Path], damaged: list[Path]) -> None:
        """Keep the damaged files beside and begin a whole generation; a full disk leaves that to the next start."""
        if unreadable:
            self.recovery.append("The list was damaged and is restored from its backup.")
        if damaged:
            self.recovery.append("Some changes in the journal were damaged and are left out.")
        kept: list[Path] = []
        try:
            kept += [path.rename(files.aside(path)) for path in unreadable]
            kept += [Path(shutil.copy2(path, files.aside(path))) for path in damaged]
            self.write_snapshot(self.begin_generation())
        except OSError as error:
            log.warning("the restored list could not be written: %s", error)
        if kept:
            self.recovery.append(f"Kept for you: {', '.join(path.name for path in kept)}.")


def set_aside_all(folder: Path) -> None:
    """Rename every file of the store out of the way. Raises ``OSError``."""
    for kind in ("json", "journal"):
        for path in files.generations(folder, kind).values():
            path.rename(files.aside(path))
