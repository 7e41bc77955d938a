"""The extension looks into pages: what they play, their links; and what goes with what is sent."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import chromium
import pytest
from playwright.sync_api import Page, Playwright, expect

MIB = 1024 * 1024
EVERYWHERE = ("webRequest", "http://*/*", "https://*/*")


def tab_id(page: Page, own: Page) -> int:
    return int(own.evaluate("async url => (await chrome.tabs.query({})).find(tab => tab.url === url).id", page.url))


def popup_over(page: Page, extension: Any, path: str = "popup/popup.html") -> Page:
    """The popup as it would stand over ``page``."""
    own = extension.open("options/options.html")
    popup: Page = extension.open(f"{path}{'&' if '?' in path else '?'}tab={tab_id(page, own)}")
    own.close()
    return popup


@pytest.fixture
def page(extension: Any, origin: Any) -> Page:
    opened: Page = extension.context.new_page()
    film, song = origin.url("/film.mp4", size=40_000, content_type="video/mp4"), origin.url("/song.mp3", size=3000)
    master, variant = origin.url("/hls/master.m3u8"), origin.url("/hls/720/index.m3u8")
    origin.files["/page"] = (
        f"""<!doctype html><title>Films and songs</title><video src="{film}" muted></video>
        <p>Read <a href="{song}">the song</a>, <a href="/docs/paper.pdf">the paper</a>,
        <a href="/docs/paper.pdf#2">page 2</a> or <a href="mailto:a@b.example">write</a>.</p>
        <script>fetch("{master}").then(() => fetch("{variant}")).then(() => fetch("/hls/720/seg-001.ts"))
        .then(() => document.body.dataset.ready = "")</script>""".encode(),
        "text/html; charset=utf-8",
    )
    for path in ("/hls/master.m3u8", "/hls/720/index.m3u8"):
        origin.files[path] = (b"#EXTM3U\n", "application/vnd.apple.mpegurl")
    opened.goto(origin.url("/page"))
    opened.wait_for_selector("[data-ready]", state="attached")
    return opened


def test_a_look_into_the_page_finds_what_it_plays(server: Any, extension: Any, page: Page) -> None:
    popup = popup_over(page, extension)
    expect(popup.locator("#media-heading")).to_have_text("Media in this tab (3)")
    popup.locator("#media-heading").click()
    rows = popup.locator(".media-row")
    expect(rows.filter(has_text="HLS")).to_have_count(1)
    expect(rows.filter(has_text="HLS")).to_contain_text("qualities: 1")
    expect(rows.filter(has_text="film.mp4")).to_contain_text("40.0\u00a0kB")
    popup.get_by_role("button", name="Download song.mp3").click()
    expect(popup.get_by_text("Download started #1")).to_be_visible()
    expect(popup.locator('[data-download-id="1"]')).to_have_attribute("data-status", "completed")
    assert server.client.get("/api/downloads/1").json()["filename"] == "song.mp3"


def test_in_the_panel_media_are_listed_once_however_fast_tabs_change(extension: Any, page: Page) -> None:
    panel = popup_over(page, extension, "popup/popup.html?panel")
    expect(panel.locator(".media-row")).to_have_count(3)
    panel.evaluate("() => Promise.all([1, 2, 3].map(() => chrome.tabs.onActivated.dispatch({tabId: 1, windowId: 1})))")
    panel.wait_for_timeout(1_000)
    expect(panel.locator(".media-row")).to_have_count(3)


def test_the_site_sees_the_browsers_agent_and_the_page(server: Any, extension: Any, page: Page, origin: Any) -> None:
    popup = popup_over(page, extension)
    popup.locator("#media-heading").click()
    popup.get_by_role("button", name="Download song.mp3").click()
    expect(popup.locator('[data-download-id="1"]')).to_have_attribute("data-status", "completed")
    headers = origin.stats("/song.mp3").exchanges[-1].headers
    assert headers["referer"] == page.url
    assert headers["user-agent"] == page.evaluate("() => navigator.userAgent")


def test_the_links_of_a_page_are_chosen_from(server: Any, extension: Any, page: Page) -> None:
    picker = popup_over(page, extension, "picker/picker.html")
    links = picker.locator("#links li")
    expect(links).to_have_count(3)  # the song, the paper once, the film
    picker.get_by_label("Filter by words").fill("paper")
    expect(links).to_have_count(1)
    picker.get_by_label("Filter by words").fill("")
    picker.get_by_label("Kind").select_option("audio")
    expect(links).to_have_count(1)
    picker.get_by_label("Kind").select_option("")
    picker.get_by_label("All", exact=True).check()
    picker.get_by_role("button", name="Download (3)").click()
    expect(picker.locator("#result")).to_have_text("Downloads started: 3")
    assert server.client.get("/api/downloads").json()["total"] == 3


def test_the_links_in_a_selection_are_sent(server: Any, extension: Any, page: Page) -> None:
    page.evaluate("() => getSelection().selectAllChildren(document.querySelector('p'))")
    own = extension.open("options/options.html")
    extension.worker.evaluate(
        "({id, url}) => chrome.contextMenus.onClicked.dispatch("
        "{menuItemId: 'selection', selectionText: 'the song', pageUrl: url}, {id, url, index: 0})",
        {"id": tab_id(page, own), "url": page.url},
    )
    popup = extension.open_popup()
    expect(popup.locator("[data-download-id]")).to_have_count(2)


def test_a_selection_that_begins_with_an_address_sends_only_the_address(
    server: Any, extension: Any, page: Page
) -> None:
    address = "http://127.0.0.1:9/a_(b).zip"
    page.evaluate("text => document.querySelector('p').textContent = text", f"{address}, and more words.")
    page.evaluate("() => getSelection().selectAllChildren(document.querySelector('p'))")
    own = extension.open("options/options.html")
    for tab in (tab_id(page, own), -1):  # in a PDF there is nothing but the text
        extension.worker.evaluate(
            "({id, url, text}) => chrome.contextMenus.onClicked.dispatch("
            "{menuItemId: 'selection', selectionText: text, pageUrl: url}, {id, url, index: 0})",
            {"id": tab, "url": page.url, "text": f"{address}, and more words."},
        )
    popup = extension.open_popup()
    expect(popup.locator("[data-download-id]")).to_have_count(1)
    assert [d["url"] for d in server.client.get("/api/downloads").json()["downloads"]] == [address]


def test_sent_twice_by_accident_is_one_download(server: Any, extension: Any, page: Page) -> None:
    own = extension.open("options/options.html")
    send = "url => chrome.runtime.sendMessage({type: 'submit', submission: {url}})"
    address = "http://127.0.0.1:9/same"
    answers = [own.evaluate(send, address)["text"] for _ in range(3)]
    assert answers == ["Download started #1"] * 3
    assert server.client.get("/api/downloads").json()["total"] == 1


def test_a_link_dropped_on_the_popup_is_sent(server: Any, extension: Any, origin: Any) -> None:
    popup = extension.open_popup()
    popup.evaluate(
        """url => {
            const data = new DataTransfer();
            data.setData('text/uri-list', url);
            document.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        origin.url("/dropped.bin", size=1000),
    )
    expect(popup.get_by_text("Download started #1")).to_be_visible()


@contextmanager
def granted(playwright: Playwright, tmp_path: Path, server: Any, *permissions: str) -> Iterator[chromium.Extension]:
    with chromium.extension(playwright, tmp_path / "profile", server.url, granted=permissions) as extension:
        yield extension


def test_what_a_page_plays_is_counted_while_it_plays(
    server: Any, playwright: Playwright, tmp_path: Path, origin: Any
) -> None:
    origin.files["/list"] = (b"#EXTM3U\n", "application/vnd.apple.mpegurl")
    origin.files["/page"] = (b"<script>fetch('/list').then(() => fetch('/seg-1.ts'))</script>", "text/html")
    with granted(playwright, tmp_path, server, *EVERYWHERE) as extension:
        page = extension.context.new_page()
        page.goto(origin.url("/page"))
        own = extension.open("options/options.html")
        tab = tab_id(page, own)
        chromium.wait_until(own, "async id => await chrome.action.getBadgeText({tabId: id}) === '▶1'", tab)
        expect(own.get_by_label("Find media while pages play it")).to_be_checked()
        page.goto(origin.url("/other.html", size=10, content_type="text/html"))
        chromium.wait_until(own, "async id => await chrome.action.getBadgeText({tabId: id}) === ''", tab)


def test_a_stopped_worker_still_knows_which_tabs_have_a_sign_of_their_own(
    server: Any, playwright: Playwright, tmp_path: Path, origin: Any
) -> None:
    origin.files["/list"] = (b"#EXTM3U\n", "application/vnd.apple.mpegurl")
    origin.files["/page"] = (b"<script>fetch('/list')</script>", "text/html")
    with granted(playwright, tmp_path, server, *EVERYWHERE) as extension:
        page = extension.context.new_page()
        page.goto(origin.url("/page"))
        own = extension.open("options/options.html")
        tab = tab_id(page, own)
        sign = "async ([id, sign]) => new RegExp(sign).test(await chrome.action.getBadgeText({tabId: id}))"
        chromium.wait_until(own, sign, [tab, "^▶1$"])
        session = own.context.new_cdp_session(own)
        session.send("ServiceWorker.enable")
        session.send("ServiceWorker.stopAllWorkers")
        send = "url => chrome.runtime.sendMessage({type: 'submit', submission: {url}})"
        own.evaluate(send, origin.url("/slow.bin", size=MIB, rate=20_000))
        chromium.wait_until(own, sign, [tab, r"^(1|\d+%)$"])


def test_cookies_go_along_for_agreed_sites_only(
    server: Any, playwright: Playwright, tmp_path: Path, origin: Any
) -> None:
    address = origin.url("/member.bin", size=1000, cookie="session=secret")
    with granted(playwright, tmp_path, server, "cookies", "*://127.0.0.1/*") as extension:
        extension.context.add_cookies([{"name": "session", "value": "secret", "url": origin.url("/")}])
        page = extension.context.new_page()
        page.goto(origin.url("/page.html", size=10, content_type="text/html"))
        popup = popup_over(page, extension)
        add_url(popup, address)
        row = popup.locator('[data-download-id="1"]')
        expect(row).to_have_attribute("data-status", "failed")
        expect(row.get_by_role("button", name="Download in browser")).to_be_visible()
        popup.get_by_label("Send my cookies of 127.0.0.1").check()
        chromium.wait_until(
            popup, "async () => (await chrome.storage.local.get('cookieSites')).cookieSites?.length === 1"
        )
        add_url(popup, address + "&second=1")
        expect(popup.locator('[data-download-id="2"]')).to_have_attribute("data-status", "completed")
        options = extension.open("options/options.html")
        options.get_by_role("button", name="Remove 127.0.0.1", exact=True).click()
        expect(options.locator("#sites li")).to_have_count(0)
        add_url(popup, address + "&third=1")
        expect(popup.locator('[data-download-id="3"]')).to_have_attribute("data-status", "failed")


def test_a_site_whose_cookies_the_browser_was_not_allowed_to_give_is_not_agreed_to(extension: Any, page: Page) -> None:
    popup = popup_over(page, extension)
    kept = "async () => (await chrome.storage.local.get('cookieSites')).cookieSites ?? []"
    popup.get_by_label("Send my cookies of 127.0.0.1").click()
    asked = "async () => 'cookies-asked' in await chrome.storage.session.get()"
    chromium.wait_until(popup, asked)
    popup.close()  # as the browser does it, when its question takes the focus
    own = extension.open("options/options.html")
    everywhere = {"permissions": ["webRequest"], "origins": ["http://*/*", "https://*/*"]}
    allow = "added => chrome.permissions.onAdded.dispatch(added)"
    extension.worker.evaluate(allow, everywhere)
    own.wait_for_timeout(500)
    assert own.evaluate(kept) == []
    extension.worker.evaluate(allow, {"permissions": ["cookies"], "origins": ["*://127.0.0.1/*"]})
    chromium.wait_until(own, "async () => (await chrome.storage.local.get('cookieSites')).cookieSites?.length === 1")


def add_url(popup: Page, address: str) -> None:
    popup.get_by_role("textbox", name="URL").fill(address)
    popup.keyboard.press("Enter")


def test_what_ends_while_nobody_looks_is_told(server: Any, playwright: Playwright, tmp_path: Path, origin: Any) -> None:
    with granted(playwright, tmp_path, server, "notifications") as extension:
        own = extension.open("options/options.html")
        own.get_by_label(re.compile("Tell me when")).check()
        chromium.wait_until(own, "async () => (await chrome.storage.local.get('notify')).notify === true")
        send = "url => chrome.runtime.sendMessage({type: 'submit', submission: {url}})"
        own.evaluate(send, origin.url("/slow.bin", size=60_000, rate=60_000))
        chromium.wait_until(own, "async () => 'download-1' in await chrome.notifications.getAll()")
