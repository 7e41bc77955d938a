"""The pages beside the list, notices, and what another application hands over, in a real browser."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context
    context.close()


def open_page(context: BrowserContext, server: Any, path: str = "/") -> Page:
    page = context.new_page()
    page.goto(server.url + path)
    page.wait_for_function("window.socket?.connected")
    return page


def test_an_option_takes_effect_at_once_and_shows_in_every_tab(context: BrowserContext, server: Any) -> None:
    page, other = open_page(context, server, "/options"), open_page(context, server, "/options")
    wanted = page.get_by_label("Downloads at a time")
    expect(wanted).to_have_value("4")
    wanted.fill("9")
    wanted.press("Enter")
    expect(other.get_by_label("Downloads at a time")).to_have_value("9")
    assert server.client.get("/api/settings").json()["max_active"] == 9
    server.client.patch("/api/settings", json={"max_active": 3}).raise_for_status()
    expect(wanted).to_have_value("3")
    wanted.fill("99")
    wanted.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Give a whole number from 1 to 32.")
    assert server.client.get("/api/settings").json()["max_active"] == 3


def test_a_page_beside_the_list_says_when_the_server_has_gone_and_asks_for_a_sign_in_that_has_ended(
    browser: Browser, server_factory: Any
) -> None:
    server = server_factory("--host", "0.0.0.0", IDM_PASSWORD="open sesame")
    page = browser.new_page()
    page.goto(server.url + "/options")
    page.get_by_label("Password").fill("open sesame")
    page.get_by_label("Password").press("Enter")
    connection = page.locator("header [data-connection]")
    expect(connection).to_have_attribute("data-connection", "connected")
    server.stop()
    expect(connection).to_have_text("Offline – trying again by itself")
    server.start()
    expect(connection).to_have_attribute("data-connection", "connected")
    page.evaluate("fetch('api/logout/everywhere', {method: 'POST'})")
    expect(page.get_by_label("Password")).to_be_visible()
    page.close()


def test_options_are_found_by_their_words_and_the_language_is_chosen(context: BrowserContext, server: Any) -> None:
    page = open_page(context, server, "/options")
    page.get_by_role("searchbox").fill("pieces")
    expect(page.locator(".option")).to_have_count(1)
    expect(page.get_by_label("Connections for each file")).to_be_visible()
    page.get_by_role("searchbox").fill("")
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_role("heading", name="Einstellungen")).to_be_visible()
    page.get_by_role("link", name="Downloads").click()
    expect(page.get_by_text("Zum Anfangen eine Adresse einfügen")).to_be_visible()


def test_about_names_the_parts_and_their_versions(context: BrowserContext, server: Any) -> None:
    page = open_page(context, server, "/about")
    found = page.locator(".findings li")
    expect(found.filter(has_text="yt-dlp")).to_contain_text(re.compile(r"20\d\d\.\d+"), timeout=30_000)
    expect(found.filter(has_text=re.compile("^.*ffmpeg"))).to_contain_text(re.compile(r"\d\."))


def test_what_is_shared_fills_the_form_and_nothing_is_asked_before_somebody_does_something(
    context: BrowserContext, server: Any, origin: Any
) -> None:
    address = origin.url("/file/shared.zip", size=1000)
    page = open_page(context, server, f"/?title=A+page&text=look+{address.replace('&', '%26')}")
    field = page.get_by_role("textbox", name="URL")
    expect(field).to_have_value(address)
    expect(page).to_have_url(server.url + "/")
    assert origin.stats("/file/shared.zip").requests == 0
    field.press("Enter")
    expect(page.locator("[data-status=completed]")).to_be_visible(timeout=60_000)


def test_it_can_be_installed(context: BrowserContext, server: Any) -> None:
    page = open_page(context, server)
    manifest = server.url + "/" + str(page.locator("link[rel=manifest]").get_attribute("href"))
    answer = page.request.get(manifest)
    assert answer.headers["content-type"].startswith("application/manifest+json")
    told = answer.json()
    assert told["share_target"]["method"] == "GET"
    for icon in told["icons"]:
        assert page.request.get(manifest.replace("manifest.webmanifest", icon["src"])).ok, icon
    devtools = context.new_cdp_session(page)
    assert devtools.send("Page.getAppManifest")["errors"] == []


def test_many_ends_are_one_notice_and_the_title_tells_how_far(browser: Browser, server: Any, origin: Any) -> None:
    context = browser.new_context(permissions=["notifications"])
    context.add_init_script(
        """localStorage.setItem("notices", "on");
        window.told = [];
        window.Notification = class { static permission = "granted"; constructor(text) { window.told.push(text); } };
        Object.defineProperty(document, "hidden", { get: () => true });"""
    )
    page = open_page(context, server)
    slow = origin.url("/file/slow.bin", size=4_000_000, rate=1_000_000)
    server.client.post("/api/downloads", json={"url": slow, "connections": 1}).raise_for_status()
    expect(page).to_have_title(re.compile(r"^\d+ % · idm"), timeout=60_000)
    assert str(page.locator("link[rel~=icon]").get_attribute("href")).startswith("data:image/png")
    expect(page.get_by_text("slow.bin: finished")).to_be_visible(timeout=60_000)
    expect(page).to_have_title(re.compile("^idm"))
    gone = [origin.url(f"/file/gone-{number}.zip", status=404) for number in range(3)]
    server.client.patch("/api/settings", json={"max_active": 8}).raise_for_status()
    server.client.post("/api/downloads", json={"urls": gone}).raise_for_status()
    expect(page.locator("[data-status=failed]")).to_have_count(3, timeout=60_000)
    page.wait_for_function("window.told.length >= 2")
    told = page.evaluate("window.told")
    assert told[0] == "slow.bin: finished"
    assert len(told) < 5
    context.close()
