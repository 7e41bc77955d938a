"""The same folder in Firefox: it loads, connects, sends, shows a live row."""

import json
from pathlib import Path
from typing import Any

import pytest
from download_site import SIZE, DownloadSite
from firefox import UUID, Firefox, firefox


def test_it_loads_connects_sends_and_shows_a_live_row(server: Any, origin: Any, tmp_path: Path) -> None:
    with firefox(tmp_path / "profile") as browser:
        popup = browser.open("popup/popup.html")
        browser.evaluate(popup, f"chrome.storage.local.set({{server: '{server.url}'}})")
        browser.wait_for(popup, "document.getElementById('problem-first').textContent === 'Pair'")
        pair(browser, server)
        browser.wait_for(popup, "document.getElementById('connection').dataset.connection === 'connected'")
        [token] = server.client.get("/api/tokens").json()["tokens"]
        assert token["name"].startswith("Firefox on ")
        address = origin.url("/file/live.bin", size=2_000_000, rate=200_000)
        browser.evaluate(
            popup,
            f"(document.getElementById('url').value = '{address}', document.getElementById('add').requestSubmit())",
        )
        browser.wait_for(popup, "document.getElementById('toast-text').textContent.includes('#1')")
        bar = "Number(document.querySelector('[data-download-id=\"1\"] [role=progressbar]')?.ariaValueNow)"
        first = browser.wait_for(popup, bar)
        browser.wait_for(popup, f"{bar} > {first}")
        assert server.client.get("/api/downloads/1").json()["filename"] == "live.bin"


def test_it_takes_over_and_loses_nothing(server: Any, tmp_path: Path) -> None:
    site = DownloadSite()
    with firefox(tmp_path / "profile") as browser:
        popup = browser.open("popup/popup.html")
        rules = json.dumps({"isOn": True, "minBytes": 1000, "extensions": [], "neverSites": []})
        browser.evaluate(popup, f"chrome.storage.local.set({{server: '{server.url}', takeOver: {rules}}})")
        pair(browser, server)
        browser.wait_for(popup, "document.getElementById('connection').dataset.connection === 'connected'")
        folder = {"type": "allowed", "destinationFolder": str(tmp_path / "kept")}
        browser.ask("browser.setDownloadBehavior", downloadBehavior=folder)
        page = browser.ask("browsingContext.create", type="tab")["context"]
        browser.ask("browsingContext.navigate", context=page, url=site.url("/"), wait="complete")
        browser.evaluate(page, "fetch('/login').then(() => null)")

        def click(link: str) -> None:
            link_or_button = f"[...document.querySelectorAll('a, button')].find(one => one.textContent === '{link}')"
            browser.evaluate(page, f"({link_or_button}.click(), null)")

        for count, link in enumerate(("once", "post", "member"), start=1):
            click(link)
            complete = f"chrome.downloads.search({{state: 'complete'}}).then(all => all.length === {count})"
            browser.wait_for(popup, complete)
            assert (tmp_path / "kept" / f"{link}.bin").stat().st_size == SIZE
        click("long")
        rows = "[...document.querySelectorAll('[data-status=completed]')]"  # of the others until they are taken back
        browser.wait_for(popup, f"{rows}.some(row => row.textContent.includes('long.bin'))")
        browser.wait_for(popup, "chrome.downloads.search({}).then(all => all.length === 3)")
        browser.wait_for(popup, "document.querySelectorAll('[data-download-id]').length === 1")
        [taken] = server.client.get("/api/downloads").json()["downloads"]
        assert taken["filename"] == "long.bin"
    site.close()


def pair(browser: Firefox, server: Any) -> None:
    options = browser.open("options/options.html")
    code = server.client.post("/api/pairings").json()["code"]
    browser.evaluate(
        options,
        f"(document.getElementById('code').value = '{code}', document.getElementById('pair-form').requestSubmit())",
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 403), ({"Authorization": "Bearer wrong"}, 401), ({"Origin": "moz-extension://evil.example"}, 403)],
)
def test_its_origin_alone_opens_nothing(server: Any, headers: dict[str, str], status: int) -> None:
    whence = {"Origin": f"moz-extension://{UUID}"} | headers
    assert server.client.post("/api/downloads", json={"url": "http://x.example/"}, headers=whence).status_code == status
    assert server.client.post("/api/pairings", headers=whence).status_code == status
