"""``idm --native``: the real window on a screen without a monitor, its page looked at through Chromium's own door."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from live_server import LiveServer, free_port
from screen import Screen, screen, wait_for
from websockets.sync.client import connect

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the screen without a monitor is an X server")
MIB = 1024 * 1024
TITLE = "idm – download manager"


@pytest.fixture
def desk() -> Iterator[Screen]:
    with screen() as shown:
        yield shown


@pytest.fixture
def notices(tmp_path: Path) -> Path:
    """What the desktop was asked to tell the person, a line each; its program is in ``programs`` beside it."""
    programs, notices = tmp_path / "programs", tmp_path / "notices"
    programs.mkdir()
    program = programs / "notify-send"
    program.write_text(f'#!/bin/sh\nshift 2\necho "$@" >> "{notices}"\n')
    program.chmod(0o755)
    notices.touch()
    (tmp_path / "Downloads").mkdir()
    return notices


@pytest.fixture
def start(
    desk: Screen, notices: Path, tmp_path: Path, server_factory: Callable[..., LiveServer]
) -> Callable[..., LiveServer]:
    """Starts the server with its window; ``debugging`` is the port of the page's own door."""

    def start(debugging: int) -> LiveServer:
        return server_factory(
            "--native",
            DISPLAY=desk.name,
            HOME=str(tmp_path),
            PATH=f"{notices.parent / 'programs'}:{os.environ['PATH']}",
            QTWEBENGINE_CHROMIUM_FLAGS="--no-sandbox",
            QTWEBENGINE_REMOTE_DEBUGGING=str(debugging),
            DBUS_SESSION_BUS_ADDRESS="unix:path=/nowhere",
        )

    return start


class Page:
    """The page in the window, through the debugger's door (Playwright wants more of a browser than Qt's engine has)."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.wait_for("document.querySelector('[data-connection=connected]') !== null")

    def wait_for(self, expression: str) -> None:
        wait_for(expression, lambda: self.evaluate(expression))

    def evaluate(self, expression: str) -> Any:
        """Its value; ``None`` while there is no page."""
        try:
            targets = httpx.get(f"http://127.0.0.1:{self._port}/json", trust_env=False).json()
        except httpx.HTTPError:
            return None
        page = next((target for target in targets if target["type"] == "page"), None)
        if page is None:
            return None
        with connect(page["webSocketDebuggerUrl"], proxy=None) as socket:
            what = {"expression": expression, "returnByValue": True, "userGesture": True}
            socket.send(json.dumps({"id": 1, "method": "Runtime.evaluate", "params": what}))
            answer = json.loads(socket.recv(30))
        return answer["result"]["result"].get("value") if "result" in answer else None


def test_the_window_shows_the_dashboard_saves_tells_and_asks_before_closing(
    desk: Screen, notices: Path, start: Callable[..., LiveServer], tmp_path: Path, origin: Any
) -> None:
    port = free_port()
    server = start(port)
    page = Page(port)
    window = desk.window(TITLE)
    wait_for("a picture", lambda: desk.colours(window) > 50)

    desk.unfocus()
    server.client.post("/api/downloads", json={"url": origin.url("/file/film.mkv", size=MIB)}).raise_for_status()
    wait_for("the notification", lambda: "Download complete film.mkv" in notices.read_text())
    page.wait_for("document.querySelector('a.save') !== null")
    page.evaluate("document.querySelector('a.save').click()")
    desk.press(desk.window("Save"), "Return")
    saved = tmp_path / "Downloads" / "film.mkv"
    wait_for("the saved file", lambda: saved.exists() and saved.stat().st_size == MIB)
    assert page.evaluate("document.querySelector('[aria-label=\"Open file\"]') !== null")

    slow = origin.url("/file/slow.bin", size=200 * MIB, rate=100_000)
    server.client.post("/api/downloads", json={"url": slow, "connections": 1}).raise_for_status()
    page.wait_for("document.querySelector('[data-status=downloading]') !== null")
    desk.ask_to_close(window)
    wait_for("the question", lambda: len(desk.windows(TITLE)) == 2)
    desk.press(desk.windows(TITLE)[-1], "Escape")
    wait_for("the end of the question", lambda: len(desk.windows(TITLE)) == 1)
    assert server.is_running
    desk.ask_to_close(window)
    wait_for("the question again", lambda: len(desk.windows(TITLE)) == 2)
    desk.press(desk.windows(TITLE)[-1], "Tab", "space")
    wait_for("the end of the server", lambda: not server.is_running)


def test_the_window_remembers_its_size_and_place_and_closes_with_the_server(
    desk: Screen, start: Callable[..., LiveServer]
) -> None:
    port = free_port()
    server = start(port)
    Page(port)
    window = desk.window(TITLE)
    chosen = (90, 70, 900, 600)
    desk.place(window, chosen)
    wait_for("the new size", lambda: desk.geometry(window) == chosen)
    desk.ask_to_close(window)
    wait_for("the end of the server", lambda: not server.is_running)

    server.start()
    Page(port)
    assert desk.geometry(desk.window(TITLE)) == chosen
    assert server.stop() == 0
    wait_for("the end of the window", lambda: not desk.windows(TITLE))


_STUCK = """
import sys, threading, webview
from pathlib import Path
from idm_app.window.__main__ import show
webview.start = lambda *_, **__: threading.Thread(target=threading.Event().wait).start()
show("http://127.0.0.1:9", Path(sys.argv[1]), Path("no-icon"))
"""


def test_a_thread_that_waits_for_a_page_that_is_gone_does_not_keep_the_closed_window(tmp_path: Path) -> None:
    """As pywebview's does whose window is closed in the instant in which its page has loaded."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    subprocess.run([sys.executable, "-c", _STUCK, str(tmp_path)], env=environment, check=True, timeout=60)


def test_where_there_is_a_tray_the_closed_window_waits_in_it(desk: Screen, start: Callable[..., LiveServer]) -> None:
    tray = desk.make_tray()
    port = free_port()
    server = start(port)
    Page(port)
    icon = tray.icon()
    desk.ask_to_close(desk.window(TITLE))
    wait_for("the end of the window", lambda: not desk.windows(TITLE))
    desk.click(icon)
    assert desk.window(TITLE)
    assert server.is_running


def test_without_a_screen_one_sentence_says_so(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [sys.executable, "-m", "idm_app", "--native", "--port", str(free_port()), "--data-dir", str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "without --native" in done.stderr


def test_without_the_packages_one_sentence_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    from idm_app import window
    from idm_app.errors import WrongOption

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(WrongOption, match=r'pip install "pywebview\[qt\]"'):
        window.check()


def test_a_window_that_cannot_be_shown_is_told_with_what_it_needs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "idm_app", "--native", "--port", str(free_port()), "--data-dir", str(tmp_path)],
        env={**os.environ, "DISPLAY": ":4242"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "window.log says why" in done.stderr
    assert (tmp_path / "window.log").read_text()
