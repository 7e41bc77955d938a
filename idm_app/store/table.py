"""TinyDB's table on a storage that takes single documents: a change by id costs the same in a list of any length."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from copy import deepcopy
from typing import Any

from tinydb import TinyDB
from tinydb.table import Document, Table

from idm_app.store.storage import DurableStorage


class DownloadTable(Table):
    """TinyDB's own table, which tells its :class:`DurableStorage` the documents that changed instead of writing all.

    Every operation is TinyDB's; those by id (``get``, ``insert``, ``update(doc_ids=…)``, ``remove(doc_ids=…)``,
    :meth:`replace`) take constant time. A stored document is never changed in place: a thread may be writing it.
    """

    def replace(self, *documents: Document) -> None:
        """Insert or replace each by its ``doc_id`` (TinyDB's ``upsert`` would keep fields that are gone)."""
        self._update_table(lambda rows: rows.update({document.doc_id: dict(document) for document in documents}))

    def _update_table(self, updater: Callable[[dict[int, Mapping[str, Any]]], None]) -> None:
        storage = self._storage
        assert isinstance(storage, DurableStorage)
        rows = storage.tables.setdefault(self.name, {})
        view = _Changes(rows)
        updater(view)  # type: ignore[arg-type]  # all that TinyDB's updaters use is a mutable mapping
        for key, document in view.changed.items():
            if document is None:
                rows.pop(key, None)
            elif document != rows.get(key):
                rows[key] = document
            else:
                continue
            storage.note(self.name, key, document)
        self.clear_cache()


class Database(TinyDB):
    """A TinyDB of :class:`DownloadTable`."""

    table_class = DownloadTable


class _Changes(MutableMapping[int, Any]):
    """A table as an update sees it. Nothing happens to the table itself; ``changed`` says what should."""

    def __init__(self, rows: Mapping[str, Any]) -> None:
        self._rows = rows
        self.changed: dict[str, Any] = {}
        """Documents by key, ``None`` for removed; among them some that were only looked at."""

    def __getitem__(self, document_id: int) -> Any:
        key = str(document_id)
        if key not in self.changed:
            self.changed[key] = deepcopy(self._rows[key])
        if self.changed[key] is None:
            raise KeyError(document_id)
        return self.changed[key]

    def __setitem__(self, document_id: int, document: Any) -> None:
        self.changed[str(document_id)] = document

    def __delitem__(self, document_id: int) -> None:
        if document_id not in self:
            raise KeyError(document_id)
        self.changed[str(document_id)] = None

    def __contains__(self, document_id: object) -> bool:
        key = str(document_id)
        return self.changed[key] is not None if key in self.changed else key in self._rows

    def __iter__(self) -> Iterator[int]:
        keys = dict.fromkeys((*self._rows, *self.changed))
        return (int(key) for key in keys if int(key) in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        self.changed = dict.fromkeys(self._rows)
