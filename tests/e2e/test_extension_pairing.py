"""A server that asks who comes: pairing, the token's way, its end, several servers."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import chromium
import pytest
import segno
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, expect

PASSWORD = "open sesame"


@pytest.fixture
def guarded(server_factory: Callable[..., Any], origin: Any) -> Any:
    """A server that others reach too (through a proxy), its signed-in owner, and a finished file."""
    server = server_factory(IDM_PASSWORD=PASSWORD)
    server.client.post("/api/downloads", json={"url": origin.url("/file/a.bin", size=1000)})
    until = time.monotonic() + 30
    while server.client.get("/api/downloads/1").json()["status"] != "completed":
        assert time.monotonic() < until, server.output()
        time.sleep(0.05)
    server.stop()
    server.start("--trusted-proxy", "127.0.0.1")
    assert server.client.post("/api/login", json={"password": PASSWORD}).status_code == 204
    return server


@pytest.fixture
def extension(playwright: Playwright, guarded: Any, tmp_path: Path) -> Iterator[chromium.Extension]:
    with chromium.extension(playwright, tmp_path / "profile", guarded.url) as loaded:
        yield loaded


def shoot(film: Path, picture: Path) -> None:
    """A second of what a camera sees in which somebody holds the picture: small, askew, blurred and noisy."""
    seen = "scale=200:-1,rotate=0.12:c=gray:ow=260:oh=260,pad=640:480:230:90:gray,gblur=0.8,noise=alls=12:allf=t"
    held = picture.with_suffix(".bmp")  # which every ffmpeg reads
    Image.open(picture).convert("RGB").save(held)
    take = ["-loop", "1", "-i", str(held), "-vf", seen, "-t", "1", "-r", "10", "-pix_fmt", "yuvj420p", "-f", "mjpeg"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *take, str(film)], check=True)


def pair(options: Page, code: str) -> None:
    options.get_by_label("Code from the dashboard").fill(code)
    options.get_by_role("button", name="Pair", exact=True).click()


def test_a_code_from_the_dashboard_lets_the_extension_in(guarded: Any, extension: chromium.Extension) -> None:
    popup = extension.open_popup()
    expect(popup.get_by_text("does not know this browser yet")).to_be_visible()
    with extension.context.expect_page() as opened:
        popup.get_by_role("button", name="Pair", exact=True).click()
    options = opened.value
    pair(options, "ABCD-2345")
    expect(options.locator("#pair-result")).to_have_attribute("data-kind", "error")
    code = guarded.client.post("/api/pairings").json()["code"]
    pair(options, code.lower())
    expect(options.locator("#pair-result")).to_contain_text("Paired with")
    expect(options.get_by_role("status")).to_have_text(re.compile("^Connected to idm"))
    expect(popup.get_by_role("status")).to_have_attribute("data-connection", "connected")
    popup.get_by_role("textbox", name="URL").fill("http://192.0.2.1/file")
    popup.keyboard.press("Enter")
    expect(popup.get_by_text("Download started #2")).to_be_visible()
    [token] = guarded.client.get("/api/tokens").json()["tokens"]
    assert token["name"].startswith("Chrome on ")
    assert sorted(token["scopes"]) == ["control", "submit"]
    save(popup, extension)
    revoke(guarded, popup, token["id"])


def save(popup: Page, extension: chromium.Extension) -> None:
    """The finished file, with the token in a header: the browser's history has no address with a secret."""
    session = extension.context.new_cdp_session(popup)
    session.send("Browser.setDownloadBehavior", {"behavior": "default"})
    popup.get_by_role("button", name="Save a.bin").click()
    expect(popup.get_by_text("Saved a.bin")).to_be_visible()
    [item] = popup.evaluate("() => chrome.downloads.search({})")
    assert item["url"].endswith("/api/downloads/1/file")
    assert item["fileSize"] == 1000


def revoke(guarded: Any, popup: Page, token_id: str) -> None:
    assert guarded.client.delete(f"/api/tokens/{token_id}").status_code == 204
    expect(popup.get_by_text("no longer knows this browser")).to_be_visible(timeout=15_000)
    expect(popup.get_by_role("button", name="Pair", exact=True)).to_be_visible()


def test_what_was_sent_before_pairing_is_sent_after_it(guarded: Any, extension: chromium.Extension) -> None:
    popup = extension.open_popup()
    expect(popup.get_by_text("does not know this browser yet")).to_be_visible()
    popup.get_by_role("textbox", name="URL").fill("http://192.0.2.1/file")
    popup.keyboard.press("Enter")
    expect(popup.get_by_text("Waiting for the server (1)")).to_be_visible()
    options = extension.open("options/options.html")
    pair(options, guarded.client.post("/api/pairings").json()["code"])
    expect(popup.locator("#toast-text")).to_have_text("Download started #2")
    expect(popup.locator("#waiting")).to_be_hidden()


def test_too_many_wrong_codes_are_said(extension: chromium.Extension) -> None:
    options = extension.open("options/options.html")
    for _ in range(7):
        pair(options, "ABCD-2345")
        expect(options.locator("#pair-result")).to_have_attribute("data-kind", "error")
    expect(options.locator("#pair-result")).to_contain_text(re.compile("too many|wait", re.IGNORECASE))


def test_the_camera_reads_what_the_dashboard_shows(
    playwright: Playwright, browser: Browser, guarded: Any, tmp_path: Path
) -> None:
    film = tmp_path / "film.mjpeg"
    segno.make("https://example.org/something-else").save(str(tmp_path / "other.png"), scale=5)
    shoot(film, tmp_path / "other.png")
    with chromium.extension(playwright, tmp_path / "profile", "http://192.0.2.1", camera=film) as extension:
        options = extension.open("options/options.html")
        options.get_by_role("button", name="Scan").click()
        expect(options.get_by_text("a code of something else")).to_be_visible()
        options.get_by_role("button", name="Stop the camera").click()
        expect(options.locator("video")).to_be_hidden()
        page = browser.new_page()
        page.goto(guarded.url)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Devices").click()
        page.get_by_role("button", name="Pair the extension").click()
        page.get_by_alt_text("QR code").screenshot(path=tmp_path / "code.png")
        shoot(film, tmp_path / "code.png")
        options.get_by_role("button", name="Scan").click()
        expect(options.get_by_label("Server address")).to_have_value(guarded.url)
        expect(options.locator("video")).to_be_hidden()
        expect(options.get_by_role("button", name="Pair", exact=True)).to_be_focused()
        options.keyboard.press("Enter")
        expect(options.get_by_text(f"Paired with {guarded.url}")).to_be_visible()
        expect(page.get_by_text("Paired: Chrome on")).to_be_visible()


def test_several_servers_and_a_quick_switch(
    guarded: Any, extension: chromium.Extension, server_factory: Callable[..., Any]
) -> None:
    other = server_factory()
    other.client.post("/api/downloads", json={"url": "http://127.0.0.1:9/there", "start": False})
    options = extension.open("options/options.html")
    options.get_by_label("Server address").fill(other.url)
    options.get_by_role("button", name="Save").click()
    expect(options.get_by_role("status")).to_have_text(re.compile("^Saved. Connected"))
    popup = extension.open_popup()
    expect(popup.locator('[data-download-id="1"]')).to_be_visible()
    popup.get_by_label("Server").select_option(guarded.url)
    expect(popup.get_by_text("does not know this browser yet")).to_be_visible()
    expect(popup.locator('[data-download-id="1"]')).to_have_count(0)
    options.get_by_role("button", name=f"Remove {guarded.url}").click()
    expect(options.locator("#servers li").filter(has_text=guarded.url)).to_have_count(0)
    expect(options.locator("#servers li").filter(has_text="in use")).to_have_count(1)
