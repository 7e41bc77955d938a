"""A real Chromium, and one with the extension loaded."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, Playwright, Worker

EXTENSION = Path(__file__).parent.parent / "extension"
_IN_CONTAINERS = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
"""Chromium's sandbox refuses root."""


def program() -> str:
    """Its path. A missing browser is a failure, never a reason to skip: ``dev.py test`` installs one."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "no Chromium found; run the tests with: python3 dev.py test"
    return found


def launch_options() -> dict[str, object]:
    return {"executable_path": program(), "args": _IN_CONTAINERS}


@dataclass(frozen=True)
class Extension:
    """A browser with the extension, which knows the server's address."""

    context: BrowserContext
    id: str
    server_url: str

    def open_popup(self) -> Page:
        """The popup, as a page of its own."""
        return self.open("popup/popup.html")

    def open(self, path: str) -> Page:
        """A page of the extension."""
        page = self.context.new_page()
        page.goto(f"chrome-extension://{self.id}/{path}")
        return page

    @property
    def worker(self) -> Worker:
        """The service worker; stale once it was stopped."""
        return self.context.service_workers[0]


@contextmanager
def extension(playwright: Playwright, profile: Path, server_url: str) -> Iterator[Extension]:
    """A browser with an empty ``profile`` and the extension."""
    context = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=program(),
        args=[*_IN_CONTAINERS, f"--disable-extensions-except={EXTENSION}", f"--load-extension={EXTENSION}"],
    )
    workers = context.service_workers
    worker = workers[0] if workers else context.wait_for_event("serviceworker")
    worker.evaluate("server => chrome.storage.local.set({server})", server_url)
    yield Extension(context, worker.url.split("/")[2], server_url)
    context.close()
