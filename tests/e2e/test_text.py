"""What comes from outside is text: one title with all of it, through dashboard, feed, headers, log, terminal, disk."""

import json
import os
import subprocess
import sys
from typing import Any

import httpx
from playwright.sync_api import Browser, expect
from websockets.sync.client import connect

EVIL = (
    '<img src=x onerror="window.__run=1"><svg onload="window.__run=2">{{constructor.constructor("window.__run=3")()}}'
    "</script><script>window.__run=4</script>${7*7} %(id)s \u2028\u2029 \x1b]0;owned\x07\x1b[31m\r\n2026 FORGED: line "
    "\u202egpj.exe ../../etc/passwd \U0001f600 & &lt;b&gt;"
)
DANGEROUS = set("\x1b\x07\x00\u202e")


def test_one_title_with_all_of_it(server: Any, origin: Any, browser: Browser) -> None:
    url = origin.url("/file/a.bin", size=1000)
    added = server.client.post("/api/downloads", json={"url": url, "filename": EVIL}).json()
    assert server.client.patch(f"/api/downloads/{added['id']}", json={"title": EVIL}).json()["title"] == EVIL
    with connect(server.url.replace("http", "ws") + "/ws", proxy=None, max_size=None) as feed:
        messages = [json.loads(feed.recv(10)) for _ in range(2)]
        assert messages[1]["downloads"][0]["title"] == EVIL
    _look_at_it(server, browser)
    done = server.client.get(f"/api/downloads/{added['id']}").json()
    assert done["status"] == "completed", done
    (path,) = [path for path in server.download_dir.iterdir() if path.name != ".idm"]
    assert path.name == done["filename"]
    assert not (DANGEROUS | set('/\\<>:"|?*\r\n\u2028')) & set(path.name)
    saved = server.client.get(done["file_url"])
    assert saved.headers.get_list("content-disposition")[0].startswith("attachment;")
    assert "sandbox" in saved.headers["content-security-policy"]
    assert not any("forged" in name.lower() for name in saved.headers)
    _look_at_log_and_terminal(server)


def _look_at_it(server: Any, browser: Browser) -> None:
    context = browser.new_context()
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(server.url)
    row = page.locator("[data-download-id]")
    expect(row).to_have_attribute("data-status", "completed", timeout=30_000)
    expect(row).to_contain_text('<img src=x onerror="window.__run=1">')
    row.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("dialog")).to_contain_text("<svg onload")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("searchbox").fill("<img src=x")
    expect(row).to_be_visible()
    page.reload()  # the search now stands in the address
    expect(row).to_be_visible()
    assert page.evaluate("window.__run") is None
    assert page.locator("img[src=x]").count() == 0
    assert said == []
    context.close()


def _look_at_log_and_terminal(server: Any) -> None:
    httpx.get(f"{server.url}/no%0a2026-01-01%20FORGED%20line%1b%5b31m%00")
    environment = {**os.environ, "IDM_URL": server.url, "COLUMNS": "1000"}
    for command in (["list"], ["list", "--json"]):
        told = subprocess.run(
            [sys.executable, "-m", "idm_app", *command], env=environment, capture_output=True, timeout=60, check=True
        )
        assert "passwd" in told.stdout.decode()
        assert not DANGEROUS & set(told.stdout.decode())
    log = server.output()
    assert not DANGEROUS & set(log)
    assert not [line for line in log.splitlines() if line.startswith("2026-01-01 FORGED")]
