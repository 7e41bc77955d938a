"""The extension as it comes with the server: its zip and page, the bookmarklet, the words of other languages."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import chromium
import pytest
from playwright.sync_api import Browser, Page, Playwright, expect


def test_the_zip_is_the_extension(server: Any) -> None:
    answer = server.client.get("/extension.zip")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = set(archive.namelist())
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["version"] in answer.headers["content-disposition"]
    assert {manifest["background"]["service_worker"], "_locales/en/messages.json", "popup/popup.html"} <= names
    assert "jsconfig.json" not in names
    assert server.client.get("/extension.zip").content == answer.content


@pytest.mark.parametrize(("language", "heading"), [("en", "Extension"), ("de", "Erweiterung")])
def test_the_page_says_in_three_steps_how_to_load_it(
    server: Any, browser: Browser, language: str, heading: str
) -> None:
    page = browser.new_page(locale=language)
    page.goto(f"{server.url}/extension")
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.locator("ol > li")).to_have_count(3)
    with page.expect_download() as download:
        page.locator(".fetch").click()
    assert download.value.suggested_filename.startswith("idm-extension-")
    page.close()


def test_the_bookmarklet_fills_the_form_in_and_downloads_nothing(server: Any, browser: Browser, origin: Any) -> None:
    page = browser.new_page()
    page.goto(f"{server.url}/extension")
    bookmarklet = page.get_by_role("link", name="Download with idm").get_attribute("href") or ""
    address = origin.url("/file/page.bin", size=1000)
    page.goto("about:blank")
    with page.context.expect_page() as opened:
        page.evaluate(
            f"() => {{ {bookmarklet.removeprefix('javascript:').replace('location.href', json.dumps(address))} }}"
        )
    form = opened.value
    expect(form.get_by_role("textbox", name="URL")).to_have_value(address)
    assert server.client.get("/api/downloads").json()["total"] == 0
    form.get_by_role("button", name="Download", exact=True).click()
    expect(form.locator('[data-download-id="1"]')).to_be_visible()
    page.context.close()


@pytest.mark.parametrize(
    ("language", "word", "direction", "failure"),
    [
        ("de", "Verbunden", "ltr", "Unter dieser Adresse hat der Server keine Datei"),
        ("ar", "متصل", "rtl", "لا يوجد ملف عند هذا العنوان على الخادم"),
        ("en-US", "Connected", "ltr", "The server has no file at this address"),
    ],
)
def test_popup_and_options_speak_the_browsers_language(
    server: Any,
    playwright: Playwright,
    tmp_path: Path,
    origin: Any,
    language: str,
    word: str,
    direction: str,
    failure: str,
) -> None:
    with chromium.extension(playwright, tmp_path / "profile", server.url, language=language) as extension:
        popup = extension.open_popup()
        expect(popup.get_by_role("status")).to_have_text(word)
        server.client.post("/api/downloads", json={"url": origin.url("/none.bin", status=404)})
        expect(popup.locator('[data-download-id="1"]')).to_contain_text(failure)
        for page in (popup, extension.open("options/options.html"), extension.open("picker/picker.html")):
            assert page.evaluate("() => document.documentElement.dir") == direction
            page.set_viewport_size({"width": 380, "height": 600})
            assert is_within_its_width(page)


def is_within_its_width(page: Page) -> bool:
    return bool(page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"))


def test_only_its_own_pages_are_told_and_may_ask(server: Any, extension: Any) -> None:
    """What runs in a page can be the page's, once a browser's process is broken into."""
    server.client.post("/api/downloads", json={"url": "http://127.0.0.1:9/private", "start": False})
    page = extension.context.new_page()
    page.goto(f"{server.url}/extension")
    own = extension.open_popup()
    expect(own.locator('[data-download-id="1"]')).to_be_visible()
    told = own.evaluate(
        """async url => {
            const tab = (await chrome.tabs.query({})).find(tab => tab.url === url);
            const [{result}] = await chrome.scripting.executeScript({target: {tabId: tab.id}, func: async () => {
                const port = chrome.runtime.connect({name: 'popup'});
                const heard = await new Promise(resolve => {
                    port.onMessage.addListener(push => resolve(push.type));
                    port.onDisconnect.addListener(() => resolve('nothing'));
                });
                const remove = {type: 'remove', id: 1};
                const answer = await chrome.runtime.sendMessage(remove).catch(() => undefined);
                return [heard, answer ?? 'no answer'];
            }});
            return result;
        }""",
        page.url,
    )
    assert told == ["nothing", "no answer"]
    assert server.client.get("/api/downloads").json()["total"] == 1
