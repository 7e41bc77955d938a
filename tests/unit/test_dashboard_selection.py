"""Picks as every file manager takes them."""

from idm_app.dashboard.selection import Selection

SHOWN = [50, 40, 30, 20, 10]


def picked(*picks: tuple[int, str]) -> set[int]:
    selection = Selection()
    for download_id, how in picks:
        selection = selection.picked(download_id, how, SHOWN)
    return set(selection.ids)


def test_a_click_selects_one_and_with_ctrl_one_more_or_less() -> None:
    assert picked((40, "only"), (20, "only")) == {20}
    assert picked((40, "only"), (20, "toggle")) == {40, 20}
    assert picked((40, "only"), (20, "toggle"), (40, "toggle")) == {20}


def test_shift_selects_from_the_last_pick_in_either_direction_and_anew() -> None:
    assert picked((40, "only"), (20, "range")) == {40, 30, 20}
    assert picked((40, "only"), (20, "range"), (50, "range")) == {50, 40}
    assert picked((10, "only"), (40, "toggle"), (20, "range")) == {40, 30, 20}


def test_a_range_from_what_is_no_longer_shown_is_a_click() -> None:
    assert picked((20, "range")) == {20}
    assert Selection(frozenset({7}), 7).picked(20, "range", SHOWN).ids == {20}


def test_what_has_gone_is_not_selected() -> None:
    assert Selection(frozenset({50, 7}), 7).within(SHOWN).ids == {50}
