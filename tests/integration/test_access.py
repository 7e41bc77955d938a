"""Who may do what: every caller at every door of the real server, on loopback and on any other bind."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from live_server import LiveServer
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from idm_app.access import EXTENSION_ID

PASSWORD = "correct horse battery"
EVIL = {"Origin": "http://evil.example"}
EXTENSION = {"Origin": f"chrome-extension://{EXTENSION_ID}"}
REBOUND = {"Host": "evil.example"}
SESSION, SUBMIT, CONTROL, ADMIN = "session", "submit", "control", "admin"


class Servers:
    """One server of each kind, with a session and a token of each scope."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self.of: dict[str, LiveServer] = {}
        self.keys: dict[str, dict[str, dict[str, str]]] = {}
        for bind in ("127.0.0.1", "0.0.0.0"):
            (folder / bind).mkdir()
            server = LiveServer(folder / bind, "--host", bind, IDM_PASSWORD=PASSWORD)
            running.callback(server.close)
            server.start()
            keys = {"wrong token": {"Authorization": "Bearer idm_wrong"}}
            if bind == "0.0.0.0":
                answer = server.client.post("/api/login", json={"password": PASSWORD})
                keys[SESSION] = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
            for scope in (SUBMIT, CONTROL, ADMIN):
                made = server.client.post("/api/tokens", json={"name": scope, "scopes": [scope]})
                keys[scope] = {"Authorization": f"Bearer {made.json()['token']}"}
            server.client.cookies.clear()
            finished = {"url": "http://127.0.0.1:9/", "start": False}
            assert server.client.post("/download", json=finished, headers=keys[ADMIN]).status_code == 201
            self.of[bind], self.keys[bind] = server, keys

    def headers(self, bind: str, caller: str) -> dict[str, str]:
        """What this caller sends."""
        fixed = {"nobody": {}, "extension": EXTENSION, "another site": EVIL, "rebound name": REBOUND}
        if caller in fixed:
            return fixed[caller]
        if caller.startswith("another site with "):
            return EVIL | self.keys[bind][caller.removeprefix("another site with ")]
        return self.keys[bind][caller]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with ExitStack() as running:
        yield Servers(tmp_path_factory.mktemp("access"), running)


DOORS: dict[str, tuple[str, str, Any]] = {
    "health": ("GET", "/api/health", None),
    "list": ("GET", "/api/downloads", None),
    "short list": ("GET", "/list", None),
    "download": ("GET", "/api/downloads/1", None),
    "stats": ("GET", "/api/stats", None),
    "add": ("POST", "/api/downloads", {"url": "nonsense"}),
    "short add": ("POST", "/download", {"url": "nonsense"}),
    "change": ("PATCH", "/api/downloads/1", {"title": "same"}),
    "act": ("POST", "/api/downloads/actions", {"action": "pause", "ids": []}),
    "finished file": ("GET", "/api/downloads/1/file", None),
    "settings": ("GET", "/api/settings", None),
    "change settings": ("PATCH", "/api/settings", {}),
    "tokens": ("GET", "/api/tokens", None),
    "make a token": ("POST", "/api/tokens", {"name": "x" * 101}),
    "open a pairing": ("POST", "/api/pairings", None),
    "dashboard": ("GET", "/", None),
    "documentation": ("GET", "/api/docs", None),
    "assets": ("GET", "/assets/dashboard.css", None),
    "NiceGUI's files": ("GET", f"/_nicegui/{__import__('nicegui').__version__}/static/nicegui.js", None),
    "NiceGUI's socket, polling": ("GET", "/_nicegui_ws/socket.io/?EIO=4&transport=polling", None),
    "nothing": ("GET", "/nothing/here", None),
}
FEEDS = {"feed": "/ws", "long name of the feed": "/api/feed"}
NICEGUI = {"NiceGUI's socket": "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"}
LOOKING = {"list", "short list", "download", "stats", *FEEDS}
MAY = {
    SUBMIT: LOOKING | {"add", "short add"},
    CONTROL: LOOKING | {"change", "act", "finished file", "settings"},
}
CALLERS = ["nobody", "extension", "wrong token", SUBMIT, CONTROL, ADMIN, "another site", "rebound name"]
CALLERS_IN_LAN = [*CALLERS, SESSION, f"another site with {SESSION}", f"another site with {ADMIN}"]


def refusal(bind: str, caller: str, door: str) -> int | None:
    """The contract: with which status a caller is refused; ``None``: let in."""
    if caller == "rebound name":
        return 421
    if caller.startswith("another site"):
        return 403
    if door == "health":
        return None
    if caller == "wrong token" or (caller in ("nobody", "extension") and bind == "0.0.0.0"):
        return 401
    if caller in MAY and door not in MAY[caller]:
        return 403
    return None


CELLS = [
    (bind, caller, door)
    for bind, callers in (("127.0.0.1", CALLERS), ("0.0.0.0", CALLERS_IN_LAN))
    for caller in callers
    for door in (*DOORS, *FEEDS, *NICEGUI)
]


@pytest.mark.parametrize(("bind", "caller", "door"), CELLS, ids=lambda part: str(part))
def test_cell(servers: Servers, bind: str, caller: str, door: str) -> None:
    server, headers = servers.of[bind], servers.headers(bind, caller)
    expected = refusal(bind, caller, door)
    if door in DOORS:
        method, path, body = DOORS[door]
        answer = server.client.request(method, path, json=body, headers=headers)
        content = answer.content
        status = answer.status_code
        allowed_origin = answer.headers.get("access-control-allow-origin")
        assert allowed_origin == (EXTENSION["Origin"] if caller == "extension" else None)
        assert "access-control-allow-credentials" not in answer.headers
    else:
        status, content = upgraded(server, {**FEEDS, **NICEGUI}[door], headers)
    if expected is None:
        assert status not in (401, 403, 421, 500), content
    else:
        assert status == expected, content
        assert json.loads(content)["status"] == expected
        assert b"sid" not in content


def upgraded(server: LiveServer, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """The status of a WebSocket's handshake, and the answer or the first message."""
    named = {name: value for name, value in headers.items() if name != "Host"}
    host = headers.get("Host", f"127.0.0.1:{server.port}")
    try:
        with connect(
            f"ws://{host}:80{path}" if host == "evil.example" else f"ws://{host}{path}",
            sock=_socket(server),
            additional_headers=named,
            proxy=None,
            max_size=None,
        ) as opened:
            return 101, str(opened.recv(10)).encode()
    except InvalidStatus as refused:
        return refused.response.status_code, bytes(refused.response.body or b"")


def _socket(server: LiveServer) -> Any:
    import socket

    return socket.create_connection(("127.0.0.1", server.port))
