"""Where our stylesheet, icons and components are, and how they get into a page."""

from pathlib import Path

import orjson
from nicegui import app, ui

from idm_app.dashboard import words

_PACKAGE = Path(__file__).parent.parent
ASSETS = _PACKAGE / "assets" if (_PACKAGE / "assets").is_dir() else _PACKAGE.parent / "assets"
"""Inside the package when installed from a wheel, beside it in a checkout."""

_EARLY = "document.documentElement.dataset.theme = localStorage.getItem('theme') ?? 'auto';"
"""Before the first paint, so that a chosen theme does not flash."""


def add_theme(*, on_desktop: bool) -> None:
    """Serve the assets; give every page our looks and words. Once, before the server starts.

    ``on_desktop``: whether who looks at the pages sits at the server's screen, where files can be opened.
    """
    app.add_static_files("/assets", ASSETS)
    words_in_browser = orjson.dumps(words.IN_BROWSER).decode().replace("<", "\\u003c")
    css = (ASSETS / "dashboard.css").read_text(encoding="utf-8")
    script = f"{_EARLY} window.idmWords = {words_in_browser}; window.idmDesktop = {str(on_desktop).lower()};"
    ui.add_head_html(f"<script>{script}</script><style>{css}</style>", shared=True)
    app.colors(primary="#0f9d8a", positive="#15803d", negative="#dc2626", dark_page="#0b1120", dark="#111a2e")
