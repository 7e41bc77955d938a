"""The catalogue: complete in every language, all of it used, nothing used that it does not hold."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter

import pytest
from babel import Locale

from idm_app import diagnosis, errors
from idm_app.dashboard.about import slug_of
from idm_app.dashboard.words import ASSETS, LANGUAGES, Text, Words, spoken, words_in
from idm_app.errors import FAILURES, Refused, WrongStatus
from idm_app.events import EVENTS
from idm_app.model import Category, Event, Failure, Status

ENGLISH = words_in("en")
SOURCES = sorted((ASSETS.parent / "idm_app" / "dashboard").glob("*.py"))
COMPONENTS = "\n".join(path.read_text() for path in ASSETS.glob("*.js"))
BY_CODE = ("event.", "failure.", "refusal.")
BY_NAME = (*BY_CODE, "part.", "cost.")
"""What other parts of the program say in English."""
translations = pytest.mark.parametrize("words", [words_in(language) for language in LANGUAGES], ids=LANGUAGES)


def forms(text: Text) -> dict[str, str]:
    return text if isinstance(text, dict) else {"other": text}


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def used() -> Iterator[tuple[str, bool]]:
    """Every key that stands in a call of ``words(…)``; with ``True``, only how it begins."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value, False
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                yield str(node.values[0].value), True


def called() -> Iterator[str]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            name = isinstance(node, ast.Call) and (getattr(node.func, "id", None) or getattr(node.func, "attr", None))
            if name in ("words", "_words") and node.args and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


@translations
def test_every_language_says_everything_with_the_same_places_and_its_own_plural_forms(words: Words) -> None:
    ours = {key for key in words.texts if not key.startswith(BY_NAME)}
    assert ours == set(ENGLISH.texts)
    expected_forms = Locale.parse(words.language).plural_form.tags | {"other"}
    for key in ours:
        text, english = words.texts[key], ENGLISH.texts[key]
        assert isinstance(text, dict) == isinstance(english, dict), key
        if isinstance(text, dict):
            assert set(text) == expected_forms, key
        allowed = set.union(*map(places, forms(english).values()))
        for form in forms(text).values():
            assert form.strip(), key
            assert places(form) <= allowed, key
        assert places(forms(text)["other"]) == places(forms(english)["other"]), key


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_error_and_event_is_translated_by_its_code(language: str) -> None:
    texts = words_in(language).texts
    refusals = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Refused)}
    assert {key for key in texts if key.startswith(BY_CODE)} == {
        *(f"event.{code}" for code in EVENTS),
        *(f"failure.{code}" for code in FAILURES),
        *(f"refusal.{code}" for code in refusals),
    }


@pytest.mark.parametrize("language", LANGUAGES[1:])
@pytest.mark.parametrize("code", EVENTS)
def test_an_event_says_the_same_in_every_language(code: str, language: str) -> None:
    values = tuple((name, f"<{name}>") for name in places(EVENTS[code]))
    event = Event(datetime.now(UTC), code, values)
    for words in (ENGLISH, words_in(language)):
        assert all(value in words.event(event) for _, value in values)
    assert ENGLISH.event(event) == event.message
    assert words_in(language).event(event) != event.message


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_event_that_an_older_or_newer_version_has_written_can_be_shown(language: str) -> None:
    now = datetime.now(UTC)
    assert words_in(language).event(Event(now, "of-tomorrow")) == "of-tomorrow"
    assert "…" in words_in(language).event(Event(now, "resumed"))


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_what_a_missing_part_costs_is_translated(language: str, tmp_path: Path) -> None:
    findings = [finding for finding in diagnosis.examine(tmp_path, tmp_path) if finding.cost]
    costs = {key for key in words_in(language).texts if key.startswith("cost.")}
    assert costs == {f"cost.{slug_of(finding)}" for finding in findings}


def test_every_key_that_is_used_exists_and_none_is_left_over() -> None:
    assert set(called()) <= set(ENGLISH.texts)
    exact = {key for key, is_beginning in used() if not is_beginning}
    beginnings = tuple(key for key, is_beginning in used() if is_beginning and "." in key)
    idle = [key for key in ENGLISH.texts if key not in exact and not key.startswith((*beginnings, "page."))]
    assert idle == []


def test_the_components_words_exist_and_none_is_left_over() -> None:
    named = set(re.findall(r"\b(?:words|idmWords)\.(\w+)", COMPONENTS))
    ours = {name for key in ENGLISH.texts if key.startswith("page.") for name in key.split(".")[1:]}
    assert named <= ours
    idle = [name for name in ours if not re.search(rf"\b{name}\b", COMPONENTS)]
    assert idle == []


@translations
def test_every_status_and_category_has_words(words: Words) -> None:
    assert all(f"status.{status}" in words for status in Status)
    assert all(f"category.{category}" in words for category in Category)


@pytest.mark.parametrize(
    ("count", "english", "arabic"),
    [
        (1, "Remove 1 download?", "هل تريد إزالة تنزيل واحد؟"),
        (2, "Remove 2 downloads?", "هل تريد إزالة تنزيلين؟"),
        (3, "Remove 3 downloads?", "هل تريد إزالة 3 تنزيلات؟"),
        (11, "Remove 11 downloads?", "هل تريد إزالة 11 تنزيلًا؟"),
        (100, "Remove 100 downloads?", "هل تريد إزالة 100 تنزيل؟"),
    ],
)
def test_plurals(count: int, english: str, arabic: str) -> None:
    assert ENGLISH("remove.many", count=count) == english
    assert words_in("ar")("remove.many", count=count) == arabic


def test_whole_numbers_are_grouped_and_values_are_only_text() -> None:
    assert words_in("de")("list.page_of", first=1001, last=1040, total=10_000) == "1.001–1.040 von 10.000"
    assert ENGLISH("remove.one", title="{0} {title.__class__}") == "Remove “{0} {title.__class__}”?"


def test_foreign_words_do_not_turn_a_sentence_round() -> None:
    assert words_in("ar")("bar.free", size="10 MB") == "\u206810 MB\u2069 متاحة"


def test_errors_in_the_readers_language_and_english_where_nobody_has_translated() -> None:
    assert words_in("de").failure(Failure("gone", "…", "", False)).startswith("Der Server sagt")
    assert words_in("de").failure(Failure("a-new-code", "Something else.", "", False)) == "Something else."
    assert ENGLISH.failure(Failure("gone", "Exactly this.", "", False)) == "Exactly this."
    assert words_in("ar").refusal(WrongStatus("No.")) == words_in("ar").texts["refusal.wrong-status"]


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "de-AT,de;q=0.9,en;q=0.8", "de"),
        (None, "fr;q=0.9,ar-EG;q=0.5", "ar"),
        (None, "en;q=0.1,de;q=0.2", "de"),
        (None, "de;q=0", "en"),
        (None, "tlh, x;q=nonsense, ;;", "en"),
        ("ar", "de", "ar"),
        ("../../etc/passwd", "de", "de"),
    ],
)
def test_the_language_is_the_chosen_one_else_the_browsers(chosen: str | None, accepted: str, language: str) -> None:
    assert spoken(chosen, accepted).language == language


def test_the_day() -> None:
    this_year = datetime.now().astimezone().replace(month=5, day=3)
    assert ENGLISH.day(this_year) == "3 May"
    assert words_in("de").day(this_year) == "3 Mai"
    assert "2019" in ENGLISH.day(this_year.replace(year=2019))
