"""The REST API and the feed: what clients outside the dashboard use."""

from fastapi import APIRouter, FastAPI, HTTPException, Request
from starlette.routing import Match

from idm_app.access import Access
from idm_app.api import diagnostics, downloads, entrance, files, probe, problems, server, socket, transfer
from idm_app.manager import Manager

__all__ = ["add_api"]

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def add_api(app: FastAPI, manager: Manager, access: Access) -> None:
    """Add every route of the contract to ``app``, and its way of saying no."""
    router = APIRouter()
    for part in (diagnostics, downloads, files, probe, server, socket, transfer):
        router.include_router(part.build(manager))
    router.include_router(entrance.build(access))

    @router.api_route("/api/{rest:path}", methods=_METHODS, include_in_schema=False)
    @router.api_route("/download", methods=_METHODS, include_in_schema=False)
    @router.api_route("/list", methods=_METHODS, include_in_schema=False)
    async def nothing_here(request: Request) -> None:
        """Without it the dashboard, which is mounted behind, would answer with a page."""
        known = any(route.matches(request.scope)[0] is Match.PARTIAL for route in router.routes)
        raise HTTPException(405 if known else 404)

    app.include_router(router)
    problems.install(app)
