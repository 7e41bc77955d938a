"""What a download asks for over HTTP, and who may hear what: headers, cookies, redirects, allowed addresses."""

import functools
import ipaddress
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from idm_app import __version__
from idm_app.engine.reach import Reach
from idm_app.errors import DownloadError

MAX_REDIRECTS = 10
USER_AGENT = f"Mozilla/5.0 (compatible; idm/{__version__})"
_OURS = frozenset(
    {
        "accept-encoding", "connection", "content-length", "expect", "host", "if-range", "keep-alive",
        "proxy-authorization", "range", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""Headers that the engine decides itself."""
_SAFE = "!#$%&'()*+,/:;=?@[]~"
_FOR_EVERY_HOST = frozenset({"user-agent", "referer", "accept", "accept-language"})


@dataclass(frozen=True, slots=True)
class Source:
    """An address and what goes with it. ``headers`` go to the address's own origin only, cookies where they belong."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    referrer: str | None = None
    cookies: tuple[Mapping[str, Any], ...] = ()
    reach: Reach = field(default_factory=Reach)

    def headers_for(self, url: str) -> list[bytes]:
        """Header lines for a request to ``url``, which a redirect may have led to."""
        same_origin = origin_of(url) == origin_of(self.url)
        headers = {"user-agent": ("User-Agent", USER_AGENT), "accept": ("Accept", "*/*")}
        if self.referrer:
            headers["referer"] = ("Referer", self.referrer)
        for name, value in self.headers:
            key = name.strip().lower()
            if key not in _OURS and (same_origin or is_for_every_host(name)):
                headers[key] = (name.strip(), value.strip())
        lines = [f"{name}: {value}" if value else f"{name};" for name, value in headers.values()]
        return [line.encode("utf-8", "replace") for line in lines if not set(line) & {"\r", "\n", "\0"}]

    def cookie_lines(self) -> list[str]:
        """The cookies in Netscape's format."""
        lines = []
        for cookie in self.cookies:
            domain = str(cookie["domain"]).lstrip(".")
            host_only = cookie.get("host_only", True)
            fields = (
                domain if host_only else f".{domain}",
                "FALSE" if host_only else "TRUE",
                cookie.get("path") or "/",
                "TRUE" if cookie.get("secure") else "FALSE",
                str(int(cookie.get("expires_at_seconds") or 0)),
                cookie["name"],
                cookie["value"],
            )
            if not any(set(text) & {"\t", "\r", "\n", "\0"} for text in fields):
                lines.append("\t".join(fields))
        return lines


def is_for_every_host(header_name: str) -> bool:
    """Whether a header may be told to another origin than that for which it was given."""
    return header_name.strip().lower() in _FOR_EVERY_HOST


@functools.lru_cache
def origin_of(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


@functools.lru_cache
def host_of(url: str) -> str:
    """Its host, with the port if there is one."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def checked_target(url: str, reach: Reach) -> str:
    """``url`` if it may be requested. Raises :class:`DownloadError`: wrong scheme, literal address out of reach."""
    try:
        scheme, host, port = origin_of(url)
    except ValueError as error:
        raise DownloadError("invalid-address", str(error)) from error
    if scheme not in ("http", "https") or not host:
        raise DownloadError("invalid-address", f"scheme {scheme!r}")
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return url
    if not reach.allows(host, port or 0):
        raise DownloadError("blocked-address", f"{host}:{port}")
    return url


def redirected(url: str, location: str, reach: Reach) -> str:
    """Where ``location`` leads from ``url``. Raises :class:`DownloadError` like :func:`checked_target`."""
    raw = location.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
    try:
        target = _in_ascii(urljoin(url, "".join(c for c in raw.strip() if c >= " ")))
    except ValueError as error:
        raise DownloadError("invalid-address", f"redirect: {error}") from error
    return checked_target(target, reach)


def _in_ascii(url: str) -> str:
    """``url`` as it is requested, without its fragment. Raises ``ValueError`` for a host that no name can have."""
    parts = urlsplit(url)
    netloc = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
    path, query = (quote(text, _SAFE, errors="surrogateescape") for text in (parts.path, parts.query))
    return parts._replace(netloc=netloc, path=path, query=query, fragment="").geturl()


@functools.cache
def proxy_addresses() -> frozenset[tuple[str, int]]:
    """Addresses of the proxies named in the environment: they are reached on the user's own word."""
    found: set[tuple[str, int]] = set()
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        proxy = os.environ.get(name)
        if proxy:
            parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
            try:
                answers = socket.getaddrinfo(parts.hostname, parts.port or 1080, type=socket.SOCK_STREAM)
            except (OSError, ValueError):
                continue
            found |= {(str(sockaddr[0]), int(sockaddr[1])) for *_, sockaddr in answers}
    return frozenset(found)


class BlockedAddress(OSError):
    """A name that leads to addresses out of reach only."""


def guard_resolver(reach: Reach) -> None:
    """From now on every name in this process resolves to addresses within ``reach`` only.

    For libraries that connect by themselves: they connect to what was resolved, so nothing is looked up twice.
    """
    resolve = socket.getaddrinfo

    def guarded(host: Any, port: Any, *details: Any, **more: Any) -> Any:
        answers = resolve(host, port, *details, **more)
        allowed = [
            answer
            for answer in answers
            if (answer[4][0], answer[4][1]) in proxy_addresses() or reach.allows(str(answer[4][0]), int(answer[4][1]))
        ]
        if not allowed:
            raise BlockedAddress(f"{host}:{port} is in a network that downloads may not reach")
        return allowed

    proxy_addresses()
    socket.getaddrinfo = guarded
