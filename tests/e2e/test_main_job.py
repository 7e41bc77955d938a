"""The main job as a person sees it: two tabs and the extension's popup show the same moving bar."""

import hashlib
import re
import time
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, expect

MIB = 1024 * 1024


def row(page: Page, download_id: int) -> Locator:
    return page.locator(f'[data-download-id="{download_id}"]')


def percent(page: Page, download_id: int) -> float | None:
    value = row(page, download_id).get_by_role("progressbar").first.get_attribute("aria-valuenow")
    return None if value is None else float(value)


def save(page: Page, download_id: int) -> Locator:
    named = re.compile("^Save")
    place = row(page, download_id)
    return place.get_by_role("link", name=named).or_(place.get_by_role("button", name=named))


def add_by_dialog(page: Page, text: str) -> None:
    page.get_by_role("button", name="Add URL").first.click()
    field = page.get_by_role("textbox", name="URL", exact=True).last
    field.fill(text)
    page.get_by_role("button", name="Download", exact=True).last.click()


def test_two_tabs_and_the_popup_see_the_same_moving_bar_and_each_can_save(
    server: Any, origin: Any, extension: Any
) -> None:
    context: BrowserContext = extension.context
    first, second = context.new_page(), context.new_page()
    first.goto(server.url)
    second.goto(server.url)
    popup = extension.open_popup()
    add_by_dialog(first, origin.url("/file/film.mp4", size=12 * MIB, seed=4, rate=200_000))
    expect(first.get_by_text(re.compile("Download started #1"))).to_be_visible()
    pages = (first, second, popup)
    for page in pages:
        expect(row(page, 1)).to_have_attribute("data-status", "downloading")
    seen: dict[int, list[float]] = {0: [], 1: [], 2: []}
    end = time.monotonic() + 4
    while time.monotonic() < end:
        for number, page in enumerate(pages):
            if (now := percent(page, 1)) is not None:
                seen[number].append(now)
        if all(seen.values()):
            assert max(s[-1] for s in seen.values()) - min(s[-1] for s in seen.values()) < 25
        time.sleep(0.1)
    for numbers in seen.values():
        assert len(set(numbers)) > 5, numbers
        assert numbers == sorted(numbers)
    for page in pages:
        expect(row(page, 1)).to_have_attribute("data-status", "completed", timeout=30_000)
        expect(save(page, 1)).to_be_visible()
    with first.expect_download() as saved:
        save(first, 1).click()
    content = saved.value.path().read_bytes()
    assert saved.value.suggested_filename == "film.mp4"
    assert hashlib.sha256(content).hexdigest() == origin.sha256(12 * MIB, 4)


def test_the_server_stops_and_comes_back_and_all_say_so_and_go_on(server: Any, origin: Any, extension: Any) -> None:
    page: Page = extension.context.new_page()
    page.goto(server.url)
    popup = extension.open_popup()
    add_by_dialog(page, origin.url("/file/film.mp4", size=20 * MIB, seed=5, rate=300_000))
    pages = (page, popup)
    for shown in pages:
        expect(row(shown, 1)).to_have_attribute("data-status", "downloading")
        expect(row(shown, 1).get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile(r"[1-9]\d"))
    server.kill()
    for shown in pages:
        expect(shown.locator("[data-connection]")).not_to_have_attribute("data-connection", "connected", timeout=15_000)
    origin.reset()
    server.restart()
    for shown in pages:
        expect(shown.locator("[data-connection]")).to_have_attribute("data-connection", "connected", timeout=30_000)
        expect(row(shown, 1)).to_have_attribute("data-status", "completed", timeout=60_000)
    assert origin.stats("/file/film.mp4").bytes_sent < 20 * MIB
    content = (server.download_dir / "film.mp4").read_bytes()
    assert hashlib.sha256(content).hexdigest() == origin.sha256(20 * MIB, 5)


def test_the_popup_sends_an_address_and_says_so_at_once(server: Any, origin: Any, extension: Any) -> None:
    popup = extension.open_popup()
    expect(popup.locator("[data-connection]")).to_have_attribute("data-connection", "connected")
    popup.get_by_role("textbox", name="URL").fill(origin.url("/file/a.zip", size=2 * MIB, rate=200_000))
    popup.get_by_role("button", name="Download", exact=True).click()
    expect(popup.get_by_text(re.compile("Download started #1"))).to_be_visible(timeout=2_000)
    expect(row(popup, 1).get_by_role("button", name="Pause")).to_be_visible()
    row(popup, 1).get_by_role("button", name="Pause").click()
    expect(row(popup, 1)).to_have_attribute("data-status", "paused")
    row(popup, 1).get_by_role("button", name="Resume").click()
    expect(row(popup, 1)).to_have_attribute("data-status", "completed", timeout=30_000)
    expect(save(popup, 1)).to_be_visible()
    popup.get_by_role("textbox", name="URL").fill("ftp://example.org/x")
    popup.get_by_role("button", name="Download", exact=True).click()
    expect(popup.get_by_text(re.compile("http")).first).to_be_visible()


def test_the_context_menu_and_the_shortcut_send(server: Any, origin: Any, extension: Any) -> None:
    link, other = origin.url("/file/a.zip", size=1000), origin.url("/file/b.zip", size=1000)
    dispatch = (
        "url => chrome.contextMenus.onClicked.dispatch({menuItemId: 'link', linkUrl: url, pageUrl: url}, {id: 1})"
    )
    extension.worker.evaluate(dispatch, link)
    wait_for_downloads(server, 1)
    extension.worker.evaluate("url => chrome.commands.onCommand.dispatch('send-tab', {url})", other)
    wait_for_downloads(server, 2)
    assert {download["url"] for download in server.client.get("/list").json()} == {link, other}


def wait_for_downloads(server: Any, count: int) -> None:
    until = time.monotonic() + 10
    while server.client.get("/api/downloads").json()["total"] != count:
        assert time.monotonic() < until
        time.sleep(0.05)
