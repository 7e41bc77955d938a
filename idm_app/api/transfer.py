"""The whole list out and in again, over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Request
from pydantic import Field, TypeAdapter, ValidationError
from starlette.responses import Response, StreamingResponse

from idm_app import import_formats, transfer
from idm_app.address import checked_address, safe_directory
from idm_app.api.problems import PROBLEMS, problem
from idm_app.api.schemas import MAX_ADDRESSES, Address, Choices, ImportedOut, Instant, Name
from idm_app.errors import FAILURES, InvalidField, TooMany
from idm_app.manager import Manager
from idm_app.model import Download, Failure, Kind, Status
from idm_app.units import utc_now

_Id = Annotated[int, Field(ge=1, le=2**53)]


class EntryIn(Choices):
    """One download of a document."""

    url: Address
    id: _Id | None = None
    parent_id: _Id | None = None
    status: Status = Status.QUEUED
    kind: Kind | None = None
    title: Name | None = None
    total_bytes: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    created_at: Instant | None = None
    finished_at: Instant | None = None
    error: Annotated[str, Field(max_length=80)] | None = None
    saved_as: Annotated[str, Field(max_length=4096)] | None = None


_ENTRY = TypeAdapter(EntryIn)
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"type": "object", "description": "an export, or MeTube's state"},
                        {"type": "array", "items": {"type": "string"}, "description": "addresses"},
                        {
                            "type": "object",
                            "required": ["text"],
                            "properties": {"text": {"type": "string"}},
                            "additionalProperties": False,
                            "description": "a file's text: any of these, addresses a line each, a session of aria2",
                        },
                    ]
                }
            }
        },
    }
}


def build(manager: Manager) -> APIRouter:
    """``/api/export`` and ``/api/import``."""
    router = APIRouter(tags=["server"], responses=PROBLEMS)

    @router.get("/api/export", response_class=StreamingResponse)
    async def export() -> StreamingResponse:
        """The whole list as JSON, without cookies and headers; ``POST /api/import`` takes it."""
        headers = {"Content-Disposition": f'attachment; filename="idm-{utc_now():%Y-%m-%d}.json"'}
        return StreamingResponse(_parts(manager), media_type="application/json", headers=headers)

    @router.post("/api/import", status_code=201, response_model=ImportedOut, openapi_extra=_BODY)
    async def import_(request: Request, start: bool = True) -> Response:
        """Take a list: all of it or nothing. What is there already stays as it is; doing it twice changes nothing.

        ``start=false``: what was waiting comes paused.
        """
        body = await request.body()
        try:
            document = await asyncio.to_thread(orjson.loads, body)
        except ValueError:
            return problem(400, "malformed", "The body is not valid JSON.")
        name, entries = await asyncio.to_thread(_read, document, start, manager)
        added = await manager.restore(entries)
        answer = {"format": name, "added": len(added), "skipped": len(entries) - len(added)}
        return Response(orjson.dumps(answer), 201, media_type="application/json")

    return router


async def _parts(manager: Manager) -> AsyncIterator[bytes]:
    downloads = list(manager.newest_first())[::-1]
    for part in transfer.document_parts(downloads, manager.options.download_dir, utc_now()):
        yield part
        await asyncio.sleep(0)


def _read(document: Any, start: bool, manager: Manager) -> tuple[Literal["idm", "list", "aria2", "metube"], list[Any]]:
    name, found = import_formats.read_document(document)
    if isinstance(found, dict):
        found = _own_entries(found)
    if len(found) > MAX_ADDRESSES:
        raise TooMany(f"More than {MAX_ADDRESSES} downloads at once. Cut the list into several.")
    now = utc_now()
    entries = [_restored(entry, now, start, manager) for entry in found]
    return name, entries  # type: ignore[return-value]


def _own_entries(document: dict[str, Any]) -> list[dict[str, Any]]:
    if not isinstance(version := document.get("version"), int) or not 1 <= version <= transfer.VERSION:
        raise InvalidField("version", "This export was written by a newer version of idm. Update this one first.")
    entries = document.get("downloads")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InvalidField("downloads", "downloads must be a list of objects.")
    return [{**entry, "where": f"downloads[{number}]"} for number, entry in enumerate(entries)]


def _restored(entry: dict[str, Any], now: datetime, start: bool, manager: Manager) -> transfer.Restored:
    where = entry.pop("where")
    try:
        read = _ENTRY.validate_python(entry, strict=False)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join([where, *map(str, first["loc"])])
        raise InvalidField(field, f"{field}: {first['msg'].removeprefix('Value error, ')}.") from error
    url = checked_address(read.url, f"{where}.url")
    is_over = read.status in (Status.COMPLETED, Status.FAILED)
    waits = not is_over and read.kind is not Kind.PLAYLIST
    status = Status.PAUSED if waits and not start else read.status
    code = read.error if read.error in FAILURES else "internal"
    message, retryable = FAILURES[code]
    download = Download(
        id=read.id or 0,
        parent_id=read.parent_id,
        request=read.request(url, read.directory and safe_directory(read.directory), read.filename),
        created_at=read.created_at or now,
        status=status,
        kind=read.kind,
        title=read.title,
        total_bytes=read.total_bytes,
        queue=read.queue,
        not_before=read.start_at if waits else None,
        finished_at=(read.finished_at or now) if is_over else None,
        error=Failure(code, message, "", retryable) if status is Status.FAILED else None,
    )
    return transfer.Restored(_finished(download, read.saved_as, manager), read.created_at is not None)


def _finished(download: Download, saved_as: str | None, manager: Manager) -> Download:
    if download.status is not Status.COMPLETED:
        return download
    path = None if saved_as is None else _below(manager.options.download_dir, saved_as)
    return replace(
        download,
        progress=100.0,
        received_bytes=download.total_bytes or 0,
        path=None if path is None else str(path),
        filename=None if path is None else path.name,
    )


def _below(folder: Path, saved_as: str) -> Path:
    parts = PurePosixPath(saved_as).parts
    if not parts or any(part[0] in "./" or not part.isprintable() or "\\" in part or ":" in part for part in parts):
        raise InvalidField("saved_as", "saved_as must name a file below the download folder.")
    return folder.joinpath(*parts)
