"""A TinyDB storage that loses nothing: a snapshot, an fsynced journal between snapshots, one backup generation.

Files in the folder: ``list.json`` (snapshot), ``list.journal`` (what changed since, a line a commit: CRC-32 and JSON),
and ``.bak`` of both, the generation before. A snapshot is written to a temporary file, fsynced, and renamed, so a full
disk or a kill leaves the old one whole; a journal line that was cut is left out at the next start, and told.
"""

import os
import shutil
import threading
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from tinydb import Storage
from tinydb.table import Document, Table

from idm_app.errors import StoreUnreadable

SCHEMA = 1
COMPACT_AT_BYTES = 8 * 1024 * 1024

Tables = dict[str, dict[str, Any]]
Change = tuple[str, str, Any]
"""Table, document id, the document or ``None`` for removed."""


class DurableStorage(Storage):
    """The parsed tables in memory; :meth:`commit` makes what was noted durable. One writer at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._snapshot = folder / "list.json"
        self._journal = folder / "list.journal"
        self._lock = threading.Lock()
        self._pending: list[Change] = []
        self._journal_bytes = 0
        self._rewrite = False
        self.generation = 0
        self.tables: Tables = {}
        self.recovery: list[str] = []

    # -- TinyDB's side

    def read(self) -> Tables:
        """The tables; TinyDB may change them in place."""
        return self.tables

    def write(self, data: Tables) -> None:
        """Somebody used an operation that says not what changed: the next commit writes everything."""
        self.tables = data
        self._rewrite = True

    def note(self, table: str, document_id: str, document: Mapping[str, Any] | None) -> None:
        """One document was replaced, or removed."""
        self._pending.append((table, document_id, document))

    # -- disk

    @property
    def is_dirty(self) -> bool:
        """Whether something is not on disk yet."""
        return bool(self._pending) or self._rewrite

    def commit(self) -> None:
        """Put everything noted before the call on disk. Raises ``OSError``; what was noted stays pending then."""
        with self._lock:
            pending = self._pending[:]
            if self._rewrite or self._journal_bytes > COMPACT_AT_BYTES:
                self._write_snapshot(len(pending))
            elif pending:
                self._append(pending)

    def compact(self) -> None:
        """Write a snapshot and begin an empty journal."""
        with self._lock:
            self._write_snapshot(len(self._pending))

    def load(self) -> None:
        """Read the newest good generation. Raises :class:`StoreUnreadable` when files exist but none is readable."""
        old_snapshot, old_journal = _backup(self._snapshot), _backup(self._journal)
        files = (self._snapshot, self._journal, old_snapshot, old_journal)
        if not any(path.exists() for path in files):
            self._write_snapshot(0)
            return
        newest = _read_snapshot(self._snapshot)
        base = newest or _read_snapshot(old_snapshot)
        if base is None:
            raise StoreUnreadable(
                f"The list in {self._folder} cannot be read, nor its backup. Put a copy back, or start once with "
                "--reset-store: the damaged files are set aside and the list begins empty."
            )
        self.generation, self.tables = base
        if newest is None:
            self._set_aside(self._snapshot)
            self.recovery.append("The list was damaged; its backup and the journal were used.")
            self._replay(old_journal, self.generation)
            self._replay(self._journal, self.generation + 1)
        else:
            self._replay(old_journal, self.generation)  # a snapshot was begun and not finished
            self._replay(self._journal, self.generation)
        if self.recovery or _journal_generation(self._journal) != self.generation:
            self._write_snapshot(0)
        self._journal_bytes = self._journal.stat().st_size

    def set_all_aside(self) -> None:
        """Rename every file of the store out of the way."""
        for path in (self._snapshot, self._journal):
            for file in (path, _backup(path)):
                self._set_aside(file)

    def _append(self, pending: list[Change]) -> None:
        body = orjson.dumps(pending)
        line = b"%08x %s\n" % (zlib.crc32(body), body)
        with self._journal.open("ab") as file:
            begin = file.tell()
            try:
                file.write(line if begin else b"%d\n" % self.generation + line)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(begin)  # else half a line would stand before the next one
                raise
        self._journal_bytes = begin + len(line)
        del self._pending[: len(pending)]

    def _write_snapshot(self, pending: int) -> None:
        generation = self.generation + 1
        temporary = self._snapshot.with_suffix(".tmp")
        temporary.unlink(missing_ok=True)
        with open(temporary, "xb", opener=_owner_only) as file:
            for part in _encoded(generation, self.tables):
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        if self._snapshot.exists():
            _link(self._snapshot, _backup(self._snapshot))
        if self._journal.exists():
            self._journal.replace(_backup(self._journal))
        temporary.replace(self._snapshot)
        _sync_folder(self._folder)
        self.generation, self._journal_bytes, self._rewrite = generation, 0, False
        del self._pending[:pending]
        with open(self._journal, "wb", opener=_owner_only) as journal:
            journal.write(b"%d\n" % generation)

    def _replay(self, journal: Path, generation: int) -> None:
        if not journal.exists():
            return
        if _journal_generation(journal) != generation:
            return
        lines = journal.read_bytes().splitlines(keepends=True)
        for number, line in enumerate(lines[1:], 1):
            changes = _checked(line)
            if changes is None:
                torn = number == len(lines) - 1
                self.recovery.append(
                    "The last change was not written completely and is left out."
                    if torn
                    else "A change in the journal was damaged and is left out; the journal is kept beside the list."
                )
                if not torn:
                    self._set_aside(journal, copy=True)
                continue
            for table, document_id, document in changes:
                rows = self.tables.setdefault(table, {})
                if document is None:
                    rows.pop(document_id, None)
                else:
                    rows[document_id] = document

    def _set_aside(self, path: Path, *, copy: bool = False) -> None:
        if not path.exists():
            return
        aside = path.with_name(f"{path.name}.corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        if copy:
            aside.write_bytes(path.read_bytes())
        else:
            path.rename(aside)


class KeyedTable(Table):
    """TinyDB's table with changes by id in constant time; everything else is TinyDB's own."""

    default_query_cache_capacity = 0

    def put(self, document: Document) -> None:
        """Insert or replace the document of ``document.doc_id``."""
        key = str(document.doc_id)
        self._rows()[key] = dict(document)
        self._durable.note(self.name, key, dict(document))

    def drop(self, document_id: int) -> None:
        """Remove one document, if it is there."""
        if self._rows().pop(str(document_id), None) is not None:
            self._durable.note(self.name, str(document_id), None)

    def find(self, document_id: int) -> Mapping[str, Any] | None:
        """One document, or ``None``."""
        return self._rows().get(str(document_id))

    @property
    def _durable(self) -> DurableStorage:
        assert isinstance(self._storage, DurableStorage)
        return self._storage

    def _rows(self) -> dict[str, Any]:
        return self._durable.tables.setdefault(self.name, {})


def _encoded(generation: int, tables: Tables) -> Iterator[bytes]:
    """The snapshot in pieces, so that encoding a long list never holds the interpreter for long."""
    yield b'{"schema":%d,"generation":%d,"tables":{' % (SCHEMA, generation)
    for number, (name, rows) in enumerate(list(tables.items())):
        yield (b"," if number else b"") + orjson.dumps(name) + b":{"
        for position, (key, document) in enumerate(list(rows.items())):
            yield (b",\n" if position else b"\n") + orjson.dumps(key) + b":" + orjson.dumps(document)
        yield b"}"
    yield b"}}\n"


def _read_snapshot(path: Path) -> tuple[int, Tables] | None:
    try:
        content = orjson.loads(path.read_bytes())
        schema, generation, tables = content["schema"], content["generation"], content["tables"]
        shapes_fit = isinstance(generation, int) and all(isinstance(rows, dict) for rows in tables.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    if isinstance(schema, int) and schema > SCHEMA:
        raise StoreUnreadable(f"The list in {path.parent} was written by a newer version of idm. Use that version.")
    return (generation, tables) if shapes_fit else None


def _journal_generation(journal: Path) -> int | None:
    try:
        with journal.open("rb") as file:
            return int(file.readline(40))
    except (OSError, ValueError):
        return None


def _checked(line: bytes) -> list[Change] | None:
    try:
        checksum, body = line[:8], line[9:-1]
        if line.endswith(b"\n") and int(checksum, 16) == zlib.crc32(body):
            changes: list[Change] = orjson.loads(body)
            return changes
    except ValueError:
        pass
    return None


def _backup(path: Path) -> Path:
    return path.with_name(path.name + ".bak")


def _link(path: Path, to: Path) -> None:
    to.unlink(missing_ok=True)
    try:
        os.link(path, to)
    except OSError:  # a file system without hard links
        shutil.copy2(path, to)


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    if os.name != "nt":  # Windows cannot open a folder; its rename is durable with the file
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
