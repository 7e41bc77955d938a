"""The page of options: every setting is on it, with the bounds of the API, and each change is the server's."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from nicegui import Client, core, ui
from pydantic import TypeAdapter, ValidationError

from idm_app.api.schemas import SettingsIn
from idm_app.dashboard.options import OPTIONS, Option, OptionsPage
from idm_app.dashboard.words import words_in
from idm_app.errors import InvalidField
from idm_app.manager import Manager
from idm_app.settings import Options, Settings
from idm_app.store import Store

ALL = [option for options in OPTIONS.values() for option in options]


@pytest.fixture
async def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Manager]:
    monkeypatch.setattr(core, "loop", asyncio.get_running_loop())
    options = Options(data_dir=tmp_path / "data", download_dir=tmp_path / "files")
    manager = Manager(options, Store.open(options.data_dir))
    yield manager
    await manager.close()


def test_every_setting_is_on_the_page_once() -> None:
    assert sorted(option.field for option in ALL) == sorted(field.name for field in fields(Settings))


@pytest.mark.parametrize("option", ALL, ids=lambda option: option.field)
def test_the_bounds_are_those_of_the_api(option: Option) -> None:
    api = TypeAdapter(SettingsIn)

    def api_takes(value: Any) -> bool:
        try:
            api.validate_python({option.field: value})
        except ValidationError:
            return False
        return True

    def page_takes(value: Any) -> bool:
        try:
            option.checked(value)
        except InvalidField:
            return False
        return True

    tried: list[Any] = [True, False] if option.kind == "switch" else []
    for bound in (option.least, option.most):
        tried += [] if bound is None else [bound - 1, bound, bound + 1]
    for value in tried:
        assert page_takes(value) == api_takes(value), value
    assert not page_takes("text")
    default = getattr(Settings(), option.field)
    assert option.checked(default) == default


async def test_a_change_takes_effect_and_shows_in_other_tabs(manager: Manager) -> None:
    first, second = Client(ui.page("/nowhere")), Client(ui.page("/nowhere"))
    with first:
        page = OptionsPage(manager, words_in("en"))
    with second:
        other = OptionsPage(manager, words_in("de"))
    with first:
        await page.change("max_active", 7)
    assert manager.settings.max_active == 7
    assert page.props["values"]["max_active"] == 7
    other._look_again()
    assert other.props["values"]["max_active"] == 7
    with first:
        await page.change("max_active", 0)
    assert page.props["problems"] == {"max_active": "Give a whole number from 1 to 32."}
    with first:
        await page.change("bytes_per_second_limit", 0)
    words = "Give a whole number from 1 to 1,000,000,000."
    assert page.props["problems"] == {"bytes_per_second_limit": words}, "in kB/s, as it is typed"
    assert manager.settings.max_active == 7
    first.delete()
    second.delete()
