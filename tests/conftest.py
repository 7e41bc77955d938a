"""What all tests share: the real server as a process, origins that misbehave, a real browser with the extension."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))

import live_server
from fault_server import FaultServer
from feed_client import FeedClient
from live_server import LiveServer

from idm_app.engine.binaries import ffmpeg_folder, put_on_path

put_on_path(ffmpeg_folder())  # the tests' own calls find the ffmpeg that the engine finds

if TYPE_CHECKING:  # neither ffmpeg nor a browser for a test that needs none
    from chromium import Extension
    from media_site import MediaSite
    from playwright.sync_api import Browser, Playwright


@pytest.fixture
def origin() -> Iterator[FaultServer]:
    """Made-up files of any size, with any fault."""
    with FaultServer() as running:
        yield running


@pytest.fixture(scope="session")
def media_site() -> Iterator["MediaSite"]:
    """Pages with videos, HLS, DASH, a feed."""
    from media_site import MediaSite

    with MediaSite() as running:
        yield running


@pytest.fixture
def free_port() -> int:
    return live_server.free_port()


@pytest.fixture
def server_factory(tmp_path: Path) -> Iterator[Callable[..., LiveServer]]:
    """``server_factory("--option", …, IDM_NAME="…")`` starts a server, each with folders of its own."""
    with ExitStack() as running:
        count = 0

        def start(*options: str, **environment: Any) -> LiveServer:
            nonlocal count
            count += 1
            folder = tmp_path / f"server-{count}"
            folder.mkdir()
            server = LiveServer(folder, *options, **environment)
            running.callback(server.close)
            server.start()
            return server

        yield start


@pytest.fixture
def server(server_factory: Callable[..., LiveServer]) -> LiveServer:
    """One server. That it ends well, and without a traceback in its log, is part of every test."""
    return server_factory()


@pytest.fixture
def feed(server: LiveServer) -> Iterator[FeedClient]:
    """A client of the server's feed."""
    with FeedClient(server.url) as connected:
        yield connected


@pytest.fixture(scope="module")
def playwright() -> Iterator["Playwright"]:
    """For a module, not longer: while it runs, no test of asyncio can."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # as actions have; a busy machine is slow, not wrong
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: "Playwright") -> Iterator["Browser"]:
    import chromium

    running = playwright.chromium.launch(**chromium.launch_options())
    yield running
    running.close()


@pytest.fixture
def extension(playwright: "Playwright", server: LiveServer, tmp_path: Path) -> Iterator["Extension"]:
    """A browser with the extension, which knows the server."""
    import chromium

    with chromium.extension(playwright, tmp_path / "profile", server.url) as loaded:
        yield loaded
