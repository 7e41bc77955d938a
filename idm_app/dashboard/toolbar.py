"""IDM's toolbar: what to do with everything, and with what is selected."""

from collections.abc import Callable

from nicegui import ui

from idm_app.dashboard import words
from idm_app.dashboard.actions import Actions


class Toolbar:
    """Its buttons for the selection can be pressed only while there is one."""

    def __init__(self, actions: Actions, on_add: Callable[[], None], selected: Callable[[], set[int]]) -> None:
        with ui.element("div").classes("tools").props("role=toolbar"):
            ui.button(words.ADD_URL, icon="add", on_click=on_add).props("unelevated no-caps")
            with ui.element("div").classes("group on-selection") as self._group:
                self._on_selection = [
                    _tool("play_arrow", words.RESUME_SELECTED, lambda: actions.on_many("resume", selected())),
                    _tool("pause", words.STOP_SELECTED, lambda: actions.on_many("pause", selected())),
                    _tool("delete_outline", words.DELETE_SELECTED, lambda: actions.remove_many(selected())),
                ]
            with ui.element("div").classes("group"):
                _tool("playlist_play", words.START_ALL, lambda: actions.on_many("resume", None))
                _tool("stop_circle", words.STOP_ALL, lambda: actions.on_many("pause", None))
                _tool("delete_sweep", words.DELETE_COMPLETED, actions.remove_completed)
        self.show_selection(0)

    def show_selection(self, count: int) -> None:
        """Tell how many downloads are selected."""
        self._group.classes(add="some" if count else "", remove="" if count else "some")
        for button in self._on_selection:
            button.set_enabled(count > 0)
            # A button that can do nothing now is not worth reading out, and must not be taken for a row's.
            button.props.set_optional("aria-hidden", None if count else "true")


def _tool(icon: str, label: str, on_click: Callable[[], object]) -> ui.button:
    return ui.button(label, icon=icon, on_click=on_click).props("flat no-caps").classes("tool")
