"""Render the SVG sources beside this file to PNG icons: ``python assets/icons/render.py [chromium]``.

16 px is drawn from ``favicon.svg``, whose edges lie on whole pixels; the larger sizes from ``logo.svg``.
"""

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

SOURCES = Path(__file__).parent
ICONS = SOURCES.parents[1] / "extension" / "icons"


def render(page: Page, svg: Path, size: int, png: Path) -> None:
    """Write ``svg`` as a transparent square PNG of ``size`` px."""
    page.set_viewport_size({"width": size, "height": size})
    page.set_content(f"<style>body{{margin:0}}svg{{display:block;width:{size}px}}</style>{svg.read_text()}")
    page.screenshot(path=png, omit_background=True)


def main(chromium: str | None) -> None:
    """Render the extension's two sets (in colour, and grey for an offline server) and the installed dashboard's."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        for suffix in ("", "-grey"):
            render(page, SOURCES / f"favicon{suffix}.svg", 16, ICONS / f"16{suffix}.png")
            for size in (32, 48, 128):
                render(page, SOURCES / f"logo{suffix}.svg", size, ICONS / f"{size}{suffix}.png")
        for size in (192, 512):
            render(page, SOURCES / "logo.svg", size, SOURCES / f"{size}.png")
        render(page, SOURCES / "maskable.svg", 512, SOURCES / "maskable-512.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
