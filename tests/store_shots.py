"""Pictures for the extension's page in a store, and the README's of its popup: ``python3 dev.py shots store``.

Server, downloads, page and extension are real; afterwards each download gets the address that it has in the story.
Each picture is 1280 × 800, as the stores want it.
"""

import io
import tempfile
from pathlib import Path

import chromium
from fault_server import FaultServer
from live_server import LiveServer
from PIL import Image
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parents[1] / "docs/store"
README = Path(__file__).parents[1] / "assets/screenshots/popup.png"
SIZE, BACKGROUND = (1280, 800), {"light": "#d9e3e6", "dark": "#05080a"}
COLORS = 192
MB = 1_000_000
SITE = "https://films.example.org"
PAGE = """<!doctype html><title>Holiday films, summer edition</title><video src="{film}" muted></video>
<a href="{song}">The song</a> <a href="/docs/handbook.pdf">The handbook</a>
<a href="/archive/all.zip">Everything in one archive</a>
<a href="/pictures/beach.jpg">The beach</a> <a href="/pictures/harbour.jpg">The harbour</a>"""
DOWNLOADS = (
    ("/docs/handbook.pdf", {"size": 2 * MB}),
    ("/archive/Photos of the summer.zip", {"size": 180 * MB, "rate": 300_000, "burst": 6 * MB}),
    ("/images/workstation-13.2-amd64.iso", {"size": 660 * MB, "rate": 600_000, "burst": 30 * MB}),
)


def shot(
    extension: chromium.Extension, path: str, scheme: str = "light", *, width: int = 380, part: str = "body"
) -> Image.Image:
    """What the selector ``part`` names in a page of the extension."""
    page = extension.context.new_page()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 600})
    page.goto(f"chrome-extension://{extension.id}/{path}")
    page.wait_for_selector("#connection[data-connection=connected], #links li, #take:checked")
    page.wait_for_timeout(5000)  # rates settle, media is asked about
    media = page.locator("#media-heading")
    if media.is_visible():
        media.click()
    tell_addresses(page)
    taken = page.locator(part).screenshot()
    page.close()
    return Image.open(io.BytesIO(taken))


def tell_addresses(page: Page) -> None:
    """The story's site in place of the tests' own."""
    page.evaluate(
        """site => {
            const told = text => text.replace(/http:..127[.0-9:]+/, site).replace(/[?]size.*/, '');
            for (const field of document.querySelectorAll('#url, #server')) field.value = told(field.value);
            for (const words of document.querySelectorAll('.address')) words.textContent = told(words.textContent);
            const cookies = document.getElementById('cookies-text');
            if (cookies) cookies.textContent = cookies.textContent.replace('127.0.0.1', new URL(site).hostname);
            document.activeElement?.blur();
        }""",
        SITE,
    )


def save(name: str, scheme: str, *shots: Image.Image) -> None:
    """Side by side in the middle of one picture."""
    picture = Image.new("RGB", SIZE, BACKGROUND[scheme])
    gap = (SIZE[0] - sum(each.width for each in shots)) // (len(shots) + 1)
    left = gap
    for each in shots:
        picture.paste(each, (left, (SIZE[1] - each.height) // 2))
        left += each.width + gap
    path = FOLDER / f"{name}.png"
    few = picture.quantize(COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    print(f"{path.relative_to(FOLDER.parents[1])}  {path.stat().st_size / 1000:.0f} kB", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, FaultServer() as origin, sync_playwright() as playwright:
        (Path(folder) / "server").mkdir()
        server = LiveServer(Path(folder) / "server")
        server.start()
        film = origin.url("/holiday-film.mp4", size=48_300_000, content_type="video/mp4")
        song = origin.url("/music/song.mp3", size=6_200_000)
        origin.files["/summer"] = (PAGE.format(film=film, song=song).encode(), "text/html; charset=utf-8")
        with chromium.extension(playwright, Path(folder) / "profile", server.url) as extension:
            page = extension.context.new_page()
            page.goto(origin.url("/summer"))
            own = extension.open("options/options.html")
            own.evaluate("() => chrome.storage.local.set({takeOver: {isOn: true, extensions: ['zip', 'iso', 'mp4']}})")
            tab = own.evaluate("async url => (await chrome.tabs.query({})).find(tab => tab.url === url).id", page.url)
            for path, knobs in DOWNLOADS:
                server.client.post("/api/downloads", json={"url": origin.url(path, **knobs)}).raise_for_status()
            popup = shot(extension, f"popup/popup.html?tab={tab}")
            dark = shot(extension, "popup/popup.html", "dark")
            links = shot(extension, f"picker/picker.html?tab={tab}", width=760)
            rules = shot(extension, "options/options.html", width=720, part="section:has(#take)")
            save("popup", "light", shot(extension, "popup/popup.html"), popup)
            save("links", "light", popup, links)
            save("takeover", "light", popup, rules)
            found = shot(extension, f"popup/popup.html?tab={tab}", "dark")
            save("dark", "dark", dark, found)
            found.convert("RGB").save(README, optimize=True)
        server.close()


if __name__ == "__main__":
    main()
