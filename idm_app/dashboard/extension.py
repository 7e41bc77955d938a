"""The browser extension, as it comes with the server: its zip, and a page that says in three steps how to load it."""

import asyncio
import io
import zipfile
from functools import cache

import orjson
from fastapi import Request, Response
from nicegui import app, ui

from idm_app.dashboard.frame import framed
from idm_app.dashboard.own_address import page_address
from idm_app.dashboard.theme import speak
from idm_app.dashboard.words import ASSETS, Words, spoken

FOLDER = ASSETS.parent / "extension"
_ONE_INSTANT = (2026, 1, 1, 0, 0, 0)
"""The same folder gives the same bytes."""
_BOOKMARKLET = "javascript:void open('{server}/?add='+encodeURIComponent(location.href))"
"""Opens the dashboard's form, filled in; nothing is downloaded before somebody presses its button."""


def add_extension_pages() -> None:
    """Register ``/extension`` and ``/extension.zip`` with NiceGUI."""

    @app.get("/extension.zip", include_in_schema=False)
    async def archive() -> Response:
        headers = {"Content-Disposition": f'attachment; filename="idm-extension-{version()}.zip"'}
        return Response(await asyncio.to_thread(zipped), media_type="application/zip", headers=headers)

    @ui.page("/extension", favicon=ASSETS / "icons" / "favicon.svg")
    def page(request: Request) -> None:
        words = spoken(request.cookies.get("language"), request.headers.get("accept-language", ""))
        speak(words)
        _build(words, page_address(request))


def _build(words: Words, server: str) -> None:
    with framed("extension", words), ui.element("div").classes("extension-page"):
        ui.label(words("extension.text")).classes("hint")
        with ui.element("ol"):
            with ui.element("li"):
                ui.label(words("extension.get")).classes("heading")
                ui.link(words("extension.download", version=version()), "extension.zip").classes("fetch")
            for step in ("load", "pin"):
                with ui.element("li"):
                    ui.label(words(f"extension.{step}")).classes("heading")
                    ui.label(words(f"extension.{step}_text"))
        ui.label(words("extension.firefox")).classes("hint")
        with ui.element("h2"):
            ui.label(words("extension.bookmarklet"))
        ui.label(words("extension.bookmarklet_text")).classes("hint")
        ui.link(words("extension.bookmarklet_name"), _BOOKMARKLET.format(server=server)).classes("bookmarklet")


@cache
def version() -> str:
    """The extension's own."""
    return str(orjson.loads((FOLDER / "manifest.json").read_bytes())["version"])


@cache
def zipped() -> bytes:
    """All files of the extension but those for development. Blocking the first time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(FOLDER.rglob("*")):
            if path.is_file() and path.name != "jsconfig.json":
                name = zipfile.ZipInfo(path.relative_to(FOLDER).as_posix(), _ONE_INSTANT)
                name.external_attr = 0o644 << 16
                archive.writestr(name, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
