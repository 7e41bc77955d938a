"""The REST API and the feed: what clients outside the dashboard use."""

from fastapi import APIRouter, FastAPI, HTTPException, Request
from starlette.routing import Match

from idm_app.access import Access
from idm_app.api import diagnostics, downloads, entrance, files, probe, problems, server, socket, transfer
from idm_app.manager import Manager

__all__ = ["add_api"]

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"]


def add_api(app: FastAPI, manager: Manager, access: Access) -> None:
    """Add every route of the contract to ``app``, and its way of saying no."""
    router = APIRouter()
    for part in (diagnostics, downloads, files, probe, server, socket, transfer):
        router.include_router(part.build(manager))
    router.include_router(entrance.build(access))

    known = list(router.routes)

    @router.api_route("/api/{rest:path}", methods=_METHODS, include_in_schema=False)
    @router.api_route("/download", methods=_METHODS, include_in_schema=False)
    @router.api_route("/list", methods=_METHODS, include_in_schema=False)
    async def nothing_here(request: Request) -> None:
        """Without it the dashboard, which is mounted behind, would answer with a page."""
        scopes = {method: {**request.scope, "method": method} for method in _METHODS}
        allowed = [m for m, scope in scopes.items() if any(route.matches(scope)[0] is Match.FULL for route in known)]
        raise HTTPException(405, headers={"Allow": ", ".join(allowed)}) if allowed else HTTPException(404)

    app.include_router(router)
    problems.install(app)
