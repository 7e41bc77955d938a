"""The same folder in Firefox: it loads, connects, sends, shows a live row."""

from pathlib import Path
from typing import Any

import pytest
from firefox import UUID, firefox


def test_it_loads_connects_sends_and_shows_a_live_row(server: Any, origin: Any, tmp_path: Path) -> None:
    with firefox(tmp_path / "profile") as browser:
        popup = browser.open("popup/popup.html")
        browser.evaluate(popup, f"chrome.storage.local.set({{server: '{server.url}'}})")
        browser.wait_for(popup, "document.getElementById('problem-first').textContent === 'Pair'")
        options = browser.open("options/options.html")
        code = server.client.post("/api/pairings").json()["code"]
        browser.evaluate(
            options,
            f"(document.getElementById('code').value = '{code}', document.getElementById('pair-form').requestSubmit())",
        )
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


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 403), ({"Authorization": "Bearer wrong"}, 401), ({"Origin": "moz-extension://evil.example"}, 403)],
)
def test_its_origin_alone_opens_nothing(server: Any, headers: dict[str, str], status: int) -> None:
    whence = {"Origin": f"moz-extension://{UUID}"} | headers
    assert server.client.post("/api/downloads", json={"url": "http://x.example/"}, headers=whence).status_code == status
    assert server.client.post("/api/pairings", headers=whence).status_code == status
