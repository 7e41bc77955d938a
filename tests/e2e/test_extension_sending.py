"""What is sent from the extension arrives once, and whoever sends sees at once what came of it."""

import os
import signal
from collections.abc import Callable
from typing import Any

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
