"""Downloads over HTTP: the contract's routes, each one question to the manager."""

import asyncio
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query
from pydantic import BeforeValidator
from starlette.responses import FileResponse, Response

from idm_app import desktop
from idm_app.address import safe_directory
from idm_app.api.file_answer import FileAnswer
from idm_app.api.problems import PROBLEMS
from idm_app.api.schemas import (
    MAX_ADDRESSES,
    Action,
    AddedOut,
    ChangedOut,
    Changes,
    DownloadDetailsOut,
    DownloadOut,
    DownloadsOut,
    NewDownloads,
)
from idm_app.background import unhurried
from idm_app.errors import InvalidField, TooMany
from idm_app.feed import resource
from idm_app.manager import Manager
from idm_app.model import Category, Download, Status
from idm_app.units import format_instant

Sort = Literal[
    "id", "title", "filename", "status", "category", "progress", "received_bytes", "total_bytes", "bytes_per_second",
    "eta_seconds", "created_at", "finished_at",
    "-id", "-title", "-filename", "-status", "-category", "-progress", "-received_bytes", "-total_bytes",
    "-bytes_per_second", "-eta_seconds", "-created_at", "-finished_at",
]  # fmt: skip
# A finished file is foreign: never run, never guessed, never compressed (that would drop its length).
_FILE_HEADERS = {
    "Content-Encoding": "identity",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def _unless_empty(default: object) -> BeforeValidator:
    """A form sends ``status=`` where nothing was chosen."""
    return BeforeValidator(lambda value: default if value == "" else value)


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


def _details(download: Download) -> dict[str, Any]:
    return {
        **resource(download),
        "segments": [[segment.start, segment.end, segment.received] for segment in download.segments],
        "streams": [
            {
                "name": stream.name,
                "received_bytes": stream.received_bytes,
                "total_bytes": stream.total_bytes,
                "total_is_estimate": stream.total_is_estimate,
            }
            for stream in download.streams
        ],
        "events": [
            {"at": format_instant(event.at), "code": event.code, "message": event.message} for event in download.events
        ],
    }


async def _add(manager: Manager, new: NewDownloads) -> list[dict[str, Any]]:
    urls = [new.url] if new.url is not None else (new.urls or [])
    if len(urls) > MAX_ADDRESSES:
        raise TooMany(f"More than {MAX_ADDRESSES} addresses at once. Send them in several requests.")
    if new.filename is not None and len(urls) > 1:
        raise InvalidField("filename", "One file name cannot serve several addresses.")
    directory = None if new.directory is None else safe_directory(new.directory)
    downloads = await manager.add(
        [new.request(url, directory, new.filename) async for url in unhurried(urls)],
        start=new.start,
        start_at=new.start_at,
        queue=new.queue,
        on_duplicate=new.on_duplicate,
    )
    return [resource(download) async for download in unhurried(downloads)]


def build(manager: Manager) -> APIRouter:
    """The routes of downloads."""
    router = APIRouter(tags=["downloads"], responses=PROBLEMS)
    _add_collection_routes(router, manager)
    _add_item_routes(router, manager)
    _add_file_routes(router, manager)
    return router


def _add_collection_routes(router: APIRouter, manager: Manager) -> None:
    @router.post("/api/downloads", status_code=201, response_model=DownloadOut | AddedOut)
    async def add(new: NewDownloads) -> Response:
        """Take one address or many. Answers at once; what is answered is on disk."""
        added = await _add(manager, new)
        return _json(added[0] if new.urls is None else {"downloads": added}, 201)

    @router.post("/download", status_code=201, response_model=DownloadOut | AddedOut)
    async def add_short(new: NewDownloads) -> Response:
        """The short form of ``POST /api/downloads``."""
        return await add(new)

    @router.get("/api/downloads", response_model=DownloadsOut)
    async def search(
        status: Annotated[Status | None, _unless_empty(None)] = None,
        category: Annotated[Category | None, _unless_empty(None)] = None,
        q: Annotated[str, Query(max_length=1000)] = "",
        sort: Annotated[Sort, _unless_empty("-id")] = "-id",
        limit: Annotated[int, Query(ge=1, le=1000), _unless_empty(100)] = 100,
        offset: Annotated[int, Query(ge=0, le=2**53), _unless_empty(0)] = 0,
    ) -> Response:
        """Downloads that fit, newest first unless told."""
        found, total = manager.search(status=status, category=category, text=q, sort=sort, limit=limit, offset=offset)
        return _json({"downloads": [resource(download) for download in found], "total": total})

    @router.get("/list", response_model=list[DownloadOut])
    async def newest() -> Response:
        """The short form of ``GET /api/downloads``: the newest 1,000."""
        found, _ = manager.search(limit=1000)
        return _json([resource(download) for download in found])

    @router.post("/api/downloads/actions", response_model=ChangedOut)
    async def act(action: Action) -> Response:
        """Do one thing to many; those whose status does not allow it stay as they are."""
        ids = None if action.ids == "all" else action.ids
        return _json({"changed": await manager.act(action.action, ids)})


def _add_item_routes(router: APIRouter, manager: Manager) -> None:
    @router.get("/api/downloads/{download_id}", response_model=DownloadDetailsOut)
    async def get(download_id: int) -> Response:
        """One download with its segments, streams and events."""
        return _json(_details(manager.get(download_id)))

    @router.patch("/api/downloads/{download_id}", response_model=DownloadOut)
    async def change(download_id: int, changes: Changes) -> Response:
        """Change a download; takes effect on a running one too."""
        values = changes.model_dump(exclude_unset=True)
        for field in ("queue", "position", "title", "url"):
            if field in values and values[field] is None:
                raise InvalidField(field, f"{field} cannot be null.")
        return _json(resource(await manager.change(download_id, values)))

    @router.post("/api/downloads/{download_id}/pause", response_model=DownloadOut)
    async def pause(download_id: int) -> Response:
        """Stop it; every byte stays."""
        return _json(resource(await manager.pause(download_id)))

    @router.post("/api/downloads/{download_id}/resume", response_model=DownloadOut)
    async def resume(download_id: int) -> Response:
        """Go on with a paused one."""
        return _json(resource(await manager.resume(download_id)))

    @router.post("/api/downloads/{download_id}/retry", response_model=DownloadOut)
    async def retry(download_id: int) -> Response:
        """Try a failed one again."""
        return _json(resource(await manager.retry(download_id)))

    @router.delete("/api/downloads/{download_id}", status_code=204)
    async def remove(download_id: int, file: bool = False) -> Response:
        """Take it off the list; with ``file=true`` delete the finished file too."""
        await manager.remove(download_id, delete_file=file)
        return Response(status_code=204)


def _add_file_routes(router: APIRouter, manager: Manager) -> None:
    @router.post("/api/downloads/{download_id}/open", status_code=204)
    async def open_file(download_id: int, folder: bool = False) -> Response:
        """Open the finished file, or with ``folder=true`` its folder, on the desktop that the server runs on."""
        path = manager.finished_file(download_id)
        await asyncio.to_thread(desktop.show, path, manager.options, in_folder=folder)
        return Response(status_code=204)

    @router.get("/api/downloads/{download_id}/file", response_class=FileResponse)
    async def fetch_file(download_id: int) -> FileAnswer:
        """The finished file, with Range and ETag."""
        return FileAnswer(manager.finished_file(download_id), "attachment", _FILE_HEADERS)
