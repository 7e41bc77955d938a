"""One ASGI gate before everything: REST, feed, the dashboard's pages and its own socket, static and finished files.

In order, each refusal before anything behind the gate has seen the request (sources: the contract's "Who may call";
Fetch metadata, https://w3c.github.io/webappsec-fetch-metadata/; DNS rebinding, CVE-2018-5702):

1. ``Host``: exactly one, and a name of ours, else ``421``: a rebound name reads nothing.
2. ``Origin``, when present: ours or the extension's, else ``403``. ``Sec-Fetch-Site`` catches what sends none.
   Firefox gives its extensions another origin in every installation: they may come with a token, or to get one.
3. Credentials that open the door (``doors.py``), else ``401`` or ``403``; who opens a page is sent to sign in.
4. A body that changes something must be JSON (``415``) and at most 8 MiB (``413``).

What stands behind sees ``scope["caller"]`` and no token; a ``HEAD`` as a ``GET`` without ``scope["wants_body"]``.
``X-Forwarded-*`` is dropped: what a trusted proxy says has been taken over by uvicorn before.
"""

import re
import socket
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

import orjson
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from idm_app.access.access import Access
from idm_app.access.doors import OPEN, need_of
from idm_app.settings import Options

EXTENSION_ID = "igdamklpegjobicahbhpijkfpjkdigkh"
"""Fixed by ``key`` in ``extension/manifest.json``: the first 128 bits of the key's SHA-256 in the letters a–p."""
EXTENSION_ORIGIN = f"chrome-extension://{EXTENSION_ID}"
MAX_BODY_BYTES = 8 * 1024 * 1024

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?", re.IGNORECASE)
_FIREFOX_ORIGIN = re.compile(r"moz-extension://[0-9a-f-]{36}")
_PAIRING_PATH = re.compile(r"/api/pairings/[^/]+")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_JSON_PATHS = ("/api/", "/download")
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""NiceGUI needs inline scripts and eval (measured): this contains, it is no barrier; no markup is built from input."""
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_CORS = [
    (b"access-control-allow-origin", EXTENSION_ORIGIN.encode()),
    (b"access-control-allow-methods", b"GET, HEAD, POST, PATCH, DELETE"),
    (b"access-control-allow-headers", b"authorization, content-type, range"),
    (b"access-control-expose-headers", b"content-disposition, retry-after"),
    (b"access-control-allow-private-network", b"true"),
    (b"access-control-max-age", b"600"),
    (b"vary", b"origin"),
]
"""For our extension alone; without ``allow-credentials``, so never with a cookie."""
_BEARER_PROTOCOL = "bearer."


class Refusal(HTTPException):
    """Why a request does not pass the gate."""

    media_type = b"application/problem+json"

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(status, message, headers)
        self.code = code

    def body(self) -> bytes:
        """As problem+json (RFC 9457)."""
        if not self.detail:
            return b""
        words = {"title": self.detail, "status": self.status_code, "code": self.code, "message": self.detail}
        return orjson.dumps({"type": "about:blank", **words})


class _Detour(Refusal):
    """An empty page that leads on by itself."""

    media_type = b"text/html"

    def body(self) -> bytes:
        return b"<!DOCTYPE html><title>idm</title>"


class Gate:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, options: Options, access: Access) -> None:
        self._app = app
        self._access = access
        self._root_path = options.root_path
        self._takes_literals = options.needs_sign_in
        names = {"localhost", "127.0.0.1", "[::1]", _bracketed(options.host), *options.trusted_hosts}
        if not options.is_loopback:
            names |= {socket.gethostname(), f"{socket.gethostname()}.local"}
        self._hosts = {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        self._enter_root_path(scope)
        bearer = _take_bearer(scope)
        hardened = _Hardened(send, _values(scope, b"origin") == [EXTENSION_ORIGIN])
        try:
            self._check(scope, bearer)
        except Refusal as refusal:
            await _refuse(scope, receive, hardened.send, refusal)
            return
        if scope["type"] == "websocket":
            await self._hold(scope, receive, send)
        else:
            await self._pass_on(scope, receive, hardened)

    def _check(self, scope: Scope, bearer: str | None) -> None:
        host = self._checked_host(_values(scope, b"host"))
        self._check_origin(scope, host, bearer)
        if _is_preflight(scope):
            raise Refusal(204, "preflight", "")
        self._check_credentials(scope, bearer)
        if scope["type"] == "http" and scope["method"] not in _SAFE_METHODS:
            _check_body(scope)

    def _enter_root_path(self, scope: Scope) -> None:
        """Whether the proxy leaves the sub-path in the address or takes it out: behind the gate it is there."""
        scope["root_path"] = self._root_path
        if not f"{scope['path']}/".startswith(f"{self._root_path}/"):
            scope["path"] = self._root_path + scope["path"]
            scope["raw_path"] = self._root_path.encode() + scope.get("raw_path", b"")

    def _checked_host(self, values: list[str]) -> str:
        match = _HOST.fullmatch(values[0]) if len(values) == 1 else None
        # Rebinding needs a name: whoever says an address has typed it.
        if match is None or not (
            match[1].lower() in self._hosts or (self._takes_literals and _is_literal(match[1].strip("[]")))
        ):
            raise Refusal(
                421,
                "unknown-host",
                "This server does not answer under that name. Use http://127.0.0.1, or add it with --trusted-host.",
            )
        return values[0].lower()

    def _check_origin(self, scope: Scope, host: str, bearer: str | None) -> None:
        origins = _values(scope, b"origin")
        for origin in origins:
            if origin == EXTENSION_ORIGIN or _authority(origin) == host:
                continue
            if not (_FIREFOX_ORIGIN.fullmatch(origin) and (bearer is not None or self._is_pairing(scope))):
                raise Refusal(403, "foreign-origin", "Pages of other sites may not talk to this server.")
        site = next(iter(_values(scope, b"sec-fetch-site")), "none")
        if site in ("cross-site", "same-site") and not origins and not _is_navigation(scope):
            raise Refusal(403, "foreign-origin", "Pages of other sites may not talk to this server.")

    def _is_pairing(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(self._root_path)
        return scope.get("method") == "POST" and _PAIRING_PATH.fullmatch(path) is not None

    def _check_credentials(self, scope: Scope, bearer: str | None) -> None:
        caller = self._access.caller(bearer, "; ".join(_values(scope, b"cookie")))
        scope["caller"] = caller
        need = need_of(scope.get("method", "GET"), scope["path"].removeprefix(self._root_path))
        if need is OPEN or (caller is not None and caller.may(need)):
            return
        if caller is not None:
            wanted = " or ".join(sorted(need))
            raise Refusal(403, "scope-missing", f"This token may not do that; it takes one with the scope {wanted}.")
        if bearer is None and _opens_a_page(scope):
            raise self._redirection(scope)
        raise Refusal(
            401,
            "not-signed-in",
            "Sign in first, or send a token of this server: Authorization: Bearer …",
            **{"WWW-Authenticate": "Bearer"},
        )

    def _redirection(self, scope: Scope) -> Refusal:
        """To the page that asks for the password.

        A browser that follows a link from another site keeps a strict cookie back; a refresh is the page's own, so
        that whoever is signed in does not see the question.
        """
        path, query = scope["path"].removeprefix(self._root_path), scope["query_string"].decode("latin-1")
        wanted = path + (f"?{query}" if query else "")
        address = f"{self._root_path}/login" + ("" if wanted == "/" else "?next=" + quote(wanted, safe=""))
        if _values(scope, b"sec-fetch-site") in (["cross-site"], ["same-site"]):
            return _Detour(401, "not-signed-in", "", Refresh=f"0; url={address}")
        return Refusal(303, "not-signed-in", "", Location=address)

    async def _hold(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = scope["caller"]
        line = self._access.lines.open("" if caller is None else caller.id, send)
        try:
            await self._app(scope, receive, line.send)
        finally:
            self._access.lines.close(line)

    async def _pass_on(self, scope: Scope, receive: Receive, hardened: "_Hardened") -> None:
        received_bytes = 0

        async def receive_bounded() -> Message:
            nonlocal received_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            if received_bytes > MAX_BODY_BYTES:
                raise _TOO_LARGE
            return message

        try:
            await self._app(_as_get(scope), receive_bounded, hardened.send)
        except Refusal as refusal:
            if not hardened.is_started:
                await _refuse(scope, receive, hardened.send, refusal)


class _Hardened:
    """Adds to every answer the headers that keep browsers strict."""

    def __init__(self, send: Send, for_extension: bool) -> None:
        self._send = send
        self._headers = [*_HEADERS, *(_CORS if for_extension else [])]
        self.is_started = False

    async def send(self, message: Message) -> None:
        """ASGI send."""
        if message["type"].endswith("response.start"):
            self.is_started = True
            present = {name.lower() for name, _ in message["headers"]}
            extra = [(name, value) for name, value in self._headers if name not in present]
            message = {**message, "headers": [*message["headers"], *extra]}
        await self._send(message)


_TOO_LARGE = Refusal(413, "too-large", "The request is larger than 8 MiB. Send the addresses in several requests.")


def _as_get(scope: Scope) -> Scope:
    """A ``HEAD`` is answered as its ``GET``, whose body uvicorn leaves out; who would read a file for it can tell."""
    return {**scope, "method": "GET", "wants_body": False} if scope["method"] == "HEAD" else scope


def _take_bearer(scope: Scope) -> str | None:
    """The token of a request. It is taken out, as are forwarding headers: what stands behind cannot tell them on."""
    bearer, headers = None, []
    for name, value in scope["headers"]:
        text = value.decode("latin-1")
        if name == b"authorization" and text[:7].lower() == "bearer ":
            bearer = text[7:].strip()
        elif name == b"sec-websocket-protocol":
            continue
        elif not _is_forwarded(name):
            headers.append((name, value))
    scope["headers"] = headers
    offered = scope.get("subprotocols", [])
    for protocol in offered:
        if protocol.startswith(_BEARER_PROTOCOL):
            bearer = protocol.removeprefix(_BEARER_PROTOCOL)
    if offered:
        scope["subprotocols"] = [protocol for protocol in offered if not protocol.startswith(_BEARER_PROTOCOL)]
    return bearer


def _check_body(scope: Scope) -> None:
    length = next(iter(_values(scope, b"content-length")), None)
    if length is not None and (not length.isdigit() or int(length) > MAX_BODY_BYTES):
        raise _TOO_LARGE
    has_body = length not in (None, "0") or bool(_values(scope, b"transfer-encoding"))
    media_type = next(iter(_values(scope, b"content-type")), "").partition(";")[0].strip().lower()
    path = scope["path"].removeprefix(scope["root_path"])
    if has_body and path.startswith(_JSON_PATHS) and media_type != "application/json":
        raise Refusal(415, "not-json", "The body must be JSON, sent with Content-Type: application/json.")


def _is_preflight(scope: Scope) -> bool:
    """A browser asks whether our extension may ask."""
    return (
        scope["type"] == "http"
        and scope["method"] == "OPTIONS"
        and _values(scope, b"origin") == [EXTENSION_ORIGIN]
        and bool(_values(scope, b"access-control-request-method"))
    )


def _is_navigation(scope: Scope) -> bool:
    """A page opened, or (``empty``) a file saved by the browser itself; neither can be read by another site."""
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and _values(scope, b"sec-fetch-mode") == ["navigate"]
        and _values(scope, b"sec-fetch-dest") in (["document"], ["empty"])
    )


def _opens_a_page(scope: Scope) -> bool:
    """A person's browser, which is better sent to sign in than told 401."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    mode = _values(scope, b"sec-fetch-mode")
    return mode == ["navigate"] if mode else any("text/html" in value for value in _values(scope, b"accept"))


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
    kind = "http"
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
            return
        kind = "websocket.http"
    body = refusal.body()
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in (refusal.headers or {}).items()]
    if body:
        headers.append((b"content-type", refusal.media_type))
    if refusal.status_code != 204:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": f"{kind}.response.start", "status": refusal.status_code, "headers": headers})
    await send({"type": f"{kind}.response.body", "body": body})


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _is_forwarded(name: bytes) -> bool:
    return name.startswith(b"x-forwarded-") or name in (b"forwarded", b"x-original-url", b"x-rewrite-url")


def _authority(origin: str) -> str | None:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.netloc.lower() if parts.scheme in ("http", "https") else None


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _bracketed(host: str) -> str:
    return f"[{host}]" if _is_literal(host) and ip_address(host).version == 6 else host
