"""The store's files: generations, each a snapshot and a journal.

``list.7.json`` is the whole list as it was when generation 7 began, JSON with a CRC-32 of all before it at its end.
``list.7.journal`` is what changed since, a line a commit: CRC-32, a space, JSON. The first line names schema and
generation. A journal is begun before the snapshot of its generation is written, so a snapshot and every journal from
its number on are the list, whatever was interrupted.

New files appear whole (temporary file, fsync, rename, fsync of the folder); journals only grow. All are 0600.
"""

import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any

import orjson

from idm_app.errors import StoreUnreadable

SCHEMA = 1
_BLOCK_BYTES = 128 * 1024

Tables = dict[str, dict[str, Any]]
Change = tuple[str, str, Any]
"""Table, key, and the document, or ``None`` for removed. ``("", "", tables)`` is everything at once."""


def generations(folder: Path, kind: str) -> dict[int, Path]:
    """The files of a kind, ``json`` or ``journal``, by the number of their generation, rising."""
    pattern = re.compile(rf"list\.([1-9]\d{{0,17}})\.{kind}")
    found = ((pattern.fullmatch(path.name), path) for path in folder.iterdir())
    return dict(sorted((int(match[1]), path) for match, path in found if match))


def write_snapshot(folder: Path, generation: int, tables: Tables) -> None:
    """Write everything. May run in a thread while ``tables`` changes: each document is written as it is then.

    A piece at a time, so that the interpreter is never held for long. Raises ``OSError``.
    """
    write_whole(folder / f"list.{generation}.json", _encoded_snapshot(generation, tables))


def read_snapshot(path: Path) -> Tables | None:
    """The tables, or ``None`` for a damaged file. Raises :class:`StoreUnreadable` for a newer schema, ``OSError``."""
    content = path.read_bytes()
    try:
        parsed = loads(content)
        _check_schema(parsed["schema"], path)
        body, _, ending = content.rpartition(_ENDING)
        if not body or ending != b'%08x"}\n' % zlib.crc32(body):
            return None
        tables: Tables = parsed["tables"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return tables


def begin_journal(folder: Path, generation: int) -> "Journal":
    """An empty journal. Raises ``OSError``."""
    path = folder / f"list.{generation}.journal"
    header = journal_line({"schema": SCHEMA, "generation": generation})
    write_whole(path, [header])
    return Journal(path, len(header))


class Journal:
    """A journal to append to. One thread at a time."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path
        self._size_bytes = size_bytes
        self.is_sound = True
        """Whether another line may be appended; not when the disk does not say what became of the last one."""

    def append(self, changes: Iterable[Change]) -> int:
        """Put ``changes`` on disk as one line, all or nothing. Returns its size in bytes. Raises ``OSError``."""
        line = journal_line(list(changes))
        with self._path.open("r+b", buffering=0) as file:  # unbuffered: what could not be written is written no later
            is_written = False
            try:
                file.seek(self._size_bytes)
                _write_all(file, line)
                is_written = True
                os.fsync(file.fileno())
            except OSError:
                self.is_sound = False
                file.truncate(self._size_bytes)
                self.is_sound = not is_written  # after a failed fsync nobody knows, and the next one would say "done"
                raise
        self._size_bytes += len(line)
        return len(line)


@dataclass(frozen=True, slots=True)
class JournalContent:
    """What a journal file holds."""

    changes: list[Change] = field(default_factory=list)
    damaged_lines: int = 0
    sound_bytes: int = 0
    """Where the last complete line ends."""
    is_torn: bool = False
    """Whether a line that was never completed follows."""


def read_journal(path: Path) -> JournalContent:
    """Every line that is whole. Raises :class:`StoreUnreadable` for a newer schema, ``OSError``."""
    content = path.read_bytes()
    *lines, tail = content.split(b"\n")
    header = _checked(lines[0]) if lines else None
    damaged = 0
    if isinstance(header, dict):
        _check_schema(header.get("schema"), path)
    else:
        damaged = 1
    changes: list[Change] = []
    for line in lines[1:]:
        parsed = _checked(line)
        if isinstance(parsed, list):
            changes.extend((table, key, document) for table, key, document in parsed)
        else:
            damaged += 1
    return JournalContent(changes, damaged, len(content) - len(tail), bool(tail))


def replay(tables: Tables, changes: Iterable[Change]) -> Tables:
    """``tables`` after ``changes``."""
    for table, key, document in changes:
        if not table:
            tables = document
        elif document is None:
            tables.setdefault(table, {}).pop(key, None)
        else:
            tables.setdefault(table, {})[key] = document
    return tables


def write_whole(path: Path, blocks: Iterable[bytes]) -> None:
    """Write a file that is there whole or not at all, and on disk when this returns. Raises ``OSError``."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.unlink(missing_ok=True)
    try:
        with open(temporary, "xb", buffering=0, opener=_owner_only) as file:
            for block in blocks:
                _write_all(file, block)
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)  # what it took of a full disk
        raise
    sync_folder(path.parent)


def aside(path: Path) -> Path:
    """The name under which a damaged file is kept."""
    return path.with_name(f"{path.name}.corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")


def sync_folder(folder: Path) -> None:
    """Put names on disk, where the system can."""
    if os.name != "nt":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


_ENDING = b',\n"crc32":"'


def _encoded_snapshot(generation: int, tables: Tables) -> Iterator[bytes]:
    checksum = 0
    for block in _blocks(_snapshot_parts(generation, tables)):
        checksum = zlib.crc32(block, checksum)
        yield block
    yield _ENDING + b'%08x"}\n' % checksum


def _snapshot_parts(generation: int, tables: Tables) -> Iterator[bytes]:
    yield b'{"schema":%d,"generation":%d,"tables":{' % (SCHEMA, generation)
    for number, (name, rows) in enumerate(list(tables.items())):
        yield b"%s%s:{" % (b"," if number else b"", dumps(name))
        comma = b""
        for key in list(rows):  # not items(): a hundred thousand new pairs wake the garbage collector, for 0.3 s
            if (document := rows.get(key)) is not None:
                yield b"%s\n%s:%s" % (comma, dumps(key), dumps(document))
                comma = b","
        yield b"}"
    yield b"}"


def _blocks(parts: Iterable[bytes]) -> Iterator[bytes]:
    gathered: list[bytes] = []
    size_bytes = 0
    for part in parts:
        gathered.append(part)
        size_bytes += len(part)
        if size_bytes >= _BLOCK_BYTES:
            yield b"".join(gathered)
            gathered, size_bytes = [], 0
    yield b"".join(gathered)


def journal_line(content: Any) -> bytes:
    """``content`` with its checksum."""
    body = dumps(content)
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _checked(line: bytes) -> Any:
    checksum, _, body = line.partition(b" ")
    return loads(body) if checksum == b"%08x" % zlib.crc32(body) else None


def dumps(content: Any) -> bytes:
    """JSON, also of a file's name that is not UTF-8 (a lone surrogate) and of numbers over 64 bits."""
    try:
        return orjson.dumps(content)
    except TypeError:
        return json.dumps(content, separators=(",", ":")).encode()


def loads(content: bytes) -> Any:
    """The inverse of :func:`dumps`. Raises ``ValueError``."""
    try:
        return orjson.loads(content)
    except ValueError:
        return json.loads(content)


def _check_schema(schema: Any, path: Path) -> None:
    if isinstance(schema, int) and schema > SCHEMA:
        raise StoreUnreadable(f"The list in {path.parent} was written by a newer version of idm. Start that version.")


def _write_all(file: FileIO, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
