"""The dashboard: pages for people, made of elements that are bound to one model shared by all tabs."""

from fastapi import Request
from nicegui import app, ui

from idm_app import desktop
from idm_app.access import Access
from idm_app.dashboard.about import show_health
from idm_app.dashboard.addresses import shared_addresses
from idm_app.dashboard.board import Board
from idm_app.dashboard.extension import add_extension_pages
from idm_app.dashboard.frame import framed
from idm_app.dashboard.options import OptionsPage
from idm_app.dashboard.own_address import page_address
from idm_app.dashboard.tab import Tab
from idm_app.dashboard.theme import add_theme, speak
from idm_app.dashboard.view import View
from idm_app.dashboard.words import ASSETS, Words, spoken
from idm_app.manager import Manager

__all__ = ["build_dashboard"]

_ICON = ASSETS / "icons" / "favicon.svg"


def build_dashboard(manager: Manager, access: Access) -> None:
    """Register the dashboard with NiceGUI. Once, before the server starts."""
    board = Board(manager)
    add_theme(on_desktop=desktop.is_shared_with(manager.options))
    app.on_startup(board.start)
    add_extension_pages()

    @ui.page("/", favicon=_ICON)
    def page(request: Request) -> None:
        """The query holds what is shown, so that it survives a reload, or what a phone has shared."""
        shared = shared_addresses(request.query_params)
        opened = request.query_params.get("open", "")
        number = int(opened) if opened.isascii() and opened.isdigit() and len(opened) < 16 else None
        view, words = View.of(request.query_params), _words_for(request)
        Tab(board, access, view, words, page_address(request), shared, number)

    @ui.page("/options", favicon=_ICON)
    def options(request: Request) -> None:
        words = _words_for(request)
        with framed("options", words):
            OptionsPage(manager, words)

    @ui.page("/about", favicon=_ICON, response_timeout=30)
    async def about(request: Request) -> None:
        words = _words_for(request)
        with framed("about", words):
            await show_health(manager, words)


def _words_for(request: Request) -> Words:
    words = spoken(request.cookies.get("language"), request.headers.get("accept-language", ""))
    speak(words)
    return words
