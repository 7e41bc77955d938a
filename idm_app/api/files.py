"""Finished files over HTTP: to be looked at in the page, and many as one archive. (One to keep: ``downloads.py``.)"""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import FileResponse, Response, StreamingResponse
from zipstream import ZipStream

from idm_app.api.problems import PROBLEMS
from idm_app.errors import CannotPreview
from idm_app.manager import Manager
from idm_app.previews import preview_type
from idm_app.ranges import parse_ranges
from idm_app.units import utc_now

# A foreign file, shown beside our pages: it is an image, a film or a document, and can run nothing.
_PREVIEW_HEADERS = {
    "Content-Encoding": "identity",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Cache-Control": "no-cache",
}


def build(manager: Manager) -> APIRouter:
    """The routes of files."""
    router = APIRouter(tags=["files"], responses=PROBLEMS)

    @router.get("/api/downloads/{download_id}/preview", response_class=FileResponse)
    @router.head("/api/downloads/{download_id}/preview", include_in_schema=False)
    async def preview(download_id: int) -> FileResponse:
        """A finished image, PDF, film or piece of music as its type, with Range: to be shown, not saved."""
        path = manager.finished_file(download_id)
        media_type = preview_type(path.name)
        if media_type is None:
            raise CannotPreview(f"{path.name} cannot be shown in the page; save it instead.")
        return FileResponse(
            path, media_type=media_type, filename=path.name, content_disposition_type="inline", headers=_PREVIEW_HEADERS
        )

    @router.get("/api/files.zip", response_class=StreamingResponse)
    async def archive(ids: str) -> Response:
        """The finished files of ``ids`` (``1-40,42``) as one archive, made while it is sent: stored, not compressed."""
        paths = [manager.finished_file(download_id) for download_id in parse_ranges(ids)]
        stream = await asyncio.to_thread(_archive, paths)
        name = quote(f"idm {utc_now().astimezone():%Y-%m-%d %H.%M}.zip")
        return StreamingResponse(
            stream,
            media_type="application/zip",
            headers={
                "Content-Encoding": "identity",
                "Content-Length": str(len(stream)),
                "Content-Disposition": f"attachment; filename*=utf-8''{name}",
                "X-Content-Type-Options": "nosniff",
            },
        )

    return router


def _archive(paths: Iterable[Path]) -> ZipStream:
    stream = ZipStream(sized=True)
    taken: set[str] = set()
    for path in paths:
        stream.add_path(path, unique_name(path.name, taken), recurse=False)
    return stream


def unique_name(name: str, taken: set[str]) -> str:
    """``name``, or ``name (2)`` where a file system that ignores case would see the same again. Added to ``taken``."""
    path, number, tried = Path(name), 1, name
    while tried.casefold() in taken:
        number += 1
        tried = f"{path.stem} ({number}){path.suffix}"
    taken.add(tried.casefold())
    return tried
