"""The dashboard: pages for people, made of elements that are bound to one model shared by all tabs."""

from fastapi import Request
from nicegui import app, ui

from idm_app import desktop
from idm_app.access import Access
from idm_app.dashboard.board import Board
from idm_app.dashboard.extension import add_extension_pages
from idm_app.dashboard.tab import Tab
from idm_app.dashboard.theme import add_theme, speak
from idm_app.dashboard.view import View
from idm_app.dashboard.words import ASSETS, spoken
from idm_app.manager import Manager

__all__ = ["build_dashboard"]


def build_dashboard(manager: Manager, access: Access) -> None:
    """Register the dashboard with NiceGUI. Once, before the server starts."""
    board = Board(manager)
    add_theme(on_desktop=desktop.is_shared_with(manager.options))
    app.on_startup(board.start)
    add_extension_pages()

    @ui.page("/", favicon=ASSETS / "icons" / "favicon.svg")
    def page(request: Request) -> None:
        """The query is the view, so that it survives a reload; ``add``: an address to be offered in the form."""
        words = spoken(request.cookies.get("language"), request.headers.get("accept-language", ""))
        speak(words)
        tab = Tab(board, access, View.of(request.query_params), words)
        if offered := request.query_params.get("add"):
            tab.offer(offered)
