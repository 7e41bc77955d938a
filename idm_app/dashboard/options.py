"""The page of options: every setting of the server, explained; those of this browser below."""

from dataclasses import dataclass
from typing import Any, Literal

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from idm_app.dashboard.words import ASSETS, LANGUAGES, Words, words_in
from idm_app.errors import InvalidField, Refused
from idm_app.manager import Manager

_LOOK_AGAIN_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Option:
    """How one field of :class:`Settings` is asked for. Its words are ``option.<field>`` and ``option_help.<field>``.

    ``rate``: bytes per second, typed as kB/s; nothing typed is no limit.
    """

    field: str
    kind: Literal["number", "rate", "switch"]
    least: int | None = None
    most: int | None = None

    def checked(self, value: object) -> object:
        """What the setting becomes. Raises :class:`InvalidField`."""
        if self.kind == "switch" and isinstance(value, bool):
            return value
        if self.kind == "rate" and value is None:
            return None
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if self.kind == "switch" or not is_whole or not self._is_within(int(str(value))):
            raise InvalidField(self.field, f"{self.field} must be between {self.least} and {self.most}.")
        return value

    def bounds(self) -> dict[str, int]:
        """``least`` and ``most`` as they are typed."""
        factor = 1000 if self.kind == "rate" else 1
        return {"least": (self.least or 0) // factor, "most": (self.most or 0) // factor}

    def _is_within(self, value: int) -> bool:
        return (self.least is None or self.least <= value) and (self.most is None or value <= self.most)


OPTIONS: dict[str, tuple[Option, ...]] = {
    "speed": (
        Option("max_active", "number", 1, 32),
        Option("connections", "number", 1, 32),
        Option("connections_per_host", "number", 1, 256),
        Option("bytes_per_second_limit", "rate", 1000, 10**12),
    ),
    "network": (Option("allow_private_addresses", "switch"),),
}
"""All of them, in groups; the words of a group are ``option_group.<name>``."""


class OptionsPage(Element, component=ASSETS / "options_page.js"):
    """Every option with its value, which is the server's: a change that another tab makes shows at once."""

    def __init__(self, manager: Manager, words: Words) -> None:
        super().__init__()
        self._manager = manager
        self._words = words
        self._by_field = {option.field: option for options in OPTIONS.values() for option in options}
        self._shown: object = None
        self.props["groups"] = [
            {"name": group, "label": words(f"option_group.{group}"), "options": [self._described(o) for o in options]}
            for group, options in OPTIONS.items()
        ]
        self.props["languages"] = {language: words_in(language).name for language in LANGUAGES}
        self.props["language"] = words.language
        self.props["problems"] = {}
        self.on("change", self._change)
        self._look_again()
        ui.timer(_LOOK_AGAIN_SECONDS, self._look_again)

    async def change(self, field: str, value: object) -> None:
        """Set ``field``, or say why not."""
        try:
            await self._manager.change_settings({field: self._by_field[field].checked(value)})
        except InvalidField:
            self.props["problems"] = {field: self._words("options.between", **self._by_field[field].bounds())}
        except Refused as error:
            self.props["problems"] = {field: self._words.refusal(error)}
        else:
            self.props["problems"] = {}
            self._look_again()

    async def _change(self, event: GenericEventArguments) -> None:
        if event.args["field"] in self._by_field:
            await self.change(event.args["field"], event.args["value"])

    def _look_again(self) -> None:
        settings = self._manager.settings
        if settings is not self._shown:
            self._shown = settings
            self.props["values"] = settings.to_record()

    def _described(self, option: Option) -> dict[str, Any]:
        field = option.field
        label, explained = self._words(f"option.{field}"), self._words(f"option_help.{field}")
        bounds = {"least": option.least, "most": option.most}
        return {"field": field, "kind": option.kind, "label": label, "help": explained, **bounds}
