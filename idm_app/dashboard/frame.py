"""The frame of the pages beside the list: a header with the way back, the title, the page's own part."""

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui

from idm_app.dashboard.elements import Connection
from idm_app.dashboard.words import Words

PAGES = {"options": "tune", "about": "health_and_safety", "extension": "extension"}
"""The pages with this frame, each with its icon; their titles are ``page_title.<name>``."""


@contextmanager
def framed(name: str, words: Words) -> Iterator[None]:
    """What is built inside is the page's own part."""
    title = words(f"page_title.{name}")
    ui.context.client.page.title = f"{title} – {words('page.name')}"
    with ui.element("div").classes("sheet-page"):
        with ui.element("header").classes("top"):
            with ui.link(target="./").classes("tool back").props(f'aria-label="{words("frame.back")}"'):
                ui.icon("arrow_forward" if words.direction == "rtl" else "arrow_back")
                ui.label(words("frame.back"))
            Connection()
            with ui.element("nav").props(f'aria-label="{words("frame.pages")}"'):
                for other, icon in PAGES.items():
                    link = ui.link(target=other).classes("tool")
                    if other == name:
                        link.props("aria-current=page")
                    with link:
                        ui.icon(icon)
                        ui.label(words(f"page_title.{other}"))
        with ui.element("main"):
            with ui.element("h1"):
                ui.label(title)
            yield
