"""The extension in a real browser: never a stale bar, a worker that is stopped, a server that goes and comes back."""

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

MIB = 1024 * 1024
SHOW = """async download => {
    const {Row} = await import('/popup/row.js');
    const row = new Row(download.id, {});
    row.show(download, false);
    document.getElementById('rows').replaceChildren(row.element);
}"""


def row(popup: Page, download_id: int) -> Locator:
    return popup.locator(f'[data-download-id="{download_id}"]')


def add(popup: Page, address: str) -> None:
    popup.get_by_role("button", name="Add URL").click()
    popup.get_by_role("textbox", name="URL").fill(address)
    popup.keyboard.press("Enter")


def stop_worker(popup: Page) -> None:
    session = popup.context.new_cdp_session(popup)
    session.send("ServiceWorker.enable")
    session.send("ServiceWorker.stopAllWorkers")
    session.detach()


def badge(popup: Page) -> str:
    return str(popup.evaluate("() => chrome.action.getBadgeText({})"))


def test_send_watch_pause_resume_remove(server: Any, origin: Any, extension: Any) -> None:
    popup = extension.open_popup()
    expect(popup.get_by_role("status")).to_have_attribute("data-connection", "connected")
    add(popup, origin.url("/file/long.bin", size=16 * MIB, seed=1, rate=60_000))
    expect(popup.get_by_text("Download started #1")).to_be_visible()
    expect(row(popup, 1)).to_have_attribute("data-status", "downloading")
    expect(row(popup, 1).locator(".rate")).to_have_text(re.compile("B/s$"))
    assert re.fullmatch(r"\d+%|1", badge(popup))
    row(popup, 1).get_by_role("button", name="Pause").click()
    expect(row(popup, 1)).to_have_attribute("data-status", "paused")
    expect(row(popup, 1).get_by_role("button", name="Resume")).to_be_focused()
    popup.keyboard.press("Enter")
    expect(row(popup, 1)).to_have_attribute("data-status", "downloading")
    row(popup, 1).get_by_role("button", name="Remove").click()
    expect(row(popup, 1)).to_have_count(0)
    assert server.client.get("/api/downloads").json()["total"] == 0


def test_a_popup_opened_while_the_idle_feed_is_being_let_go_keeps_it(server: Any, extension: Any) -> None:
    popup = extension.open_popup()
    expect(popup.get_by_role("status")).to_have_attribute("data-connection", "connected")
    popup.close()
    popup = extension.open_popup()
    popup.wait_for_timeout(6_000)  # past the moment when an unwatched, idle feed is closed
    server.client.post("/api/downloads", json={"url": "http://127.0.0.1:9/x", "start": False})
    expect(row(popup, 1)).to_be_visible()


def test_a_stopped_worker_comes_back_live(server: Any, origin: Any, extension: Any) -> None:
    popup = extension.open_popup()
    add(popup, origin.url("/file/long.bin", size=16 * MIB, seed=1, rate=60_000))
    bar = row(popup, 1).get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", re.compile("."))
    stop_worker(popup)
    expect(popup.get_by_role("status")).to_have_attribute("data-connection", "connecting")
    expect(popup.get_by_role("status")).to_have_attribute("data-connection", "connected")
    before = bar.get_attribute("aria-valuenow") or ""
    expect(bar).not_to_have_attribute("aria-valuenow", before, timeout=30_000)
    assert float(bar.get_attribute("aria-valuenow") or 0) > float(before)


def test_a_server_that_goes_is_said_and_one_that_comes_back_is_found(server: Any, origin: Any, extension: Any) -> None:
    popup = extension.open_popup()
    status = popup.get_by_role("status")
    add(popup, origin.url("/file/long.bin", size=16 * MIB, seed=1, rate=60_000))
    expect(row(popup, 1)).to_have_attribute("data-status", "downloading")
    server.stop()
    expect(status).to_have_attribute("data-connection", "offline")
    expect(status).to_have_text("Offline")
    expect(popup.get_by_text(f"Nothing answers at {server.url}.")).to_be_visible()
    expect(popup.get_by_text("Last known", exact=True)).to_be_visible()
    expect(row(popup, 1).locator(".rate")).to_be_empty()
    add(popup, "https://host.example/file.zip")
    expect(popup.get_by_role("button", name="Try again")).to_be_focused()  # what to do; why stands there already
    assert popup.evaluate("() => chrome.action.getBadgeText({})") == "!"
    server.start()
    expect(status).to_have_attribute("data-connection", "connected", timeout=25_000)
    expect(popup.get_by_text("Last known", exact=True)).to_be_hidden()
    expect(row(popup, 1)).to_have_attribute("data-status", "downloading")


def test_a_full_disk_waits_and_is_not_offered_to_the_browser(server: Any, extension: Any) -> None:
    server.stop()
    popup = extension.open_popup()
    expect(popup.get_by_role("status")).to_have_attribute("data-connection", "offline")
    waiting = {
        "id": 1, "url": "https://host.example/film.mkv", "status": "paused", "progress": 40, "revision": 1,
        "received_bytes": 4_000_000, "total_bytes": 10_000_000, "error": {
            "code": "disk-full", "retryable": True, "detail": "No space left on device",
            "message": "The disk is full. Make room and it goes on by itself; what has arrived is kept.",
        },
    }  # fmt: skip
    popup.evaluate(SHOW, waiting)
    expect(row(popup, 1)).to_contain_text("Make room and it goes on by itself")
    expect(row(popup, 1).get_by_role("button", name="Resume")).to_be_visible()
    expect(row(popup, 1).get_by_role("button", name="Download in browser")).to_be_hidden()
    popup.evaluate(SHOW, waiting | {"status": "failed"})
    expect(row(popup, 1).get_by_role("button", name="Download in browser")).to_be_visible()


def test_whether_to_take_over_is_asked_once(server: Any, extension: Any) -> None:
    popup = extension.open_popup()
    question = popup.get_by_text("Shall idm fetch what you download")
    expect(popup.get_by_role("status")).to_have_attribute("data-connection", "connected")
    expect(question).to_be_hidden()
    add(popup, "http://127.0.0.1:9/x")
    expect(row(popup, 1)).to_be_visible()
    popup.reload()
    expect(question).to_be_visible()
    popup.get_by_role("button", name="Take over downloads").click()
    expect(question).to_be_hidden()
    popup.reload()
    expect(row(popup, 1)).to_be_visible()
    expect(popup.get_by_role("status")).to_have_attribute("data-connection", "connected")
    expect(question).to_be_hidden()
    assert popup.evaluate("async () => (await chrome.storage.local.get('takeOver')).takeOver.isOn") is True


def test_a_finished_file_is_saved_under_its_name(server: Any, origin: Any, extension: Any, tmp_path: Path) -> None:
    popup = extension.open_popup()
    session = popup.context.new_cdp_session(popup)
    # Playwright would keep the file under a name of its own.
    session.send("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    add(popup, origin.url("/file/größe 日本.bin", size=MIB, seed=2))
    popup.get_by_role("button", name="Save größe 日本.bin").click()
    expect(popup.get_by_text("Saved größe 日本.bin")).to_be_visible()
    assert (tmp_path / "größe 日本.bin").stat().st_size == MIB


def test_why_a_file_could_not_be_saved_is_said(server: Any, origin: Any, extension: Any) -> None:
    popup = extension.open_popup()
    add(popup, origin.url("/file/a.bin", size=1000, seed=2))
    expect(row(popup, 1)).to_have_attribute("data-status", "completed")
    (server.download_dir / "a.bin").unlink()
    popup.get_by_role("button", name="Save a.bin").click()
    expect(popup.get_by_text("moved or deleted on the server")).to_be_visible()
    server.stop()
    popup.get_by_role("button", name="Save a.bin").click()
    expect(popup.get_by_text("a.bin could not be saved: the server cannot be reached.")).to_be_visible()


def test_what_cannot_be_downloaded_is_said_in_words(server: Any, origin: Any, extension: Any) -> None:
    popup = extension.open_popup()
    add(popup, "ftp://host.example/file")
    expect(popup.locator("#toast")).to_contain_text("Only addresses that begin with http:// or https://")
    add(popup, origin.url("/file/none.bin", status=404))
    expect(row(popup, 1)).to_have_attribute("data-status", "failed")
    expect(row(popup, 1)).to_contain_text("The server has no file at this address (404).")


def test_what_went_wrong_without_a_popup_is_shown_by_the_next_one(server: Any, extension: Any) -> None:
    extension.worker.evaluate("() => chrome.commands.onCommand.dispatch('send-tab', {url: 'chrome://newtab'})")
    popup = extension.open_popup()
    expect(popup.locator("#toast")).to_contain_text("no web address here")
    assert badge(popup) == "!"


def test_the_options_page_says_what_answers(server: Any, origin: Any, extension: Any) -> None:
    page = extension.context.new_page()
    page.goto(f"chrome-extension://{extension.id}/options/options.html")
    said = page.get_by_role("status")
    for address, words in [
        (server.url, r"^Connected to idm .+ in \d+ ms\.$"),
        ("two words", "not the address of a server"),
        (origin.url("").rstrip("/?"), "it is not idm"),
        ("127.0.0.1:9", "Nothing answers at http://127.0.0.1:9"),
    ]:
        page.get_by_label("Server address").fill(address)
        page.get_by_role("button", name="Test").click()
        expect(said).to_have_text(re.compile(words))


def test_the_options_page_keeps_what_was_decided_elsewhere(server: Any, extension: Any) -> None:
    page = extension.open("options/options.html")
    expect(page.get_by_label("Take over the browser")).not_to_be_checked()
    stored = {"isOn": True, "minBytes": 1000, "extensions": [], "neverSites": ["a.example"]}
    page.evaluate("takeOver => chrome.storage.local.set({takeOver})", stored)
    expect(page.get_by_label("Take over the browser")).to_be_checked()
    never = page.get_by_label("Never from these sites")
    expect(never).to_have_value("a.example")
    never.fill("a.example b.example")
    page.evaluate("takeOver => chrome.storage.local.set({takeOver})", stored | {"extensions": ["zip"]})
    expect(page.get_by_label("Only these kinds")).to_have_value("zip")
    expect(never).to_have_value("a.example b.example")  # not torn out of the hands of who is typing
    never.blur()
    expect(never).to_have_value("a.example\nb.example")
    kept = page.evaluate("async () => (await chrome.storage.local.get('takeOver')).takeOver")
    assert kept == stored | {"extensions": ["zip"], "neverSites": ["a.example", "b.example"]}


def test_a_magnified_popup_can_be_reached_to_its_end(server: Any, extension: Any) -> None:
    urls = [f"http://127.0.0.1:9/{number}" for number in range(12)]
    server.client.post("/api/downloads", json={"urls": urls, "start": False})
    popup = extension.open_popup()
    expect(row(popup, 1)).to_be_attached()
    for height in (480, 300):  # what is left of Chrome's 600 px at 125 % and at 200 %
        popup.set_viewport_size({"width": 380, "height": height})
        expect(popup.get_by_role("button", name="Open dashboard")).to_be_in_viewport(ratio=1)
        popup.mouse.move(60, 20)
        popup.mouse.wheel(0, 1000)
        expect(popup.locator("#rows")).to_be_in_viewport(ratio=0.7)
        popup.mouse.wheel(0, -1000)


def test_installing_asks_for_no_more_than_it_must(extension: Any) -> None:
    page = extension.context.new_page()
    page.goto(f"chrome-extension://{extension.id}/options/options.html")
    warnings = page.evaluate(
        "async () => chrome.management.getPermissionWarningsByManifest("
        "await (await fetch(chrome.runtime.getURL('manifest.json'))).text())"
    )
    assert warnings == ["Read and change your data on 127.0.0.1 and localhost", "Manage your downloads"]
