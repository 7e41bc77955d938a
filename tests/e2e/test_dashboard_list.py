"""The list and the details of one download, in a real browser: picks, keys, menu, order, strip, limit, player, zip."""

import io
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

MIB = 1024 * 1024


@pytest.fixture
def page(browser: Browser, server: Any) -> Iterator[Page]:
    """A wide window, ready. Nothing may be said on the console."""
    context = browser.new_context(viewport={"width": 1500, "height": 900})
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    open_page(page, server)
    yield page
    context.close()
    assert said == []


def open_page(page: Page, server: Any, query: str = "") -> None:
    page.goto(server.url + query)
    expect(page.locator("[data-connection=connected]")).to_be_visible()


def row(page: Page, download_id: int) -> Locator:
    return page.locator(f'.download[data-download-id="{download_id}"]')


def expect_shown(page: Page, *ids: int) -> None:
    for place, download_id in enumerate(ids):
        expect(page.locator(".download").nth(place)).to_have_attribute("data-download-id", str(download_id))
    expect(page.locator(".download")).to_have_count(len(ids))


def expect_selected(page: Page, *ids: int) -> None:
    expect(page.locator(".download.selected")).to_have_count(len(ids))
    for download_id in ids:
        expect(row(page, download_id)).to_have_class(re.compile("selected"))


def add(server: Any, *urls: str, **fields: Any) -> None:
    server.client.post("/api/downloads", json={"urls": urls, **fields}).raise_for_status()


def add_paused(server: Any, count: int) -> None:
    add(server, *(f"https://example.org/{number:03}.zip" for number in range(1, count + 1)), start=False)


def finish(page: Page, server: Any, *urls: str) -> None:
    add(server, *urls)
    for download_id in range(1, len(urls) + 1):
        expect(row(page, download_id)).to_have_attribute("data-status", "completed", timeout=15_000)


def wait_until(server: Any, is_so: Callable[[Any], bool]) -> None:
    """Of the first download."""
    deadline = time.monotonic() + 30
    while not is_so(server.client.get("/api/downloads/1").json()):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def choose(page: Page, download_id: int, action: str) -> None:
    row(page, download_id).click(button="right")
    page.get_by_role("menuitem", name=action, exact=True).click()


def test_picks_are_those_of_a_file_manager(page: Page, server: Any) -> None:
    add_paused(server, 60)
    row(page, 60).click()
    row(page, 57).click(modifiers=["Shift"])
    expect_selected(page, 60, 59, 58, 57)
    row(page, 58).click(modifiers=["Control"])
    expect_selected(page, 60, 59, 57)
    row(page, 55).click()
    expect_selected(page, 55)
    page.keyboard.press("Control+a")
    expect(page.locator(".download.selected")).to_have_count(40)
    page.get_by_role("button", name="Older").click()
    expect(page.locator(".download.selected")).to_have_count(20)
    page.keyboard.press("Escape")
    expect_selected(page)


def test_everything_with_the_keyboard_alone(page: Page, server: Any) -> None:
    add_paused(server, 45)
    expect(row(page, 45)).to_be_visible()
    row(page, 45).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect_selected(page, 44, 43)
    page.keyboard.press("Control+ArrowDown")
    page.keyboard.press("Space")
    expect_selected(page, 44, 43, 42)
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.keyboard.press("Control+a")
    expect(page.get_by_text("45 selected")).to_be_visible()
    page.keyboard.press("End")
    expect_selected(page, 6)
    page.keyboard.press("ArrowDown")
    expect(row(page, 5)).to_be_focused()
    expect_selected(page, 5)
    page.keyboard.press("Enter")
    expect(page.locator(".details")).to_have_attribute("data-download-id", "5")
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".details")).to_have_count(0)
    expect(row(page, 5)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect_selected(page, 4)
    page.keyboard.press("Delete")
    expect(row(page, 4)).to_have_count(0)
    page.keyboard.press("Shift+?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Select all")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)


def test_the_focus_stays_in_the_list_when_its_row_moves_changes_or_goes(page: Page, server: Any) -> None:
    add_paused(server, 4)
    page.get_by_role("button", name="Name", exact=True).click()
    expect_shown(page, 1, 2, 3, 4)
    row(page, 1).focus()
    server.client.patch("/api/downloads/1", json={"title": "zzz"}).raise_for_status()
    server.client.post("/api/downloads", json={"url": "https://example.org/0.zip", "start": False}).raise_for_status()
    expect_shown(page, 5, 2, 3, 4, 1)
    expect(row(page, 1)).to_be_focused()
    row(page, 3).focus()
    page.keyboard.press("Delete")
    expect_shown(page, 5, 2, 4, 1)
    expect(row(page, 4)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(row(page, 2)).to_be_focused()
    server.client.post("/api/downloads", json={"url": "https://example.org/9.zip", "start_at": "2099-01-01T00:00:00Z"})
    row(page, 6).get_by_role("button", name="Pause").press("Enter")
    expect(row(page, 6)).to_have_attribute("data-status", "paused")
    expect(row(page, 6).get_by_role("button", name="Resume")).to_be_focused()


def test_another_page_begins_at_its_top_and_is_shown_again_by_a_reload(page: Page, server: Any) -> None:
    add_paused(server, 90)
    older = page.get_by_role("button", name="Older")
    older.scroll_into_view_if_needed()
    older.click()
    expect(page.get_by_text("41–80 of 90")).to_be_visible()
    expect(row(page, 50)).to_be_in_viewport()
    page.reload()
    expect(page.get_by_text("41–80 of 90")).to_be_visible()


def test_the_list_is_sorted_by_its_heads_and_narrowed_and_a_reload_shows_the_same(page: Page, server: Any) -> None:
    add(server, "https://b.example/b.zip", "https://c.example/c.zip", "https://a.example/a.zip", start=False)
    expect_shown(page, 3, 2, 1)
    head = page.locator(".columns").get_by_role("button", name="Name")
    head.click()
    expect_shown(page, 3, 1, 2)
    head.click()
    expect_shown(page, 2, 1, 3)
    page.get_by_role("combobox", name="Status").select_option("paused")
    page.get_by_role("combobox", name="Added").select_option("today")
    expect_shown(page, 2, 1, 3)
    page.reload()
    expect_shown(page, 2, 1, 3)
    expect(page.get_by_role("combobox", name="Status")).to_have_value("paused")
    page.get_by_role("combobox", name="Status").select_option("failed")
    expect(page.get_by_text("Nothing fits this filter.")).to_be_visible()


def test_what_is_typed_into_the_search_stays_while_the_list_moves(page: Page, server: Any, origin: Any) -> None:
    add(
        server,
        origin.url("/film.bin", size=60 * MIB, rate=100_000),
        origin.url("/song.bin", size=60 * MIB, rate=100_000),
    )
    expect(page.locator(".download[data-status=downloading]")).to_have_count(2)
    search = page.get_by_role("searchbox")
    search.press_sequentially("film", delay=150)
    expect_shown(page, 1)
    add_paused(server, 1)  # the page is rendered anew
    expect(page.get_by_role("button", name="All 3")).to_be_visible()
    expect(search).to_have_value("film")
    search.fill("")
    expect(page.locator(".download")).to_have_count(3)
    expect(page).not_to_have_url(re.compile("q="))


def test_columns_are_chosen_and_kept_in_this_browser(page: Page, server: Any) -> None:
    add_paused(server, 1)
    site = row(page, 1).locator(".site")
    expect(site).to_be_hidden()
    page.locator(".columns-menu summary").click()
    page.get_by_role("checkbox", name="Site").check()
    page.locator(".columns-menu").get_by_text("Transfer rate", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("checkbox", name="Site")).to_be_hidden()
    expect(site).to_have_text("example.org")
    page.reload()
    expect(site).to_be_visible()
    expect(row(page, 1).locator(".rate")).to_be_hidden()


def test_the_menu_moves_in_the_queue_refreshes_an_address_and_downloads_again(
    page: Page, server: Any, origin: Any
) -> None:
    server.client.patch("/api/settings", json={"max_active": 1}).raise_for_status()
    slow, good = origin.url("/file/slow.bin", size=8 * MIB, rate=20_000), origin.url("/file/good.bin", size=1000)
    add(server, slow, f"{good}&n=2", f"{good}&n=3")
    expect(row(page, 1)).to_have_attribute("data-status", "downloading")
    choose(page, 3, "Move up in the queue")
    expect(page.get_by_text("Starts before “good.bin” now")).to_be_visible()
    positions = {one["id"]: one["position"] for one in server.client.get("/list").json()}
    assert positions[3] < positions[2]
    choose(page, 1, "Pause")
    for download_id in (2, 3):
        expect(row(page, download_id)).to_have_attribute("data-status", "completed", timeout=15_000)
    add(server, origin.url("/file/expired.bin", status=404))
    expect(row(page, 4)).to_have_attribute("data-status", "failed", timeout=15_000)
    choose(page, 4, "Refresh address…")
    page.get_by_role("dialog").get_by_label("URL").fill(good)
    page.get_by_role("button", name="Use this address").click()
    expect(row(page, 4)).to_have_attribute("data-status", "completed", timeout=15_000)
    choose(page, 4, "Download again")
    expect(row(page, 5)).to_have_attribute("data-status", "completed", timeout=15_000)


def test_the_details_follow_each_connection_and_a_limit_takes_effect_at_once(
    page: Page, server: Any, origin: Any
) -> None:
    add(server, origin.url("/file/film.mp4", size=60 * MIB, rate=400_000), connections=4)
    row(page, 1).dblclick()
    details = page.locator(".details")
    expect(details.locator("tbody tr")).to_have_count(4, timeout=15_000)
    expect(details.locator("tbody")).to_contain_text("receiving")
    painted = """strip => {
        const {data} = strip.getContext("2d").getImageData(0, 0, strip.width, 1);
        return new Set(new Uint32Array(data.buffer)).size;
    }"""
    assert details.locator("canvas").evaluate(painted) >= 3  # what is there, the starts, what is to come
    expect(details.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile("."))
    details.get_by_role("slider", name="Rate limit").fill("10")
    expect(details.locator("output")).to_have_text(re.compile("kB/s"))
    wait_until(server, lambda download: download["bytes_per_second"] < 100_000)
    page.reload()
    expect(details).to_have_attribute("data-download-id", "1")
    details.get_by_role("button", name="Pause").click()
    expect(details).to_have_attribute("data-status", "paused")
    details.get_by_role("button", name="Resume").click()
    expect(details.locator(".events")).to_contain_text("Resumed from")
    server.client.delete("/api/downloads/1").raise_for_status()
    expect(details).to_have_count(0)


def test_a_file_comes_to_the_device_that_waits_for_it(page: Page, server: Any, origin: Any) -> None:
    other = page.context.new_page()
    open_page(other, server)
    fetched_by_other: list[object] = []
    other.on("download", lambda fetched: fetched_by_other.append(fetched))
    add(server, origin.url("/file/wanted.bin", size=2 * MIB, rate=500_000), connections=1)
    row(page, 1).dblclick()
    page.get_by_role("checkbox", name="Save to this device when done").check()
    with page.expect_download(timeout=30_000) as saved:
        pass
    assert saved.value.suggested_filename == "wanted.bin"
    assert saved.value.path().stat().st_size == 2 * MIB
    assert fetched_by_other == []


def test_several_finished_files_are_saved_as_one_zip(page: Page, server: Any, origin: Any) -> None:
    finish(page, server, *(origin.url(f"/file/größe {n}.bin", size=1000 + n, seed=n) for n in (1, 2, 3)))
    row(page, 3).click()
    row(page, 1).click(modifiers=["Shift"])
    expect_selected(page, 3, 2, 1)
    with page.expect_download() as saved:
        choose(page, 2, "Save as one zip")
    with zipfile.ZipFile(io.BytesIO(saved.value.path().read_bytes())) as archive:
        assert sorted(archive.namelist()) == ["größe 1.bin", "größe 2.bin", "größe 3.bin"]
        assert archive.testzip() is None


def test_a_film_plays_in_the_page_from_any_place(page: Page, server: Any, media_site: Any) -> None:
    add(server, media_site.page(title="A film"))
    expect(row(page, 1)).to_have_attribute("data-status", "completed", timeout=30_000)
    choose(page, 1, "Play or view")
    film = page.locator(".details video")
    expect(film).to_be_visible()
    film.evaluate("film => { film.pause(); film.currentTime = film.duration / 2; }")
    page.wait_for_function(
        "() => { const f = document.querySelector('video'); return f.readyState > 1 && f.currentTime > 0; }"
    )


def test_a_film_plays_as_far_as_it_is_there_and_on_when_it_is_finished(
    page: Page, server: Any, media_site: Any
) -> None:
    add(server, media_site.film(6_000_000, burst=1_200_000, rate=150_000), connections=2)
    wait_until(server, lambda download: download["segments"] and download["segments"][0][2] > 1_000_000)
    server.client.post("/api/downloads/1/pause").raise_for_status()
    choose(page, 1, "Play or view")
    page.wait_for_function("() => document.querySelector('.details video')?.currentTime > 0.5")
    expect(row(page, 1)).to_have_attribute("data-status", "paused")
    server.client.post("/api/downloads/1/resume").raise_for_status()
    expect(row(page, 1)).to_have_attribute("data-status", "completed", timeout=30_000)
    page.evaluate("() => { const film = document.querySelector('video'); film.currentTime = 0.1; film.play(); }")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    assert page.evaluate("document.querySelector('video').error") is None


def test_on_a_phone_a_tap_opens_a_page_and_back_closes_it(browser: Browser, server: Any) -> None:
    add_paused(server, 2)
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page = context.new_page()
    open_page(page, server)
    row(page, 2).locator(".title").tap()
    details = page.locator(".details")
    expect(details).to_be_visible()
    box = details.bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, 360)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.go_back()
    expect(details).to_have_count(0)
    expect(row(page, 2)).to_be_visible()
    context.close()


def test_the_bar_measures_the_way_there_and_back(page: Page) -> None:
    expect(page.locator(".status-bar .latency")).to_have_text(re.compile(r"^\d+ ms$"))
