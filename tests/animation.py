"""The README's animation, ``assets/screenshots/live.webp``: twenty seconds of real use. ``python3 dev.py shots live``.

The server, its downloads and the browser are real. The sites of the story are an origin of the tests, which the
server takes for its proxy: so they have names of their own.
"""

import base64
import io
import tempfile
import time
from pathlib import Path
from typing import Any

import chromium
import media_files
from fault_server import Sites
from faults import Faults
from live_server import LiveServer
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

TARGET = Path(__file__).parents[1] / "assets/screenshots/live.webp"
MOST_BYTES = 2_000_000
FRAME_MS = 80
SIZE = {"width": 1040, "height": 600}
MB = 1_000_000
HERE_ALREADY = (
    ("http://docs.example.org/guides/field-guide-to-birds.epub", 14 * MB),
    ("http://music.example.net/live/evening-concert-2026.flac", 61 * MB),
    ("http://files.example.com/reports/annual-report-2025.pdf", 4 * MB),
)
PAGE = "http://videos.example.org/nature/a-year-on-the-river"
PASTED = (
    ("http://mirror.example.net/images/workstation-13.2-amd64.iso", Faults(size=640 * MB, rate=500_000)),
    ("http://data.example.edu/sets/satellite-tiles-europe.tar.zst", Faults(size=52 * MB, rate=600_000)),
)
POINTER = """() => {
  const pointer = document.createElement("div");
  pointer.innerHTML = '<svg width="22" height="26" viewBox="0 0 22 26"><path d="M2 2v19l5-5 3.4 8 3.6-1.5L10.6 15H18z"'
    + ' fill="#fff" stroke="#111" stroke-width="1.5" stroke-linejoin="round"/></svg>';
  Object.assign(pointer.style, {position: "fixed", left: 0, top: 0, zIndex: 99999, pointerEvents: "none",
    transition: "transform .45s ease-in-out", transform: "translate(560px, 420px)"});
  document.body.append(pointer);
  addEventListener("mousemove", (e) => { pointer.style.transform = `translate(${e.clientX}px, ${e.clientY}px)`; });
}"""


class Recorder:
    """What the browser shows, whenever that changes."""

    def __init__(self, page: Page) -> None:
        self._shown: list[tuple[float, bytes]] = []
        self._cut_seconds = 0.0
        self._session = page.context.new_cdp_session(page)
        self._session.on("Page.screencastFrame", self._keep)
        self._session.send("Page.startScreencast", {"format": "png"})

    def _keep(self, event: dict[str, Any]) -> None:
        at = event["metadata"]["timestamp"] - self._cut_seconds
        self._shown.append((at, base64.b64decode(event["data"])))
        self._session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    def wait(self, target: Locator) -> None:
        """For ``target``. Of a wait that a busy machine makes long no more than a second is kept."""
        began = time.monotonic()
        target.wait_for(timeout=60_000)
        waited = time.monotonic() - began
        ended = time.time() - self._cut_seconds
        self._shown = [(at, shown) for at, shown in self._shown if not 1 < at - (ended - waited) <= waited]
        self._cut_seconds += max(0.0, waited - 1)

    def frames(self) -> list[Image.Image]:
        """At an even pace."""
        self._session.send("Page.stopScreencast")
        began, ended = self._shown[0][0], self._shown[-1][0]
        frames, position = [], 0
        for number in range(round((ended - began) * 1000 / FRAME_MS)):
            while position + 1 < len(self._shown) and self._shown[position + 1][0] <= began + number * FRAME_MS / 1000:
                position += 1
            frames.append(Image.open(io.BytesIO(self._shown[position][1])).convert("RGB"))
        return frames


def click(page: Page, target: Locator) -> None:
    """As a person does: the pointer goes there first."""
    box = target.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(650)
    target.click()


def act(page: Page, recorder: Recorder) -> None:
    """The story: look at a page, download it, paste more, pause, go on, save."""

    def row(download_id: int) -> Locator:
        return page.locator(f'[data-download-id="{download_id}"]')

    page.wait_for_timeout(800)
    click(page, page.get_by_role("button", name="Add URL"))
    page.wait_for_timeout(500)
    page.get_by_role("textbox", name="URL").fill(PAGE)
    recorder.wait(page.locator(".offer"))
    page.wait_for_timeout(1300)
    click(page, page.get_by_role("button", name="Download", exact=True))
    recorder.wait(row(4).and_(page.locator("[data-status=downloading]")))
    page.wait_for_timeout(1500)
    page.evaluate(
        """text => { const clipboardData = new DataTransfer(); clipboardData.setData("text/plain", text);
           const paste = new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true});
           document.body.dispatchEvent(paste) }""",
        "\n".join(address for address, _ in PASTED),
    )
    page.get_by_role("textbox", name="URL").wait_for()
    page.wait_for_timeout(1500)
    click(page, page.get_by_role("button", name="Download", exact=True))
    page.wait_for_timeout(1800)
    click(page, row(5).get_by_role("button", name="Pause"))
    page.wait_for_timeout(1500)
    click(page, row(5).get_by_role("button", name="Resume"))
    saved = row(4).get_by_role("link", name="Save")
    recorder.wait(saved)
    page.wait_for_timeout(400)
    click(page, saved)
    page.wait_for_timeout(1500)


def record(browser: Browser, server: LiveServer) -> list[Image.Image]:
    context = browser.new_context(viewport=SIZE, locale="en-US", timezone_id="Europe/Berlin", color_scheme="dark")
    page = context.new_page()
    page.goto(server.url)
    page.wait_for_function("window.socket?.connected")
    page.evaluate("document.fonts.ready")
    page.evaluate(POINTER)
    page.wait_for_timeout(700)
    recorder = Recorder(page)
    act(page, recorder)
    frames = recorder.frames()
    context.close()
    return frames


def save(frames: list[Image.Image]) -> None:
    """As good as fits."""
    for quality in (80, 65, 50, 35):
        frames[0].save(
            TARGET, save_all=True, append_images=frames[1:], duration=FRAME_MS, loop=0, quality=quality, method=4
        )
        if TARGET.stat().st_size <= MOST_BYTES:
            print(f"{TARGET.name}  {len(frames) * FRAME_MS / 1000:.0f} s, {TARGET.stat().st_size / 1000:.0f} kB")
            return
    raise SystemExit(f"{TARGET} is larger than {MOST_BYTES} bytes")


def main() -> None:
    """Make it."""
    with tempfile.TemporaryDirectory() as folder, Sites() as sites, sync_playwright() as playwright:
        video = media_files.padded(media_files.make()["clip.mp4"], 86 * MB)
        sites.files["/nature/a-year-on-the-river"] = (
            b"<title>A year on the river</title><video><source src=/river.mp4 type=video/mp4></video>",
            "text/html",
        )
        sites.files["/river.mp4"] = (video, "video/mp4")
        sites.put("http://videos.example.org/river.mp4", Faults(rate=800_000))
        for address, size in HERE_ALREADY:
            sites.put(address, Faults(size=size))
        for address, faults in PASTED:
            sites.put(address, faults)
        server = LiveServer(Path(folder), http_proxy=f"http://127.0.0.1:{sites.port}")
        server.start()
        try:
            for address, _ in HERE_ALREADY:
                server.client.post("/api/downloads", json={"url": address}).raise_for_status()
            browser = playwright.chromium.launch(**chromium.launch_options())
            while server.client.get("/api/downloads?status=completed").json()["total"] != len(HERE_ALREADY):
                time.sleep(0.1)
            frames = record(browser, server)
            browser.close()
        finally:
            server.close()
    save(frames)


if __name__ == "__main__":
    main()
