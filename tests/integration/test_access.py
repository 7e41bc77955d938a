"""Who may do what: every caller at every door of the real server, on loopback and on any other bind."""

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import nicegui
import pytest
import trustme
from live_server import LiveServer
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from idm_app.access import EXTENSION_ID
from idm_app.container import check_health

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
    "preview": ("GET", "/api/downloads/1/preview", None),
    "zip of files": ("GET", "/api/files.zip?ids=1", None),
    "settings": ("GET", "/api/settings", None),
    "export": ("GET", "/api/export", None),
    "diagnostics": ("GET", "/api/diagnostics", None),
    "change settings": ("PATCH", "/api/settings", {}),
    "tokens": ("GET", "/api/tokens", None),
    "make a token": ("POST", "/api/tokens", {"name": "x" * 101}),
    "open a pairing": ("POST", "/api/pairings", None),
    "dashboard": ("GET", "/", None),
    "documentation": ("GET", "/api/docs", None),
    "assets": ("GET", "/assets/dashboard.css", None),
    "NiceGUI's files": ("GET", f"/_nicegui/{nicegui.__version__}/static/nicegui.js", None),
    "NiceGUI's socket, polling": ("GET", "/_nicegui_ws/socket.io/?EIO=4&transport=polling", None),
    "nothing": ("GET", "/nothing/here", None),
}
FEEDS = {"feed": "/ws", "long name of the feed": "/api/feed"}
NICEGUI = {"NiceGUI's socket": "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"}
LOOKING = {"list", "short list", "download", "stats", *FEEDS}
MAY = {
    SUBMIT: LOOKING | {"add", "short add"},
    CONTROL: LOOKING | {"change", "act", "finished file", "preview", "zip of files", "settings"},
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


OPEN = {"GET /api/health", "POST /api/login", "POST /api/logout", "POST /api/pairings/{code}"}
"""Of all that the document describes, what nobody needs to be for."""


@pytest.mark.parametrize("bind", ["127.0.0.1", "0.0.0.0"])
def test_no_route_was_forgotten(servers: Servers, bind: str) -> None:
    server = servers.of[bind]
    document = server.client.get("/api/openapi.json", headers=servers.headers(bind, ADMIN)).json()
    routes = [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]
    assert len(routes) > 30
    for method, path in routes:
        address = path.replace("{download_id}", "1").replace("{code}", "AAAA-9999").replace("{token_id}", "none")
        assert "{" not in address
        for caller in ("another site", "rebound name", *(["nobody", "wrong token"] if bind == "0.0.0.0" else [])):
            answer = server.client.request(method, address, headers=servers.headers(bind, caller))
            expected = refusal(bind, caller, path)
            if expected != 401 or f"{method} {path}" not in OPEN:
                assert answer.status_code == expected, (method, path)


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
    return socket.create_connection(("127.0.0.1", server.port))


# -- sessions, tokens, pairing over their life


@pytest.fixture
def exposed(servers: Servers) -> LiveServer:
    """The server that others can reach; its client is signed in."""
    server = servers.of["0.0.0.0"]
    assert server.client.post("/api/login", json={"password": PASSWORD}).status_code == 204
    return server


@contextmanager
def another_browser(server: LiveServer) -> Iterator[httpx.Client]:
    """Signed in as well."""
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        assert client.post("/api/login", json={"password": PASSWORD}).status_code == 204
        yield client


def listed(server: LiveServer, token_id: str) -> dict[str, Any] | None:
    """A token as the list of tokens shows it."""
    tokens = server.client.get("/api/tokens").json()["tokens"]
    return next((token for token in tokens if token["id"] == token_id), None)


def opened(server: LiveServer, client: httpx.Client | None = None, **options: Any) -> Any:
    """The feed, open."""
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items()) if client else ""
    headers = {"Cookie": cookies} if client else {}
    return connect(f"ws://127.0.0.1:{server.port}/ws", proxy=None, additional_headers=headers, **options)


def expect_cut(feed: Any) -> None:
    """The server closes it, and says why."""
    with suppress(ConnectionClosed):
        while feed.recv(10):
            pass
    assert feed.close_code == 4401


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(exposed: LiveServer) -> None:
    answer = exposed.client.post("/api/login", json={"password": PASSWORD})
    attributes = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes
    assert "secure" not in attributes
    assert len(answer.headers["set-cookie"].partition("=")[2].partition(";")[0]) >= 43  # 256 bits


def test_signing_out_ends_this_session_and_its_sockets_and_no_other(exposed: LiveServer) -> None:
    with another_browser(exposed) as other, opened(exposed, exposed.client) as feed, opened(exposed, other) as others:
        cookie = "; ".join(f"{name}={value}" for name, value in exposed.client.cookies.items())
        assert exposed.client.get("/list", headers={"Cookie": cookie}).status_code == 200
        assert exposed.client.post("/api/logout").status_code == 204
        expect_cut(feed)
        assert exposed.client.get("/list", headers={"Cookie": cookie}).status_code == 401
        others.send('{"type": "ping"}')
        assert any(json.loads(others.recv(10))["type"] == "pong" for _ in range(5))
        assert other.get("/list").status_code == 200


def test_signing_out_everywhere_ends_every_session_and_keeps_the_tokens(exposed: LiveServer) -> None:
    token = exposed.client.post("/api/tokens", json={"name": "script"}).json()["token"]
    with another_browser(exposed) as other, opened(exposed, exposed.client) as feed, opened(exposed, other) as others:
        assert other.post("/api/logout/everywhere").status_code == 204
        expect_cut(feed)
        expect_cut(others)
        assert exposed.client.get("/list").status_code == 401
    assert httpx.get(f"{exposed.url}/list", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_another_password_ends_every_session(server_factory: Any) -> None:
    server = server_factory("--host", "0.0.0.0", "--password", "first")
    assert server.client.post("/api/login", json={"password": "first"}).status_code == 204
    server.restart("--password", "second")
    assert server.client.get("/list").status_code == 401
    assert server.client.post("/api/login", json={"password": "first"}).status_code == 401
    assert server.client.post("/api/login", json={"password": "second"}).status_code == 204


def test_passwords_and_codes_cannot_be_guessed_whatever_a_client_says_of_its_address(server_factory: Any) -> None:
    server = server_factory("--host", "0.0.0.0", IDM_PASSWORD=PASSWORD)
    assert server.client.post("/api/login", json={"password": PASSWORD}).status_code == 204
    code = server.client.post("/api/pairings").json()["code"]
    doors = [
        ("/api/login", [{"password": f"wrong {n}"} for n in range(5)], {"password": PASSWORD}, 401),
        *((f"/api/pairings/AAAA-222{n}", [{}], {}, 404) for n in range(2, 7)),
    ]
    for path, wrong, _, status in doors:
        for number, body in enumerate(wrong):
            answer = httpx.post(server.url + path, json=body, headers={"X-Forwarded-For": f"192.0.2.{number}"})
            assert answer.status_code == status
    for path, right in (("/api/login", {"password": PASSWORD}), (f"/api/pairings/{code}", {})):
        refused = httpx.post(server.url + path, json=right)
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many-tries")
        assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert server.client.get("/list").status_code == 200  # who is signed in stays so


# -- addresses it answers under, other ways in


def test_in_a_lan_it_answers_under_its_address_and_name_but_not_under_any_name(servers: Servers) -> None:
    server = servers.of["0.0.0.0"]
    for host in ("192.0.2.7", "[2001:db8::1]:8000", socket.gethostname()):
        assert server.client.get("/api/health", headers={"Host": host}).status_code == 200
    assert server.client.get("/api/health", headers={"Host": "a.example"}).status_code == 421
    loopback = servers.of["127.0.0.1"]
    assert loopback.client.get("/api/health", headers={"Host": "192.0.2.7"}).status_code == 421


def test_https_with_a_certificate_of_ones_own_makes_the_cookie_secure(
    server_factory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    issued, trusted = authority.issue_cert("127.0.0.1"), ssl.create_default_context()
    authority.configure_trust(trusted)
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    options = ("--host", "0.0.0.0", "--cert", str(tmp_path / "cert.pem"), "--key", str(tmp_path / "key.pem"))
    server = server_factory(*options, trusts=trusted, IDM_PASSWORD=PASSWORD)
    assert server.url.startswith("https:")
    answer = server.client.post("/api/login", json={"password": PASSWORD})
    assert "secure" in answer.headers["set-cookie"].lower()
    assert f"ready: {server.url}" in server.output()
    monkeypatch.setenv("IDM_DATA_DIR", str(tmp_path))
    with pytest.raises(SystemExit, match="no server"):
        check_health()
    monkeypatch.setenv("IDM_DATA_DIR", str(server.data_dir))
    check_health()
    server.stop()
    with pytest.raises(httpx.ConnectError):
        check_health()


def test_what_a_proxy_says_counts_only_when_the_proxy_is_trusted(server_factory: Any, exposed: LiveServer) -> None:
    said, right = {"X-Forwarded-Proto": "https"}, {"password": PASSWORD}
    answer = exposed.client.post("/api/login", json=right, headers=said)
    assert "secure" not in answer.headers["set-cookie"].lower()
    server = server_factory("--trusted-proxy", "127.0.0.0/8", IDM_PASSWORD=PASSWORD)
    assert server.client.get("/list").status_code == 401  # who has a proxy in front is reached from elsewhere
    answer = server.client.post("/api/login", json=right, headers=said)
    assert "secure" in answer.headers["set-cookie"].lower()
    for number in range(6):
        whence = {"X-Forwarded-For": f"203.0.113.{number}"}
        assert server.client.post("/api/login", json={"password": "wrong"}, headers=whence).status_code == 401


def test_below_a_path_whether_the_proxy_takes_it_out_or_not(server_factory: Any) -> None:
    server = server_factory("--host", "0.0.0.0", "--root-path", "/tools/idm/", IDM_PASSWORD=PASSWORD)
    for start in ("", "/tools/idm"):
        page = server.client.get(f"{start}/", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/tools/idm/login")
        assert "Sign in" in server.client.get(f"{start}/login").text
        signed_in = server.client.post(f"{start}/api/login", json={"password": PASSWORD})
        assert "Path=/tools/idm;" in signed_in.headers["set-cookie"]
        cookie = {"Cookie": signed_in.headers["set-cookie"].partition(";")[0]}
        assert server.client.get(f"{start}/list", headers=cookie).json() == []
        page = server.client.get(f"{start}/", headers=cookie).text
        assert "/tools/idm/_nicegui/" in page
        assert '"/_nicegui' not in page
        server.client.cookies.clear()
