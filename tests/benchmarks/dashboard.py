"""What the dashboard costs and how fresh its numbers are, in real Chromium. Prints a Markdown table.

Run: ``python3 dev.py bench dashboard`` (or ``… page``, ``… moving``, ``… closed``). MeTube's figures were measured on
a machine of the same kind, with 10,000 finished downloads. Chromium paints on the CPU here and shares the cores with
the server; the nine other tabs are one pixel high, as tabs in the background paint nothing.

*Server to DOM*: from ``sent_at`` of the feed's message that first tells a percent to the moment when the row says it.
*Busy*: share of time in which the page's main thread works. *Server*: CPU above that of the same downloads with no tab.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import psutil
from playwright.async_api import Browser, Page, async_playwright
from realtime import Origin, percentiles, server

from idm_app.model import Category, Download, Request, Status
from idm_app.store import Store
from idm_app.units import utc_now

RATE = 1_000_000
SECONDS = 10
LOADED_SECONDS = 5
"""Until the newest tab has done what follows its loading."""
FORGOTTEN_SECONDS = 30
"""After it a closed tab is forgotten."""

OBSERVE = """() => {
    window.sent = {}, window.heard = {}, window.shown = {};
    const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws");
    socket.onmessage = ({data}) => {
        const now = performance.timeOrigin + performance.now(), {sent_at, downloads} = JSON.parse(data);
        for (const {id, progress} of sent_at ? downloads : []) {
            const key = `${id}:${progress?.toFixed(1)}`;
            if (!(key in sent)) sent[key] = Date.parse(sent_at), heard[key] = now;
        }
    };
    new MutationObserver(changes => {
        const now = performance.timeOrigin + performance.now();
        for (const {target} of changes) {
            const id = target.closest("[data-download-id]")?.dataset.downloadId;
            shown[`${id}:${Number(target.getAttribute("aria-valuenow")).toFixed(1)}`] ??= now;
        }
    }).observe(document.body, {subtree: true, attributeFilter: ["aria-valuenow"]});
}"""
AGES = """() => {
    const keys = Object.keys(sent).filter(key => shown[key]);
    return [shown, heard].map(at => keys.map(key => (at[key] - sent[key]) / 1000));
}"""


async def put_finished(folder: Path, count: int) -> None:
    store = Store.open(folder / "data")
    for number in range(1, count + 1):
        name = f"file {number}.zip"
        store.put(
            Download(
                id=number,
                request=Request(f"https://example.org/{number}/{name}"),
                created_at=utc_now(),
                finished_at=utc_now(),
                status=Status.COMPLETED,
                filename=name,
                category=Category.COMPRESSED,
                progress=100.0,
                received_bytes=10_000_000,
                total_bytes=10_000_000,
                path=f"/nowhere/{name}",
            )
        )
    await store.commit()
    await store.close()


async def open_page(browser: Browser, url: str, *, height: int = 900) -> Page:
    page = await browser.new_page(viewport={"width": 1440, "height": height})
    await page.goto(url)
    await page.wait_for_selector("[data-connection=connected]")
    return page


async def busy_percent(page: Page) -> float:
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable")

    async def worked_seconds() -> float:
        answer: dict[str, Any] = await session.send("Performance.getMetrics")
        return float(next(m["value"] for m in answer["metrics"] if m["name"] == "TaskDuration"))

    before = await worked_seconds()
    await asyncio.sleep(SECONDS)
    return (await worked_seconds() - before) * 100 / SECONDS


async def cpu_percent(process: psutil.Process) -> float:
    process.cpu_percent()
    await asyncio.sleep(SECONDS)
    return process.cpu_percent()


async def start_downloads(url: str, origin: Origin, numbers: Iterable[int]) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        await client.patch("/api/settings", json={"max_active": 32, "connections": 1})
        urls = [f"{origin.url}/f{number}-{RATE}-{RATE * 300}" for number in numbers]
        (await client.post("/api/downloads", json={"urls": urls})).raise_for_status()
    await asyncio.sleep(2)


async def page_size(rows: list[tuple[str, str, str]], browser: Browser) -> None:
    for count in (1_000, 10_000):
        with tempfile.TemporaryDirectory() as folder:
            await put_finished(Path(folder), count)
            async with server(Path(folder)) as (url, _, _):
                await (await open_page(browser, url)).close()
                begun = time.monotonic()
                page = await open_page(browser, url)
                await page.wait_for_selector("[data-download-id]")
                usable = time.monotonic() - begun
                nodes = await page.evaluate("document.querySelectorAll('*').length")
                await page.close()
                html = len(httpx.get(url, headers={"Accept-Encoding": "identity"}).content) / 1000
        rows.append(
            (
                f"page with {count:,} finished downloads",
                f"usable after {usable:.2f} s, {html:.0f} kB, {nodes:,} nodes",
                "≤ 1.5 s, ≤ 200 kB, ≤ 3,000 nodes; MeTube 19.5 s, 10,300 kB, 531,000",
            )
        )


async def moving(rows: list[tuple[str, str, str]], browser: Browser, origin: Origin) -> None:
    with tempfile.TemporaryDirectory() as folder:
        await put_finished(Path(folder), 10_000)
        async with server(Path(folder)) as (url, process, _):
            await start_downloads(url, origin, range(3))
            page = await open_page(browser, url)
            busy = await busy_percent(page)
            await page.close()
            rows.append(("main thread, 3 downloads moving", f"{busy:.0f} % busy", "≤ 25 %; MeTube 102 %"))
            await start_downloads(url, origin, range(3, 8))
            await asyncio.sleep(FORGOTTEN_SECONDS)
            alone = await cpu_percent(process)
            pages = [await open_page(browser, url)]
            for tabs in (1, 10):
                pages += [await open_page(browser, url, height=1) for _ in range(tabs - len(pages))]
                await asyncio.sleep(LOADED_SECONDS)
                await pages[0].evaluate(OBSERVE)
                cost = await cpu_percent(process) - alone
                shown, heard = await pages[0].evaluate(AGES)
                rows.append(
                    (
                        f"server to DOM, 8 downloads, {tabs} tab{'s' * (tabs > 1)}",
                        f"{percentiles(shown)}; server {cost / tabs:.1f} % of a core a tab",
                        f"p99 ≤ 100 ms with 10 tabs; the bare feed in that page {percentiles(heard)}",
                    )
                )


async def closed(rows: list[tuple[str, str, str]], browser: Browser, origin: Origin) -> None:
    """The server's memory before and after 20 tabs; the first five have loaded what every later one uses, too."""
    with tempfile.TemporaryDirectory() as folder:
        await put_finished(Path(folder), 1_000)
        async with server(Path(folder)) as (url, process, _):
            await start_downloads(url, origin, range(3))

            async def megabytes_after(tabs: int) -> float:
                for page in [await open_page(browser, url, height=1) for _ in range(tabs)]:
                    await page.close()
                await asyncio.sleep(FORGOTTEN_SECONDS)
                return process.memory_info().rss / 1e6

            before, after = await megabytes_after(5), await megabytes_after(20)
    measured = f"{before:.0f} → {after:.0f} MB, {(after / before - 1) * 100:+.1f} %"
    rows.append(("server's memory after 20 tabs, opened and closed", measured, "within 10 %"))


async def main() -> None:
    origin = Origin()
    await origin.start()
    rows: list[tuple[str, str, str]] = []
    async with async_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        chosen = sys.argv[1:] or ["page", "moving", "closed"]
        if "page" in chosen:
            await page_size(rows, browser)
        if "moving" in chosen:
            await moving(rows, browser, origin)
        if "closed" in chosen:
            await closed(rows, browser, origin)
        await browser.close()
    print(f"| what ({os.cpu_count()} cores) | measured | goal; peers |\n| --- | --- | --- |")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    asyncio.run(main())
