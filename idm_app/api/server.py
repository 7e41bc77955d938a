"""The server itself over HTTP: health, figures, settings."""

from typing import Any

from fastapi import APIRouter

from idm_app import __version__
from idm_app.api.problems import PROBLEMS
from idm_app.api.schemas import HealthOut, SettingsIn, Stats
from idm_app.api.socket import API_VERSION
from idm_app.errors import InvalidField
from idm_app.manager import Manager


def build(manager: Manager) -> APIRouter:
    """The routes of the server."""
    router = APIRouter(tags=["server"], responses=PROBLEMS)

    @router.get("/api/health")
    async def health() -> HealthOut:
        """That the server answers; nothing more."""
        return HealthOut(status="ok", version=__version__, api=API_VERSION)

    @router.get("/api/stats")
    async def stats() -> Stats:
        """Counts by status and category, total rate, free disk, latency percentiles of the feed."""
        return manager.stats()

    @router.get("/api/settings")
    async def settings() -> dict[str, Any]:
        """What the settings page shows."""
        return manager.settings.to_record()

    @router.patch("/api/settings")
    async def change_settings(changes: SettingsIn) -> dict[str, Any]:
        """Change settings; takes effect at once."""
        values = changes.model_dump(exclude_unset=True)
        for field, value in values.items():
            if value is None and field != "bytes_per_second_limit":  # there, null is no limit
                raise InvalidField(field, f"{field} cannot be null.")
        return (await manager.change_settings(values)).to_record()

    return router
