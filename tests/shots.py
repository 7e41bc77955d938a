"""Screenshots of the main views into ``assets/screenshots``: ``python3 dev.py shots [NAME ...]``.

The server, its downloads and the browser are real; the files come from the tests' own origin, and afterwards each
download is given the name and the address that it has in the story.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import chromium
from fault_server import Sites
from faults import Faults
from live_server import LiveServer
from media_site import MediaSite
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

SHOTS = Path(__file__).parents[1] / "assets/screenshots"
COLORS = 192
WIDE, PHONE = (1280, 720), (390, 844)
MB = 1_000_000


@dataclass(frozen=True)
class Story:
    """A download as it is shown. Each connection gets ``burst`` bytes at once, then ``rate`` a second."""

    address: str
    size: int
    rate: int = 0
    burst: int = 0
    status: str = "completed"
    failure: int = 0


STORIES = (
    Story("http://docs.example.org/guides/field-guide-to-birds.epub", 14 * MB),
    Story("http://music.example.net/live/evening-concert-2026.flac", 61 * MB),
    Story("http://files.example.com/reports/annual-report-2025.pdf", 4 * MB),
    Story("http://files.example.com/fonts/open-type-collection.zip", 27 * MB),
    Story("http://archive.example.org/old/letters-1912.pdf", 0, status="failed", failure=404),
    Story("http://mirror.example.net/images/workstation-13.2-amd64.iso", 640 * MB, 100_000, 30 * MB, "paused"),
    Story("http://videos.example.org/lectures/a-history-of-maps-1080p.mp4", 412 * MB, 250_000, 12 * MB, "downloading"),
    Story("http://data.example.edu/sets/satellite-tiles-europe.tar.zst", 980 * MB, 250_000, 8 * MB, "downloading"),
    Story("http://videos.example.org/nature/a-year-on-the-river-2160p.mkv", 330 * MB, 250_000, 15 * MB, "downloading"),
)


def tell(server: LiveServer, sites: Sites, page: Page) -> None:
    """Make the list of :data:`STORIES`, the last ones half done."""
    server.client.patch("/api/settings", json={"max_active": 3, "connections": 8}).raise_for_status()
    for story in STORIES:
        refusal = {"status": story.failure, "fail": 1 << 60} if story.failure else {}
        sites.put(story.address, Faults(size=story.size, rate=story.rate, burst=story.burst, **refusal))
        made = server.client.post("/api/downloads", json={"url": story.address}).json()
        awaited = "downloading" if story.status == "paused" else story.status
        row = page.locator(f'[data-download-id="{made["id"]}"]')
        row.and_(page.locator(f'[data-status="{awaited}"]')).wait_for(timeout=60_000)
        if story.status == "paused":
            page.wait_for_timeout(4000)
            server.client.post(f"/api/downloads/{made['id']}/pause").raise_for_status()
    waiting = {"url": "http://videos.example.org/lectures/the-history-of-clocks-1080p.mp4"}
    server.client.post("/api/downloads", json=waiting).raise_for_status()
    page.wait_for_timeout(9000)


@contextmanager
def opened(browser: Browser, size: tuple[int, int], locale: str, scheme: str) -> Iterator[Page]:
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale=locale,
        timezone_id="Europe/Berlin",
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        device_scale_factor=1 if size == WIDE else 2,
    )
    yield context.new_page()
    context.close()


def take(page: Page, name: str) -> None:
    """Save what is shown with few colours, as a screenshot of an interface needs no more."""
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(600)
    path = SHOTS / f"{name}.png"
    page.screenshot(path=path)
    few = Image.open(path).convert("RGB").quantize(COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    print(f"{path.relative_to(SHOTS.parents[1])}  {path.stat().st_size / 1000:.0f} kB", flush=True)


def opening(server: LiveServer, page: Page, path: str = "/") -> None:
    page.goto(server.url + path)
    page.wait_for_function("window.socket?.connected")


def look_at(page: Page, url: str) -> None:
    """Open the form and let it look at ``url``."""
    page.get_by_role("button", name="Add URL").click()
    page.get_by_role("textbox", name="URL").fill(url)
    page.locator(".offer").wait_for(timeout=60_000)


def show_address(page: Page, url: str) -> None:
    """In the form, in the place of the real one."""
    page.get_by_role("textbox", name="URL").evaluate("(field, url) => { field.value = url; field.blur(); }", url)


def main(wanted: list[str]) -> None:
    """Take all, or those that are ``wanted``."""
    shots: list[tuple[str, tuple[int, int], str, str, Callable[[Page], None]]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sites, site = stack.enter_context(Sites()), stack.enter_context(MediaSite())
        browser = stack.enter_context(sync_playwright()).chromium.launch(**chromium.launch_options())
        stack.callback(browser.close)
        proxy = {"http_proxy": f"http://127.0.0.1:{sites.port}", "no_proxy": "127.0.0.1"}
        server, empty = LiveServer(folder / "full", **proxy), LiveServer(folder / "empty")
        for one in (server, empty):
            one.data_dir.parent.mkdir()
            stack.callback(one.close)
            one.start()

        def full(page: Page) -> None:
            opening(server, page)
            page.locator("[data-status=downloading]").first.wait_for()

        def adding(page: Page) -> None:
            full(page)
            ladder = site.ladder((480, 720, 1080))
            files, path = site.server.files, urlsplit(ladder).path
            named = path.replace("ladder", "The-art-of-bridges")
            files[named] = files[path]
            look_at(page, site.server.url(named))
            quality = page.get_by_label("Quality")
            quality.select_option(index=1)
            show_address(page, "https://videos.example.org/lectures/the-art-of-bridges")

        def playlist(page: Page) -> None:
            full(page)
            look_at(page, site.feed(12))
            entries = page.get_by_role("dialog").get_by_role("checkbox")
            for number in (1, 4):
                entries.nth(number).uncheck()
            show_address(page, "https://videos.example.org/series/a-short-history-of-light")

        with opened(browser, WIDE, "en-US", "light") as page:
            opening(server, page)
            tell(server, sites, page)
        shots += [
            ("dashboard", WIDE, "en-US", "dark", full),
            ("dashboard-light", WIDE, "en-US", "light", full),
            ("dashboard-arabic", WIDE, "ar", "light", full),
            ("phone", PHONE, "en-US", "dark", full),
            ("phone-light", PHONE, "en-US", "light", full),
            ("add", WIDE, "en-US", "light", adding),
            ("playlist", WIDE, "en-US", "dark", playlist),
            ("first-start", WIDE, "en-US", "light", lambda page: opening(empty, page)),
            ("options", WIDE, "en-US", "light", lambda page: opening(server, page, "/options")),
        ]
        for name, size, locale, scheme, prepare in shots:
            if not wanted or name in wanted:
                with opened(browser, size, locale, scheme) as page:
                    prepare(page)
                    take(page, name)
        server.client.post("/api/downloads/actions", json={"action": "pause", "ids": "all"})


if __name__ == "__main__":
    main(sys.argv[1:])
