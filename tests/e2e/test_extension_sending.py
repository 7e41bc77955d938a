"""What is sent from the extension arrives once, and whoever sends sees at once what came of it."""

import os
import signal
from collections.abc import Callable
from typing import Any

import chromium
from playwright.sync_api import Page, expect

SUBMIT = "url => chrome.runtime.sendMessage({type: 'submit', submission: {url}})"
ADDRESS = "http://127.0.0.1:9/same"


def send(own: Page, address: str = ADDRESS) -> str:
    return str(own.evaluate(SUBMIT, address)["text"])


def row(popup: Page, download_id: int) -> Any:
    return popup.locator(f'[data-download-id="{download_id}"]')


def stop_worker(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("ServiceWorker.enable")
    session.send("ServiceWorker.stopAllWorkers")
    session.detach()


def test_the_same_address_goes_to_each_server_it_is_sent_to(
    server: Any, extension: Any, server_factory: Callable[..., Any]
) -> None:
    other = server_factory()
    own = extension.open("options/options.html")
    assert send(own) == "Download started #1"
    own.evaluate("server => chrome.storage.local.set({server})", other.url)
    assert send(own) == "Download started #1"
    assert other.client.get("/api/downloads").json()["total"] == 1


def test_what_was_removed_elsewhere_can_be_sent_again_at_once(server: Any, extension: Any) -> None:
    popup = extension.open_popup()
    assert send(popup) == "Download started #1"
    expect(row(popup, 1)).to_be_visible()
    server.client.delete("/api/downloads/1")
    expect(row(popup, 1)).to_have_count(0)
    assert send(popup) == "Download started #2"


def test_a_worker_that_ends_before_the_answer_is_said(server: Any, extension: Any) -> None:
    popup = extension.open_popup()
    expect(popup.get_by_role("status")).to_have_attribute("data-connection", "connected")
    os.kill(server.pid, signal.SIGSTOP)
    try:
        popup.get_by_role("textbox", name="URL").fill(ADDRESS)
        popup.keyboard.press("Enter")
        expect(popup.get_by_role("button", name="Download", exact=True)).to_be_disabled()
        stop_worker(popup)
        expect(popup.locator("#toast")).to_contain_text("before an answer came")
        expect(popup.get_by_role("button", name="Download", exact=True)).to_be_enabled()
    finally:
        os.kill(server.pid, signal.SIGCONT)


def test_a_host_that_the_browser_does_not_allow_is_said(server: Any, extension: Any) -> None:
    popup = extension.open_popup()
    popup.evaluate("server => chrome.storage.local.set({server})", server.url.replace("127.0.0.1", "127.0.0.2"))
    expect(popup.get_by_text("The browser does not let this extension talk to")).to_be_visible()
    expect(popup.get_by_role("button", name="Allow", exact=True)).to_be_visible()


def choose(extension: Any, clicked: dict[str, Any], tab: dict[str, Any] | None = None) -> None:
    """An entry of the context menu."""
    extension.worker.evaluate(
        "([clicked, tab]) => chrome.contextMenus.onClicked.dispatch(clicked, tab)", [clicked, tab or {"id": -1}]
    )


def total(server: Any) -> int:
    return int(server.client.get("/api/downloads").json()["total"])


def test_what_is_sent_while_the_server_is_away_waits_for_it(server: Any, extension: Any) -> None:
    server.stop()
    choose(extension, {"menuItemId": "link", "linkUrl": ADDRESS, "pageUrl": "http://127.0.0.1:9/page"})
    own = extension.open("options/options.html")
    chromium.wait_until(own, "async () => await chrome.action.getBadgeText({}) === '!'")
    stop_worker(own)
    popup = extension.open_popup()
    expect(popup.locator("#toast")).to_contain_text("It is kept here")
    popup.locator("#toast-dismiss").click()
    popup.get_by_role("textbox", name="URL").fill(ADDRESS + "-2")
    popup.keyboard.press("Enter")
    expect(popup.get_by_role("textbox", name="URL")).to_have_value("")
    popup.get_by_text("Waiting for the server (2)").click()
    expect(popup.locator("#waiting-rows")).to_contain_text(ADDRESS + "-2")
    server.start()
    expect(popup.get_by_text("Downloads started: 2")).to_be_visible()
    expect(popup.locator("#waiting")).to_be_hidden()
    listed = server.client.get("/api/downloads").json()["downloads"]
    assert [download["url"] for download in listed] == [ADDRESS + "-2", ADDRESS]


def test_what_waits_is_sent_though_nobody_looks(server: Any, extension: Any) -> None:
    own = extension.open("options/options.html")
    server.stop()
    choose(extension, {"menuItemId": "link", "linkUrl": ADDRESS, "pageUrl": "http://127.0.0.1:9/page"})
    waits = "async () => (await chrome.storage.local.get('outbox')).outbox?.length"
    chromium.wait_until(own, f"{waits} === 1")
    server.start()
    extension.worker.evaluate("() => chrome.alarms.onAlarm.dispatch({name: 'look-in'})")  # once a minute
    chromium.wait_until(own, f"{waits} === 0")
    assert total(server) == 1


def test_what_waits_can_be_discarded(server: Any, extension: Any) -> None:
    server.stop()
    popup = extension.open_popup()
    expect(popup.get_by_role("status")).to_have_attribute("data-connection", "offline")
    for _ in range(2):
        popup.get_by_role("textbox", name="URL").fill(ADDRESS)
        popup.keyboard.press("Enter")
        expect(popup.get_by_role("textbox", name="URL")).to_have_value("")
    popup.get_by_text("Waiting for the server (1)").click()
    popup.get_by_role("button", name="Discard").click()
    expect(popup.locator("#waiting")).to_be_hidden()
    server.start()
    expect(popup.get_by_role("status")).to_have_attribute("data-connection", "connected")
    assert total(server) == 0


def test_what_a_slow_server_has_already_is_not_sent_twice(server: Any, extension: Any) -> None:
    popup = extension.open_popup()
    expect(popup.get_by_role("status")).to_have_attribute("data-connection", "connected")
    os.kill(server.pid, signal.SIGSTOP)
    try:
        popup.get_by_role("textbox", name="URL").fill(ADDRESS)
        popup.keyboard.press("Enter")
        expect(popup.locator("#toast")).to_contain_text("does not answer in time")
    finally:
        os.kill(server.pid, signal.SIGCONT)
    expect(row(popup, 1)).to_be_visible()
    expect(popup.get_by_text("Waiting for the server (1)")).to_be_visible()
    extension.worker.evaluate("() => chrome.alarms.onAlarm.dispatch({name: 'look-in'})")
    expect(popup.locator("#toast-text")).to_have_text("Download started #1")
    expect(popup.locator("#waiting")).to_be_hidden()
    assert total(server) == 1


def test_what_the_server_will_not_have_is_said_and_waits_no_longer(server: Any, extension: Any) -> None:
    server.stop()
    popup = extension.open_popup()
    send(popup, "http://169.254.169.254/latest")
    send(popup)
    expect(popup.get_by_text("Waiting for the server (2)")).to_be_visible()
    server.start()
    expect(popup.locator("#toast-text")).to_contain_text("http://169.254.169.254/latest: ")
    expect(popup.locator("#waiting")).to_be_hidden()
    assert total(server) == 1


def tab_of(page: Page, own: Page) -> dict[str, Any]:
    tab: dict[str, Any] = own.evaluate(
        "async url => (({id, url}) => ({id, url}))((await chrome.tabs.query({})).find(tab => tab.url === url))",
        page.url,
    )
    return tab


def said_in(page: Page, own: Page) -> tuple[str, str]:
    """Role and words of the notice, which the page itself cannot read."""
    found: list[str] = own.evaluate(
        """async tabId => (await chrome.scripting.executeScript({target: {tabId}, func: () => {
            const notice = document.getElementById('idm-notice');
            const words = notice && chrome.dom.openOrClosedShadowRoot(notice).firstElementChild;
            return [words?.role ?? '', words?.textContent ?? ''];
        }}))[0].result""",
        tab_of(page, own)["id"],
    )
    return found[0], found[1]


def test_what_came_of_it_is_said_in_the_page_at_once(server: Any, extension: Any, origin: Any) -> None:
    own = extension.open("options/options.html")
    page = extension.context.new_page()
    policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">"
    origin.files["/strict"] = (f"{policy}<dialog>A dialog</dialog>".encode(), "text/html")
    page.goto(origin.url("/strict"))
    page.evaluate("() => document.querySelector('dialog').showModal()")
    tab = tab_of(page, own)
    notice = page.locator("#idm-notice")
    choose(extension, {"menuItemId": "link", "linkUrl": ADDRESS, "pageUrl": page.url}, tab)
    expect(notice).to_be_in_viewport(ratio=1)
    assert said_in(page, own) == ("status", "Download started #1")
    assert page.evaluate("() => document.documentElement.textContent").strip() == "A dialog"
    expect(notice).to_have_count(0)
    choose(extension, {"menuItemId": "link", "linkUrl": "mailto:a@b.example", "pageUrl": page.url}, tab)
    expect(notice).to_be_in_viewport(ratio=1)
    assert said_in(page, own)[0] == "alert"
    page.evaluate("() => document.querySelector('dialog').close()")  # all else is inert under it
    notice.click()
    expect(notice).to_have_count(0)
    server.stop()
    choose(extension, {"menuItemId": "page", "pageUrl": page.url}, tab)
    expect(notice).to_be_in_viewport(ratio=1)
    assert "It is kept here" in said_in(page, own)[1]
    popup = extension.open_popup()
    expect(popup.get_by_text("Waiting for the server (1)")).to_be_visible()
    expect(popup.locator("#toast")).to_be_hidden()  # it was read in the page


def test_a_send_that_takes_its_time_is_seen_to_be_under_way(server: Any, extension: Any) -> None:
    popup = extension.open_popup()
    expect(popup.get_by_role("status")).to_have_attribute("data-connection", "connected")
    os.kill(server.pid, signal.SIGSTOP)
    try:
        popup.get_by_role("textbox", name="URL").fill(ADDRESS)
        popup.keyboard.press("Enter")
        expect(popup.locator("#toast")).to_have_text("Sending…")
        choose(extension, {"menuItemId": "link", "linkUrl": ADDRESS + "-2", "pageUrl": "http://127.0.0.1:9/page"})
        chromium.wait_until(popup, "async () => await chrome.action.getBadgeText({}) === '…'")
    finally:
        os.kill(server.pid, signal.SIGCONT)
    expect(popup.locator("#toast")).to_contain_text("Download started #")


def test_one_address_that_is_refused_does_not_keep_back_the_others(server: Any, extension: Any) -> None:
    own = extension.open("options/options.html")
    refused = ["http://169.254.169.254/a", "https://[/"]
    answer = own.evaluate(
        "urls => chrome.runtime.sendMessage({type: 'submit-many', many: {urls}})",
        [ADDRESS, refused[0], ADDRESS + "-2", refused[1], ADDRESS + "-3"],
    )
    assert answer["text"].startswith("Downloads started: 3. Refused: 2. http://169.254.169.254/a: This address leads")
    assert not answer["ok"]
    assert total(server) == 3
    answer = own.evaluate("urls => chrome.runtime.sendMessage({type: 'submit-many', many: {urls}})", refused)
    assert not answer["ok"]
    assert total(server) == 3
