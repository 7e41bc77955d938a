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


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """A button and what it does with what was typed: nothing, and what is wrong with it, or ``None``."""

    label: str
    do: Callable[[str], Awaitable[str | None]]


class Question:
    """A modal question. Escape and Cancel do nothing."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._dialog = ui.dialog().props("transition-duration=120")
        with self._dialog:
            self._card = ui.card().classes("sheet")

    def ask(self, title: str, text: str, answers: list[Answer]) -> None:
        """Show ``title`` and ``text``, and do what is answered."""
        with self._begun(title, text), ui.element("div").classes("answers"):
            ui.button(self._words("cancel"), on_click=self._dialog.close).props("flat no-caps color=grey")
            for answer in answers:
                self._button(answer)
        self._dialog.open()

    def ask_for_text(self, title: str, text: str, label: str, value: str, answer: TextAnswer) -> None:
        """Show ``title``, ``text`` and a field named ``label``, and do what is answered with what stands in it."""
        with self._begun(title, text):
            field = ui.input(label, value=value).props("outlined autofocus spellcheck=false").classes("wide")

            async def submit() -> None:
                field.error = await answer.do(field.value or "")
                if field.error is None:
                    self._dialog.close()

            field.on("keydown.enter", submit)
            with ui.element("div").classes("answers"):
                ui.button(self._words("cancel"), on_click=self._dialog.close).props("flat no-caps color=grey")
                ui.button(answer.label, on_click=submit).props("unelevated no-caps")
        self._dialog.open()

    def _begun(self, title: str, text: str) -> ui.card:
        self._dialog.props["aria-label"] = title
        self._card.clear()
        with self._card:
            ui.label(title).classes("heading")
            ui.label(text).classes("hint")
        return self._card

    def _button(self, answer: Answer) -> None:
        async def click() -> None:
            self._dialog.close()
            await answer.do()

        color = "negative" if answer.is_destructive else "primary"
        ui.button(answer.label, on_click=click, color=color).props("unelevated no-caps")
