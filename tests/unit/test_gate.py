"""The gate, as a table: who asks what, and what comes back. Behind it stands an application that says yes to all."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from idm_app.access import EXTENSION_ID, Access, Gate
from idm_app.access.gate import MAX_BODY_BYTES
from idm_app.settings import Options

OURS = [("host", "127.0.0.1:8000")]
JSON = [("content-type", "application/json"), ("content-length", "2")]
EXTENSION = ("origin", f"chrome-extension://{EXTENSION_ID}")


async def behind(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        return
    while (await receive()).get("more_body"):
        pass
    names = [name.decode() for name, _ in scope["headers"]]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-seen", ",".join(names).encode())]})
    await send({"type": "http.response.body", "body": b"yes"})


async def ask(
    headers: list[tuple[str, str]],
    *,
    kind: str = "http",
    method: str = "GET",
    path: str = "/",
    body: list[bytes] | None = None,
    extensions: dict[str, Any] | None = None,
) -> tuple[int, list[dict[str, Any]]]:
    """The status (101 for an accepted socket, 1008 for one that is closed) and all messages."""
    options = Options(data_dir=Path("/d"), download_dir=Path("/d"), trusted_hosts=("nas.lan",))
    access = Access(options, "0")
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "extensions": extensions if extensions is not None else {"websocket.http.response": {}},
    }
    parts, sent = list(body or [b""]), []

    async def receive() -> dict[str, Any]:
        if kind == "websocket":
            return {"type": "websocket.connect"}
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await Gate(behind, options, access)(scope, receive, send)  # type: ignore[arg-type]
    first = sent[0]
    return first.get("status") or {"websocket.accept": 101, "websocket.close": 1008}[first["type"]], sent


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OURS, 200),
        ([("host", "localhost:8000")], 200),
        ([("host", "LOCALHOST")], 200),
        ([("host", "[::1]:8000")], 200),
        ([("host", "nas.lan")], 200),
        ([("host", "evil.example")], 421),
        ([("host", "127.0.0.1.evil.example")], 421),
        ([("host", "user@127.0.0.1")], 421),
        ([("host", "127.0.0.1/foo?")], 421),
        ([("host", "127.0.0.1:8000:1")], 421),
        ([("host", "a" * 3000)], 421),
        ([("host", "")], 421),
        ([], 421),
        ([*OURS, *OURS], 421),
        ([*OURS, ("origin", "http://127.0.0.1:8000")], 200),
        ([*OURS, EXTENSION], 200),
        ([*OURS, ("origin", "http://evil.example")], 403),
        ([*OURS, ("origin", "null")], 403),
        ([*OURS, ("origin", "")], 403),
        ([*OURS, ("origin", "http://127.0.0.1:8001")], 403),
        ([*OURS, ("origin", "chrome-extension://" + "b" * 32)], 403),
        ([*OURS, ("origin", "http://[evil")], 403),
        ([("host", "evil.example"), ("origin", "http://evil.example")], 421),
        ([*OURS, ("sec-fetch-site", "cross-site")], 403),
        ([*OURS, ("sec-fetch-site", "same-site")], 403),
        ([*OURS, ("sec-fetch-site", "same-origin")], 200),
        ([*OURS, ("sec-fetch-site", "none"), EXTENSION], 200),
        ([*OURS, ("x-forwarded-host", "evil.example")], 200),
    ],
)
async def test_callers(headers: list[tuple[str, str]], status: int, kind: str) -> None:
    got, _ = await ask(headers, kind=kind)
    assert got == (101 if kind == "websocket" and status == 200 else status)


async def test_a_link_on_another_site_may_open_the_dashboard_but_nothing_else() -> None:
    link = [*OURS, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]
    assert (await ask(link))[0] == 200
    assert (await ask(link, method="POST"))[0] == 403
    assert (await ask([*link[:-1], ("sec-fetch-dest", "iframe")]))[0] == 403


async def test_the_extension_may_save_a_file_by_the_browsers_own_download_and_no_script_may() -> None:
    download = [*OURS, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "empty")]
    script = [*OURS, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "empty")]
    assert (await ask(download))[0] == 200
    assert (await ask(download, method="POST"))[0] == 403
    assert (await ask(script))[0] == 403


async def test_a_refused_socket_is_closed_where_the_server_cannot_answer_it() -> None:
    assert (await ask([("host", "evil.example")], kind="websocket", extensions={}))[0] == 1008


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        (JSON, "/api/downloads", 200),
        ([("content-type", "application/json; charset=utf-8"), ("content-length", "2")], "/download", 200),
        ([("content-type", "text/plain"), ("content-length", "2")], "/api/downloads", 415),
        ([("content-type", "application/x-www-form-urlencoded"), ("content-length", "2")], "/download", 415),
        ([("content-length", "2")], "/api/downloads", 415),
        ([("transfer-encoding", "chunked")], "/api/downloads", 415),
        ([("content-length", "0")], "/api/downloads/1/pause", 200),
        ([], "/api/downloads/1/pause", 200),
        ([("content-type", "application/json"), ("content-length", str(MAX_BODY_BYTES + 1))], "/api/downloads", 413),
        ([("content-type", "application/json"), ("content-length", "-1")], "/api/downloads", 413),
    ],
)
async def test_bodies(headers: list[tuple[str, str]], path: str, status: int) -> None:
    assert (await ask([*OURS, *headers], method="POST", path=path))[0] == status


async def test_a_body_that_grows_past_the_limit_is_cut() -> None:
    status, _ = await ask(
        [*OURS, ("content-type", "application/json"), ("transfer-encoding", "chunked")],
        method="POST",
        path="/api/downloads",
        body=[b"x" * 1024 * 1024] * 9,
    )
    assert status == 413


async def test_refusals_are_problems_with_a_code_and_a_sentence() -> None:
    _, (start, body) = await ask([("host", "evil.example")])
    assert dict(start["headers"])[b"content-type"] == b"application/problem+json"
    problem = json.loads(body["body"])
    assert (problem["status"], problem["code"]) == (421, "unknown-host")
    assert problem["message"].endswith(".")


async def test_every_answer_is_hardened_and_forwarded_headers_do_not_get_in() -> None:
    _, (start, _body) = await ask(
        [*OURS, ("x-forwarded-prefix", "//evil"), ("forwarded", "host=evil"), ("accept", "*/*")]
    )
    headers = dict(start["headers"])
    assert headers[b"x-seen"] == b"host,accept"
    assert b"frame-ancestors 'none'" in headers[b"content-security-policy"]
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert not any(name.startswith(b"access-control") for name in headers)


async def test_only_our_extension_is_answered_across_origins() -> None:
    preflight = [*OURS, ("access-control-request-method", "POST")]
    status, (start, _body) = await ask([*preflight, EXTENSION], method="OPTIONS", path="/api/downloads")
    headers = dict(start["headers"])
    assert (status, headers[b"access-control-allow-origin"].decode()) == (204, EXTENSION[1])
    assert b"authorization" in headers[b"access-control-allow-headers"]
    assert b"access-control-allow-credentials" not in headers
    status, (start, _body) = await ask([*preflight, ("origin", "http://evil.example")], method="OPTIONS")
    assert status == 403
    assert not any(name.startswith(b"access-control") for name, _ in start["headers"])


def test_the_extension_that_is_let_in_is_the_one_of_the_manifest() -> None:
    manifest = json.loads((Path(__file__).parents[2] / "extension" / "manifest.json").read_text())
    digest = hashlib.sha256(base64.b64decode(manifest["key"])).hexdigest()[:32]
    assert "".join(chr(ord("a") + int(digit, 16)) for digit in digest) == EXTENSION_ID
