"""One ASGI gate before everything: REST, feed, the dashboard's pages and its own socket, static and finished files.

In order, each refusal before anything behind the gate has seen the request (sources: the contract's "Who may call";
Fetch metadata, https://w3c.github.io/webappsec-fetch-metadata/; DNS rebinding, CVE-2018-5702):

1. ``Host``: exactly one, and a name of ours, else ``421``: a rebound name reads nothing.
2. ``Origin``, when present: ours or the extension's, else ``403``. ``Sec-Fetch-Site`` catches what sends none.
3. A body that changes something must be JSON (``415``) and at most 8 MiB (``413``).

``X-Forwarded-*`` is dropped: without a configured proxy it is only a client's word.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

import orjson
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from idm_app.settings import Options

EXTENSION_ID = "igdamklpegjobicahbhpijkfpjkdigkh"
"""Fixed by ``key`` in ``extension/manifest.json``: the first 128 bits of the key's SHA-256 in the letters a–p."""
MAX_BODY_BYTES = 8 * 1024 * 1024

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?", re.IGNORECASE)
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


class Refusal(HTTPException):
    """Why a request does not pass the gate."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, message)
        self.code = code

    def body(self) -> bytes:
        """As problem+json (RFC 9457)."""
        words = {"title": self.detail, "status": self.status_code, "code": self.code, "message": self.detail}
        return orjson.dumps({"type": "about:blank", **words})


class Gate:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, options: Options) -> None:
        self._app = app
        names = {"localhost", "127.0.0.1", "[::1]", _bracketed(options.host), *options.trusted_hosts}
        self._hosts = {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope["headers"] = [(name, value) for name, value in scope["headers"] if not _is_forwarded(name)]
        try:
            self._check(scope)
        except Refusal as refusal:
            await _refuse(scope, receive, send, refusal)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        await self._guarded(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        host = self._checked_host(_values(scope, b"host"))
        self._check_origin(scope, host)
        if scope["type"] == "http" and scope["method"] not in _SAFE_METHODS:
            _check_body(scope)

    def _checked_host(self, values: list[str]) -> str:
        match = _HOST.fullmatch(values[0]) if len(values) == 1 else None
        if match is None or match[1].lower() not in self._hosts:
            raise Refusal(
                421,
                "unknown-host",
                "This server does not answer under that name. Use http://127.0.0.1, or add it with --trusted-host.",
            )
        return values[0].lower()

    def _check_origin(self, scope: Scope, host: str) -> None:
        origins = _values(scope, b"origin")
        for origin in origins:
            ours = origin == f"chrome-extension://{EXTENSION_ID}" or _authority(origin) == host
            if not ours:
                raise Refusal(403, "foreign-origin", "Pages of other sites may not talk to this server.")
        site = next(iter(_values(scope, b"sec-fetch-site")), "none")
        if site in ("cross-site", "same-site") and not origins and not _is_navigation(scope):
            raise Refusal(403, "foreign-origin", "Pages of other sites may not talk to this server.")

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        received_bytes, started = 0, False

        async def receive_bounded() -> Message:
            nonlocal received_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            if received_bytes > MAX_BODY_BYTES:
                raise _TOO_LARGE
            return message

        async def send_hardened(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                present = {name.lower() for name, _ in message["headers"]}
                extra = [(name, value) for name, value in _HEADERS if name not in present]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        try:
            await self._app(scope, receive_bounded, send_hardened)
        except Refusal as refusal:
            if not started:
                await _refuse(scope, receive, send, refusal)


_TOO_LARGE = Refusal(413, "too-large", "The request is larger than 8 MiB. Send the addresses in several requests.")


def _check_body(scope: Scope) -> None:
    length = next(iter(_values(scope, b"content-length")), None)
    if length is not None and (not length.isdigit() or int(length) > MAX_BODY_BYTES):
        raise _TOO_LARGE
    has_body = length not in (None, "0") or bool(_values(scope, b"transfer-encoding"))
    media_type = next(iter(_values(scope, b"content-type")), "").partition(";")[0].strip().lower()
    if has_body and scope["path"].startswith(_JSON_PATHS) and media_type != "application/json":
        raise Refusal(415, "not-json", "The body must be JSON, sent with Content-Type: application/json.")


def _is_navigation(scope: Scope) -> bool:
    """A page opened, or (``empty``) a file saved by the browser itself; neither can be read by another site."""
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and _values(scope, b"sec-fetch-mode") == ["navigate"]
        and _values(scope, b"sec-fetch-dest") in (["document"], ["empty"])
    )


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
    kind = "http"
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
            return
        kind = "websocket.http"
    body = refusal.body()
    headers: Iterable[tuple[bytes, bytes]] = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        *_HEADERS,
    ]
    await send({"type": f"{kind}.response.start", "status": refusal.status_code, "headers": list(headers)})
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


def _bracketed(host: str) -> str:
    try:
        return f"[{host}]" if ip_address(host).version == 6 else host
    except ValueError:
        return host
