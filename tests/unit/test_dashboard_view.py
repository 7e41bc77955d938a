"""What a tab's filter, search and page show."""

from typing import Any

from idm_app.dashboard.view import GROUPS, PAGE_SIZE, View, counts, select
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


def test_what_somebody_typed_into_the_address_bar_is_harmless() -> None:
    assert View.of("__class__", "") == View()
    assert View.of("video", "x") == View("video", "x")
    assert len(View.of("all", "x" * 5000).text) == 1000


def test_pages() -> None:
    assert View().moved(2).offset == 2 * PAGE_SIZE
    assert View().moved(-1).offset == 0
