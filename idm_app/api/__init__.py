"""The REST API and the feed: what clients outside the dashboard use."""

from fastapi import APIRouter, FastAPI

from idm_app.api import downloads, problems, server, socket
from idm_app.manager import Manager

__all__ = ["add_api"]


def add_api(app: FastAPI, manager: Manager) -> None:
    """Add every route of the contract to ``app``, and its way of saying no."""
    router = APIRouter()
    for part in (downloads, server, socket):
        router.include_router(part.build(manager))
    app.include_router(router)
    problems.install(app)
