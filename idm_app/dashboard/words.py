"""Every word that the dashboard shows, in each language: ``assets/words/<language>.json``.

A key is a path through the file, ``add.title``. A text has places for values, ``{title}``; whole numbers in it are
grouped as the language does. A text that counts is an object with the plural forms that CLDR gives the language
(English two, Arabic six), chosen by ``count``. Errors are known by their code: English is in :mod:`idm_app.errors`.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from babel import Locale, negotiate_locale
from babel.dates import format_date
from babel.numbers import format_decimal

from idm_app.errors import IdmError
from idm_app.events import EVENTS, filled
from idm_app.model import Event, Failure

_PACKAGE = Path(__file__).parent.parent
ASSETS = _PACKAGE / "assets" if (_PACKAGE / "assets").is_dir() else _PACKAGE.parent / "assets"
"""Inside the package when installed from a wheel, beside it in a checkout."""

LANGUAGES = ("en", "de", "ar")
"""The first is for those who speak none of them."""

_PLURAL_FORMS = {"zero", "one", "two", "few", "many", "other"}

Text = str | dict[str, str]
"""Plain, or one for each plural form."""


class Words:
    """The dashboard's text in one language: ``words("add.title")``, ``words("bar.active", count=3)``."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._locale = Locale.parse(language)
        tree = orjson.loads((ASSETS / "words" / f"{language}.json").read_bytes())
        self.texts: dict[str, Text] = dict(_texts(tree))
        self.in_browser: dict[str, Any] = tree["page"]
        """What the components under ``assets/`` say by themselves."""

    @property
    def name(self) -> str:
        """The language in itself: ``Deutsch``."""
        return self._locale.display_name or self.language

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return self._locale.text_direction

    def __call__(self, key: str, *, count: int = 0, **values: object) -> str:
        text = self.texts[key]
        if isinstance(text, dict):
            text = text.get(self._locale.plural_form(count), text["other"])
            values["count"] = count
        if not values:
            return text
        return text.format(**{name: self._shown(value) for name, value in values.items()})

    def __contains__(self, key: str) -> bool:
        return key in self.texts

    def refusal(self, error: IdmError) -> str:
        """Why something is not done, and what to do instead."""
        return self.known_as("refusal", error.code, self.known_as("failure", error.code, str(error)))

    def failure(self, failure: Failure) -> str:
        """Why a download has failed, and what to do."""
        return self.known_as("failure", failure.code, failure.message)

    def event(self, event: Event) -> str:
        """What has happened to a download."""
        shown = [(name, self._shown(value)) for name, value in event.values]
        return filled(self.known_as("event", event.code, EVENTS.get(event.code, event.code)), shown)

    def known_as(self, group: str, name: str, english: str) -> str:
        """What other parts of the program say in English, by a name that does not change."""
        return str(self.texts.get(f"{group}.{name}", english))

    def day(self, instant: datetime) -> str:
        """``3 May``, in the time zone of this machine; the year where it is another one."""
        local = instant.astimezone()
        if local.year != datetime.now().astimezone().year:
            return format_date(local, "long", locale=self._locale)
        return format_date(local, "d MMMM", locale=self._locale)

    def _shown(self, value: object) -> str:
        if isinstance(value, int):
            return format_decimal(value, locale=self._locale)
        return f"\u2068{value}\u2069" if self.direction == "rtl" else str(value)  # or its words would be reordered


@cache
def words_in(language: str) -> Words:
    """The one :class:`Words` of a language of :data:`LANGUAGES`."""
    return Words(language)


def spoken(chosen: str | None, accept_language: str) -> Words:
    """The words for somebody who has ``chosen`` a language, or else whose browser sends ``Accept-Language``."""
    preferred = [chosen or "", *_by_preference(accept_language)]
    return words_in(negotiate_locale(preferred, LANGUAGES, sep="-") or LANGUAGES[0])


def _by_preference(accept_language: str) -> list[str]:
    """``de-AT,de;q=0.9,en;q=0.8`` → its languages, the dearest first (RFC 9110 §12.5.4)."""
    weighed = []
    for part in accept_language[:1000].split(","):
        language, _, weight = part.partition(";q=")
        try:
            weighed.append((-float(weight or 1), language.strip()))
        except ValueError:
            continue
    return [language for weight, language in sorted(weighed, key=lambda pair: pair[0]) if weight]


def _texts(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, Text]]:
    for name, value in tree.items():
        if isinstance(value, dict) and not value.keys() <= _PLURAL_FORMS:
            yield from _texts(value, f"{path}{name}.")
        else:
            yield path + name, value
