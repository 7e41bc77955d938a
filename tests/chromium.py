"""A real Chromium, and one with the extension loaded."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Playwright, Worker

EXTENSION = Path(__file__).parent.parent / "extension"
_IN_CONTAINERS = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
"""Chromium's sandbox refuses root."""
_SECONDS = 30


def program() -> str:
    """Its path. A missing browser is a failure, never a reason to skip: ``dev.py test`` installs one."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "no Chromium found; run the tests with: python3 dev.py test"
    return found


def launch_options(*arguments: str) -> dict[str, Any]:
    return {"executable_path": program(), "args": [*_IN_CONTAINERS, *arguments]}


def wait_until(page: Page, expression: str, arg: object = None) -> None:
    """Until the promise in ``page`` is kept with what is true (Playwright's own waiting does not await one)."""
    until = time.monotonic() + _SECONDS
    while not page.evaluate(expression, arg):
        assert time.monotonic() < until, f"not within {_SECONDS} s: {expression}"
        page.wait_for_timeout(50)


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
def extension(
    playwright: Playwright,
    profile: Path,
    server_url: str,
    *,
    granted: tuple[str, ...] = (),
    language: str = "en-US",
    camera: Path | None = None,
) -> Iterator[Extension]:
    """A browser with an empty ``profile`` and the extension. ``granted``: optional permissions that it has from the
    beginning, because a browser without a screen cannot ask; match patterns too.
    ``camera``: the film that it shows, as MJPEG; read when the camera is switched on."""
    folder = _granting(profile, granted) if granted else EXTENSION
    _set_download_folder(profile)
    context = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=program(),
        args=[
            *_IN_CONTAINERS,
            f"--disable-extensions-except={folder}",
            f"--load-extension={folder}",
            f"--lang={language}",
            *_filming(camera),
        ],
        locale=language,
    )
    workers = context.service_workers
    worker = workers[0] if workers else context.wait_for_event("serviceworker")
    worker.evaluate("server => chrome.storage.local.set({server})", server_url)
    yield Extension(context, worker.url.split("/")[2], server_url)
    context.close()


def _filming(film: Path | None) -> list[str]:
    """Chromium's own stand-in for a camera, and a user who lets pages use it."""
    if film is None:
        return []
    fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    return [*fake, f"--use-file-for-fake-video-capture={film}"]


def _granting(profile: Path, granted: tuple[str, ...]) -> Path:
    copy = profile.with_name("extension")
    shutil.copytree(EXTENSION, copy)
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    hosts = [pattern for pattern in granted if "/" in pattern]
    manifest["permissions"] += [name for name in granted if name not in hosts]
    manifest["host_permissions"] += hosts
    manifest["optional_permissions"] = [name for name in manifest["optional_permissions"] if name not in granted]
    (copy / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return copy


def _set_download_folder(profile: Path) -> None:
    """Beside the profile: what the browser itself downloads is no business of the machine's user."""
    folder = profile.with_name("browser-files")
    folder.mkdir(parents=True)
    (profile / "Default").mkdir(parents=True)
    preferences = {"download": {"default_directory": str(folder), "prompt_for_download": False}}
    (profile / "Default" / "Preferences").write_text(json.dumps(preferences), "utf-8")
