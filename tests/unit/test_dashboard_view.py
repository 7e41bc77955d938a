"""What a tab's filter, search and page show."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from idm_app.dashboard.view import DAYS, GROUPS, PAGE_SIZE, SORTS, View, counts, select
from idm_app.model import Category, Download, Request, Status
from idm_app.units import utc_now


def download(number: int, status: Status = Status.COMPLETED, **fields: Any) -> Download:
    request = Request(fields.pop("url", f"https://example.org/{number}.bin"))
    return Download(id=number, request=request, created_at=utc_now(), status=status, **fields)


def shown(view: View, *downloads: Download) -> list[int]:
    return select(sorted(downloads, key=lambda one: -one.id), view)


def test_running_first_then_what_will_go_on_then_the_history_each_newest_first() -> None:
    order = shown(
        View(),
        download(1, Status.DOWNLOADING),
        download(2, Status.PROCESSING),
        download(3, Status.QUEUED),
        download(4, Status.PAUSED),
        download(5, Status.COMPLETED),
        download(6, Status.FAILED),
        download(7, Status.PROBING),
    )
    assert order == [7, 2, 1, 4, 3, 6, 5]


def test_every_filter_shows_as_many_as_its_count_says() -> None:
    statuses, categories = list(Status), list(Category)
    downloads = [download(n, statuses[n % 7], category=categories[n % 6]) for n in range(1, 100)]
    by_status = {status.value: sum(d.status is status for d in downloads) for status in Status}
    by_category = {category.value: sum(d.category is category for d in downloads) for category in Category}
    said = counts(by_status, by_category)
    assert set(said) == {*GROUPS, *Category}
    for show, count in said.items():
        assert len(shown(View(show), *downloads)) == count > 0, show


def test_search_finds_every_word_in_name_or_address() -> None:
    film = download(1, title="Größe XL", url="https://videos.example.org/watch?v=1")
    other = download(2, filename="notes.pdf")
    assert shown(View(text="grösse"), film, other) == [1]
    assert shown(View(text="XL videos"), film, other) == [1]
    assert shown(View(text="xl notes"), film, other) == []
    assert shown(View("failed", text="notes"), film, other) == []
    assert shown(View(text="#2"), film, other) == [2]


def test_what_somebody_typed_into_the_address_bar_is_harmless() -> None:
    assert View.of({"show": "__class__", "sort": "id;drop", "status": "x", "day": "never"}) == View()
    assert len(View.of({"q": "x" * 5000}).text) == 1000


@pytest.mark.parametrize("view", [View(), View("video", "a b&c=ü", 0, "-size", "paused", "week"), View("failed")])
def test_the_address_of_the_page_says_the_whole_view(view: View) -> None:
    assert View.of(dict(parse_qsl(view.query))) == view


def test_sorting_by_every_column_both_ways_and_what_is_unknown_comes_last() -> None:
    downloads = [
        download(1, title="b", total_bytes=5, bytes_per_second=1.0, url="https://z.example/"),
        download(2, title="a", total_bytes=9, eta_seconds=3.0, url="https://y.example/"),
        download(3, title="C", bytes_per_second=7.0, eta_seconds=1.0, url="https://x.example/"),
    ]
    expected = {
        "name": ([2, 1, 3], [3, 1, 2]),
        "size": ([1, 2, 3], [2, 1, 3]),
        "rate": ([1, 3, 2], [3, 1, 2]),
        "eta": ([3, 2, 1], [2, 3, 1]),
        "added": ([1, 2, 3], [3, 2, 1]),
        "site": ([3, 2, 1], [1, 2, 3]),
    }
    assert {*expected, "status"} == set(SORTS)
    for column, (up, down) in expected.items():
        assert shown(View(sort=column), *downloads) == up, column
        assert shown(View(sort=f"-{column}"), *downloads) == down, column


def test_a_press_on_a_columns_head_goes_up_down_and_back() -> None:
    view = View(offset=80)
    assert [(view := view.sorted_by("size")).sort for _ in range(4)] == ["size", "-size", "", "size"]
    assert view.offset == 0
    assert view.sorted_by("name").sort == "name"
    assert view.sorted_by("no such column").sort == ""


def test_status_and_day_narrow_any_filter_further() -> None:
    midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    ages = {
        1: midnight,
        2: midnight - timedelta(hours=1),
        3: midnight - timedelta(days=5),
        4: midnight - timedelta(days=20),
    }
    downloads = [replace(download(n), created_at=at, category=Category.VIDEO) for n, at in ages.items()]
    found = {day: shown(View("video", day=day), *downloads) for day in DAYS}
    assert {day: sorted(ids) for day, ids in found.items()} == {
        "today": [1], "yesterday": [2], "week": [1, 2, 3], "month": [1, 2, 3, 4],
    }  # fmt: skip
    assert shown(View("video", status="failed"), *downloads) == []
    assert shown(View("failed", status="completed"), *downloads) == []


def test_pages() -> None:
    assert View().moved(2).offset == 2 * PAGE_SIZE
    assert View().moved(-1).offset == 0
    assert View(offset=80).within(81).offset == 80
    assert View(offset=80).within(80).offset == 40
    assert View(offset=80).within(0).offset == 0


@pytest.mark.parametrize("page", ["", "0", "-1", "1", "x", "²", "9" * 10])
def test_what_is_no_later_page_is_the_first(page: str) -> None:
    assert View.of({"page": page}).offset == 0
