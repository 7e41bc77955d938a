"""One dialog for every question of a tab: a sentence and an answer for each thing that can be done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nicegui import ui

from idm_app.dashboard.words import Words


@dataclass(frozen=True, slots=True)
class Answer:
    """A button and what it does."""

    label: str
    do: Callable[[], Awaitable[None]]
    is_destructive: bool = False


class Question:
    """A modal question. Escape and Cancel do nothing."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._dialog = ui.dialog().props(f'transition-duration=120 aria-label="{words("remove.title")}"')
        with self._dialog:
            self._card = ui.card().classes("sheet")

    def ask(self, title: str, text: str, answers: list[Answer]) -> None:
        """Show ``title`` and ``text``, and do what is answered."""
        self._card.clear()
        with self._card:
            ui.label(title).classes("heading")
            ui.label(text).classes("hint")
            with ui.element("div").classes("answers"):
                ui.button(self._words("cancel"), on_click=self._dialog.close).props("flat no-caps color=grey")
                for answer in answers:
                    self._button(answer)
        self._dialog.open()

    def _button(self, answer: Answer) -> None:
        async def click() -> None:
            self._dialog.close()
            await answer.do()

        color = "negative" if answer.is_destructive else "primary"
        ui.button(answer.label, on_click=click, color=color).props("unelevated no-caps")
