"""Our looks and words, and how they get into a page."""

from copy import copy

import orjson
from nicegui import app, ui

from idm_app.dashboard.words import ASSETS, Words

_EARLY = "document.documentElement.dataset.theme = localStorage.getItem('theme') ?? 'auto';"
"""Before the first paint, so that a chosen theme does not flash."""

_INSTALLABLE = (
    '<link rel="manifest" href="assets/manifest.webmanifest" crossorigin="use-credentials">'
    '<meta name="theme-color" content="#ffffff" media="(prefers-color-scheme: light)">'
    '<meta name="theme-color" content="#111a2e" media="(prefers-color-scheme: dark)">'
    '<link rel="apple-touch-icon" href="assets/icons/192.png">'
)


def add_theme(*, on_desktop: bool) -> None:
    """Serve the assets; give every page our looks. Once, before the server starts.

    ``on_desktop``: whether who looks at the pages sits at the server's screen, where files can be opened.
    """
    app.add_static_files("/assets", ASSETS)
    css = (ASSETS / "dashboard.css").read_text(encoding="utf-8")
    live = (ASSETS / "live.js").read_text(encoding="utf-8")
    script = f"{_EARLY} window.idmDesktop = {str(on_desktop).lower()};\n{live}"
    ui.add_head_html(f"<script>{script}</script><style>{css}</style>{_INSTALLABLE}", shared=True)
    app.colors(primary="#0f9d8a", positive="#15803d", negative="#dc2626", dark_page="#0b1120", dark="#111a2e")


def speak(words: Words) -> None:
    """Make the page that is being built one in the language of ``words``."""
    client = ui.context.client
    client.page = copy(client.page)  # the route's, shared by all its visitors
    client.page.language = "en-US" if words.language == "en" else words.language  # type: ignore[assignment]
    client.page.title = words("product")
    in_browser = orjson.dumps(words.in_browser).decode().replace("<", "\\u003c")
    locale = f"{words.language}-u-nu-latn"
    ui.add_head_html(
        f"<script>document.documentElement.dir = '{words.direction}'; "
        f"window.idmLocale = '{locale}'; window.idmWords = {in_browser};</script>"
    )
