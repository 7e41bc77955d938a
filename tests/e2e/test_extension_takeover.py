"""The browser's downloads, taken over: the server gets what it can get, and the browser keeps everything else."""

import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import chromium
import pytest
from content import sha256
from download_site import SIZE, DownloadSite
from playwright.sync_api import Page, Playwright, expect

ON = {"isOn": True, "minBytes": 1000, "extensions": [], "neverSites": []}
WAIT_SECONDS = 20


@pytest.fixture
def site() -> Iterator[DownloadSite]:
    running = DownloadSite()
    yield running
    running.close()


class Browser:
    """A page of the site in a browser that takes over, and the browser's own list of downloads."""

    def __init__(self, extension: Any, site: DownloadSite) -> None:
        self.extension = extension
        self.own = extension.open("options/options.html")
        session = self.own.context.new_cdp_session(self.own)
        # Playwright's own handling of downloads would keep the event back that the extension waits for.
        session.send("Browser.setDownloadBehavior", {"behavior": "default"})
        self.set_rules(ON)
        self.page: Page = extension.context.new_page()
        self.page.goto(site.url("/"))

    def set_rules(self, rules: dict[str, Any], **more: Any) -> None:
        self.own.evaluate("settings => chrome.storage.local.set(settings)", {"takeOver": rules, **more})

    def downloads(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.own.evaluate("() => chrome.downloads.search({})")
        return found

    def kept(self) -> Path:
        """The one file that the browser has kept, complete."""

        def complete() -> list[dict[str, Any]]:
            return [item for item in self.downloads() if item["state"] == "complete"]

        wait_for(lambda: len(complete()) == 1)
        return Path(complete()[0]["filename"])


def wait_for(condition: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.05)


@pytest.fixture
def taking(extension: Any, site: DownloadSite) -> Browser:
    return Browser(extension, site)


def on_server(server: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.client.get("/api/downloads").json()["downloads"]
    return found


def has_taken(server: Any, taking: Browser) -> None:
    wait_for(lambda: [d["status"] for d in on_server(server)] == ["completed"])
    wait_for(lambda: taking.downloads() == [])


def was_kept(server: Any, taking: Browser, size: int = SIZE) -> None:
    assert taking.kept().stat().st_size == size
    wait_for(lambda: on_server(server) == [])


def test_a_plain_file_goes_to_the_server_and_leaves_the_browser(
    server: Any, site: DownloadSite, taking: Browser
) -> None:
    taking.page.get_by_text("plain").click()
    has_taken(server, taking)
    [download] = on_server(server)
    assert download["filename"] == "plain.bin"
    with server.client.stream("GET", download["file_url"]) as answer:
        assert hashlib.sha256(answer.read()).hexdigest() == sha256(SIZE)


def test_the_name_that_the_page_gives_it_goes_along(server: Any, site: DownloadSite, taking: Browser) -> None:
    taking.page.get_by_text("named").click()
    has_taken(server, taking)
    assert on_server(server)[0]["filename"] == "Bericht größe.bin"


def test_what_one_of_its_servers_has_fetched_is_the_browsers_to_save(
    server: Any, site: DownloadSite, taking: Browser, server_factory: Callable[..., Any]
) -> None:
    other = server_factory()
    taking.own.evaluate("servers => chrome.storage.local.set({servers})", [server.url, other.url])
    other.client.post("/api/downloads", json={"url": site.url("/plain.bin")})
    wait_for(lambda: on_server(other)[0]["status"] == "completed")
    taking.page.goto(f"{other.url}/extension")
    taking.page.evaluate("() => { location.href = '/api/downloads/1/file' }")
    was_kept(server, taking)
    assert server.client.post("/api/downloads", json={"url": "http://127.0.0.1:9/x"}).json()["id"] == 1


def test_two_clicks_are_one_download(server: Any, site: DownloadSite, taking: Browser) -> None:
    taking.page.get_by_text("plain").click()
    taking.page.get_by_text("plain").click()
    has_taken(server, taking)
    assert len(on_server(server)) == 1


def test_without_being_switched_on_nothing_is_taken(server: Any, site: DownloadSite, taking: Browser) -> None:
    taking.set_rules({**ON, "isOn": False})
    taking.page.get_by_text("plain").click()
    was_kept(server, taking)
    assert site.count("/plain.bin") == 1


@pytest.mark.parametrize("link", ["once", "post", "blob", "member"])
def test_what_only_the_browser_can_get_stays_there(link: str, server: Any, site: DownloadSite, taking: Browser) -> None:
    if link == "member":
        taking.page.evaluate("() => fetch('/login')")
    taking.page.get_by_text(link, exact=True).click()
    was_kept(server, taking)


def test_a_file_behind_a_sign_in_is_taken_with_the_sites_cookies(
    server: Any, site: DownloadSite, playwright: Playwright, tmp_path: Path
) -> None:
    permissions = ("cookies", "*://127.0.0.1/*")
    with chromium.extension(playwright, tmp_path / "profile", server.url, granted=permissions) as extension:
        taking = Browser(extension, site)
        taking.set_rules(ON, cookieSites=["127.0.0.1"])
        taking.page.evaluate("() => fetch('/login')")
        taking.page.get_by_text("member").click()
        has_taken(server, taking)


def test_what_is_small_or_from_a_site_that_is_left_alone_stays(
    server: Any, site: DownloadSite, taking: Browser
) -> None:
    taking.page.get_by_text("small").click()
    was_kept(server, taking, 500)
    taking.own.evaluate("() => chrome.downloads.erase({})")
    taking.set_rules({**ON, "neverSites": ["127.0.0.1"]})
    taking.page.get_by_text("plain").click()
    was_kept(server, taking)
    assert site.count("/plain.bin") == 1


def test_alt_leaves_it_to_the_browser(server: Any, site: DownloadSite, taking: Browser) -> None:
    ids = "async () => (await chrome.scripting.getRegisteredContentScripts()).length"
    wait_for(lambda: taking.own.evaluate(ids) == 1)
    taking.page.reload()
    taking.page.get_by_text("plain").click(modifiers=["Alt"])
    was_kept(server, taking)
    assert site.count("/plain.bin") == 1


def test_a_server_that_is_not_there_loses_nothing(server: Any, site: DownloadSite, taking: Browser) -> None:
    server.stop()
    taking.page.get_by_text("plain").click()
    assert taking.kept().stat().st_size == SIZE


def test_a_server_that_is_slow_is_not_waited_for_and_does_not_have_it_as_well(
    server: Any, site: DownloadSite, taking: Browser
) -> None:
    os.kill(server.pid, signal.SIGSTOP)
    try:
        taking.page.get_by_text("plain").click()
        assert taking.kept().stat().st_size == SIZE
    finally:
        os.kill(server.pid, signal.SIGCONT)
    wait_for(lambda: site.count("/plain.bin") > 1 or on_server(server) == [])
    wait_for(lambda: on_server(server) == [])


def test_a_server_that_dies_meanwhile_loses_nothing_and_forgets_it_later(
    server: Any, site: DownloadSite, taking: Browser
) -> None:
    taking.page.get_by_text("late").click()
    wait_for(lambda: site.count("/late.bin") > 1)
    server.kill()
    assert taking.kept().stat().st_size == SIZE
    server.start()
    popup = taking.extension.open_popup()
    expect(popup.get_by_role("status")).to_have_attribute("data-connection", "connected")
    wait_for(lambda: on_server(server) == [])


def stop_worker(taking: Browser) -> None:
    session = taking.own.context.new_cdp_session(taking.own)
    session.send("ServiceWorker.enable")
    session.send("ServiceWorker.stopAllWorkers")


def test_the_minute_in_which_the_browser_keeps_all_outlives_the_worker(
    server: Any, site: DownloadSite, taking: Browser
) -> None:
    taking.extension.worker.evaluate("() => chrome.contextMenus.onClicked.dispatch({menuItemId: 'leave'}, {id: 1})")
    kept = "async () => Object.keys(await chrome.storage.session.get()).some(key => key.startsWith('bypass'))"
    wait_for(lambda: taking.own.evaluate(kept))
    stop_worker(taking)
    taking.page.get_by_text("plain").click()
    was_kept(server, taking)
    assert site.count("/plain.bin") == 1


def test_what_is_cancelled_meanwhile_is_on_neither_side(server: Any, site: DownloadSite, taking: Browser) -> None:
    taking.page.get_by_text("late").click()
    wait_for(lambda: site.count("/late.bin") > 1)
    taking.own.evaluate("async () => chrome.downloads.cancel((await chrome.downloads.search({}))[0].id)")
    wait_for(lambda: on_server(server) == [])
    taking.page.wait_for_timeout(3_000)  # past the moment when the server has the first bytes
    assert on_server(server) == []
    taking.page.get_by_text("late").click()  # asked for again at once, it is not lost
    wait_for(
        lambda: (
            [d["status"] for d in on_server(server)] == ["completed"]
            or any(item["state"] == "complete" for item in taking.downloads())
        )
    )


def test_what_another_server_still_has_is_forgotten_there_later(
    server: Any, site: DownloadSite, taking: Browser, server_factory: Callable[..., Any]
) -> None:
    other = server_factory()
    taking.page.get_by_text("late").click()
    wait_for(lambda: site.count("/late.bin") > 1)
    server.kill()
    assert taking.kept().stat().st_size == SIZE
    use = "server => chrome.storage.local.set({server})"
    popup = taking.extension.open_popup()
    taking.own.evaluate(use, other.url)
    expect(popup.get_by_role("status")).to_have_attribute("data-connection", "connected")
    server.start()
    assert len(on_server(server)) == 1
    taking.own.evaluate(use, server.url)
    wait_for(lambda: on_server(server) == [])


def test_a_stopped_worker_takes_over_too(server: Any, site: DownloadSite, taking: Browser) -> None:
    stop_worker(taking)
    taking.page.get_by_text("plain").click()
    has_taken(server, taking)
