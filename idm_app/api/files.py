"""Files over HTTP: films and music while they come, what is shown in the page, many as one archive.

One to keep: ``downloads.py``.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response, StreamingResponse
from zipstream import ZipStream

from idm_app.api.file_answer import FileAnswer, name_parameters
from idm_app.api.problems import PROBLEMS
from idm_app.errors import CannotPreview, UnknownDownload
from idm_app.growing import GrowingFile
from idm_app.manager import Manager
from idm_app.model import Download, Status
from idm_app.previews import plays_early, preview_type
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


_READ_BYTES = 256 * 1024
_LOOK_SECONDS = 0.25


def build(manager: Manager) -> APIRouter:
    """The routes of files."""
    router = APIRouter(tags=["files"], responses=PROBLEMS)

    @router.get("/api/downloads/{download_id}/preview", response_class=FileResponse)
    async def preview(request: Request, download_id: int) -> Response:
        """An image, PDF, film or piece of music as its type, with Range: to be shown, not saved.

        A film or music that is still being downloaded is sent as it comes.
        """
        download = manager.get(download_id)
        if download.status is not Status.COMPLETED and plays_early(download.filename):
            growing = await asyncio.to_thread(manager.growing_file, download_id)
            return _as_it_comes(manager, download, growing, request)
        path = manager.finished_file(download_id)
        media_type = preview_type(path.name)
        if media_type is None:
            raise CannotPreview(f"{path.name} cannot be shown in the page; save it instead.")
        return FileAnswer(path, "inline", _PREVIEW_HEADERS, media_type)

    @router.get("/api/files.zip", response_class=StreamingResponse)
    async def archive(ids: str) -> Response:
        """The finished files of ``ids`` (``1-40,42``) as one archive, made while it is sent: stored, not compressed."""
        paths = [manager.finished_file(download_id) for download_id in parse_ranges(ids)]
        stream = await asyncio.to_thread(_archive, paths)
        name = f"idm {utc_now().astimezone():%Y-%m-%d %H.%M}.zip"
        return StreamingResponse(
            stream,
            media_type="application/zip",
            headers={
                "Content-Encoding": "identity",
                "Content-Length": str(len(stream)),
                "Content-Disposition": f"attachment; {name_parameters(name)}",
                "X-Content-Type-Options": "nosniff",
            },
        )

    return router


def _as_it_comes(manager: Manager, download: Download, growing: GrowingFile, request: Request) -> Response:
    total, asked = growing.total_bytes, request.headers.get("range")
    wanted = byte_range(asked, total)
    headers = {**_PREVIEW_HEADERS, "Accept-Ranges": "bytes"}
    if wanted is None:
        growing.close()
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{total}"})
    if asked:
        headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{total}"
    if not request.scope.get("wants_body", True):
        wanted = range(0)
    sent = _sent_as_it_comes(manager, download.id, growing, wanted)
    # Without a length, as it may end early.
    return StreamingResponse(sent, 206 if asked else 200, headers, preview_type(download.filename))


async def _sent_as_it_comes(
    manager: Manager, download_id: int, growing: GrowingFile, wanted: range
) -> AsyncIterator[bytes]:
    at = wanted.start
    try:
        while at < wanted.stop and (status := manager.get(download_id).status) is not Status.FAILED:
            most = min(_READ_BYTES, wanted.stop - at)
            arrived = await asyncio.to_thread(growing.read, at, most, is_complete=status is Status.COMPLETED)
            if arrived is None:
                return
            if arrived:
                at += len(arrived)
                yield arrived
            else:
                await asyncio.sleep(_LOOK_SECONDS)
    except UnknownDownload:
        return
    finally:
        growing.close()


def byte_range(asked: str | None, total_bytes: int) -> range | None:
    """``bytes=10-19`` → ``range(10, 20)``; everything unless it is one range; ``None``: there is nothing of it."""
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", asked or "bytes=0-")
    first, last = found.groups() if found else ("0", "")
    start = int(first) if first else max(0, total_bytes - int(last or 0))
    stop = min(total_bytes, int(last) + 1) if first and last else total_bytes
    return range(start, stop) if start < stop else None


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
