"""axe-core finds no serious or critical trouble on any page or dialog, light or dark."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

AXE = Path(__file__).parents[2] / ".venv/node/node_modules/axe-core/axe.min.js"
GRAVE = ("serious", "critical")


@pytest.fixture
def page(browser: Browser, server: Any) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(server.url)
    expect(page.locator("[data-connection=connected]")).to_be_visible()
    yield page
    context.close()


def check(page: Page) -> None:
    """What axe-core says of what is shown now."""
    if not page.evaluate("Boolean(window.axe)"):
        assert AXE.is_file(), "axe-core is missing; python3 dev.py check fetches it"
        page.evaluate(AXE.read_text("utf-8"))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.evaluate("document.getAnimations().forEach((animation) => animation.finish())")
        found = page.evaluate("axe.run({ resultTypes: ['violations'] }).then((result) => result.violations)")
        grave = [
            (one["id"], node["html"][:200], node["any"][0]["message"][:150] if node["any"] else one["help"])
            for one in found
            if one["impact"] in GRAVE
            for node in one["nodes"]
        ]
        assert grave == [], scheme


def test_the_empty_page(page: Page) -> None:
    check(page)


def test_the_list_and_its_dialogs(page: Page, server: Any, origin: Any, media_site: Any) -> None:
    add = server.client.post
    add("/api/downloads", json={"url": origin.url("/file/done.zip", size=1000)}).raise_for_status()
    add("/api/downloads", json={"url": origin.url("/file/gone.zip", status=404)}).raise_for_status()
    slow = origin.url("/file/slow.mp4", size=60_000_000, rate=50_000)
    add("/api/downloads", json={"url": slow, "connections": 2}).raise_for_status()
    add("/api/downloads", json={"url": "https://example.org/later.pdf", "start": False}).raise_for_status()
    for number, status in enumerate(("completed", "failed", "downloading", "paused"), start=1):
        row = page.locator(f'[data-download-id="{number}"][data-status={status}]')
        expect(row).to_be_visible(timeout=60_000)
    check(page)
    page.locator('[data-download-id="1"]').get_by_role("checkbox").check()
    check(page)
    page.locator('.download[data-download-id="1"]').get_by_role("button", name="More done.zip").click()
    expect(page.get_by_role("menu")).to_be_visible()
    check(page)
    page.keyboard.press("Escape")
    page.get_by_label("Columns").click()
    check(page)
    page.get_by_label("Columns").click()
    page.locator('[data-download-id="1"]').get_by_role("button", name="Remove").click()
    expect(page.get_by_role("dialog")).to_contain_text("Remove “done.zip”?")
    check(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Add URL").click()
    page.get_by_role("textbox", name="URL").fill(media_site.feed(4))
    expect(page.get_by_role("dialog").get_by_role("checkbox")).to_have_count(4, timeout=60_000)
    page.get_by_text("Folder, category, start").click()
    check(page)
    page.get_by_role("textbox", name="URL").fill(origin.url("/file/done.zip", size=1000))
    expect(page.get_by_role("dialog")).to_contain_text("You already have this")
    check(page)


def test_the_details_and_the_keys(page: Page, server: Any, origin: Any) -> None:
    urls = [origin.url("/file/slow.mp4", size=60_000_000, rate=50_000), origin.url("/file/gone.zip", status=404)]
    server.client.post("/api/downloads", json={"urls": urls, "connections": 2}).raise_for_status()
    expect(page.locator('.download[data-download-id="2"][data-status=failed]')).to_be_visible(timeout=60_000)
    for number in (1, 2):
        page.locator(f'.download[data-download-id="{number}"]').dblclick(position={"x": 300, "y": 10})
        expect(page.locator(f'.details[data-download-id="{number}"]')).to_be_visible()
        if number == 1:
            expect(page.locator(".details tbody tr")).to_have_count(2, timeout=60_000)
        check(page)
    page.keyboard.press("Shift+?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    check(page)
    page.keyboard.press("Escape")
    page.locator('.download[data-download-id="2"]').click(button="right")
    page.get_by_role("menuitem", name="Refresh address…").click()
    expect(page.get_by_role("dialog")).to_contain_text("A fresh address for")
    check(page)


def test_the_dialog_of_devices(page: Page) -> None:
    page.get_by_role("button", name=re.compile("devices", re.IGNORECASE)).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check(page)


@pytest.mark.parametrize("path", ["options", "about", "extension"])
def test_the_pages_beside_the_list(page: Page, server: Any, path: str) -> None:
    page.goto(f"{server.url}/{path}")
    page.wait_for_function("window.socket?.connected")
    if path == "about":
        expect(page.locator(".findings li").first).to_be_visible(timeout=60_000)
    check(page)


def test_signing_in(browser: Browser, server_factory: Any) -> None:
    server = server_factory("--host", "0.0.0.0", IDM_PASSWORD="only for a test")
    page = browser.new_page()
    page.goto(server.url)
    expect(page.get_by_label("Password")).to_be_visible()
    check(page)
    page.close()


def test_the_extension(server: Any, origin: Any, extension: Any) -> None:
    add = server.client.post
    add("/api/downloads", json={"url": origin.url("/file/done.zip", size=1000)}).raise_for_status()
    add("/api/downloads", json={"url": origin.url("/file/gone.zip", status=404)}).raise_for_status()
    slow = origin.url("/file/slow.mp4", size=60_000_000, rate=50_000)
    add("/api/downloads", json={"url": slow, "connections": 1}).raise_for_status()
    film = origin.url("/film.mp4", size=40_000, content_type="video/mp4")
    origin.files["/page"] = (
        f'<title>Films</title><video src="{film}"></video><a href="/a.pdf">a</a>'.encode(),
        "text/html",
    )
    site = extension.context.new_page()
    site.goto(origin.url("/page"))
    options = extension.open("options/options.html")
    tab = options.evaluate("async url => (await chrome.tabs.query({})).find(tab => tab.url === url).id", site.url)
    popup = extension.open(f"popup/popup.html?tab={tab}")
    for number, status in enumerate(("completed", "failed", "downloading"), start=1):
        expect(popup.locator(f'[data-download-id="{number}"][data-status={status}]')).to_be_visible(timeout=60_000)
    popup.locator("#media-heading").click()
    check(popup)
    options.locator("#take").check()
    check(options)
    picker = extension.open(f"picker/picker.html?tab={tab}")
    picker.get_by_label("All", exact=True).check()
    check(picker)
    server.stop()
    expect(popup.get_by_role("button", name="Try again")).to_be_visible()
    check(popup)
