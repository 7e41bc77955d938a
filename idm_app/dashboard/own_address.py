"""Where another device finds this server, and that as a picture for its camera."""

import socket

import segno
from fastapi import Request
from nicegui import ui

from idm_app.settings import Options, is_loopback

_ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses for documentation (RFC 5737, RFC 3849): asked only by which of ours the way there begins."""


def page_address(request: Request) -> str:
    """Where the browser found the page: with a reverse proxy's sub-path, without a slash at the end."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}".rstrip("/")


def lan_address(options: Options) -> str | None:
    """Where another device of this network finds the server; ``None`` where it does not."""
    if options.is_loopback:
        return None
    host = options.host
    if host in ("0.0.0.0", "::"):  # noqa: S104
        found = _own_address(socket.AF_INET) or _own_address(socket.AF_INET6)
        if found is None:
            return None
        host = found
    scheme = "http" if options.certificate is None else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{options.port}{options.root_path}"


def address_elsewhere(options: Options, request: Request) -> str:
    """The page's own, which has proved to work, unless it works on this machine only."""
    lan = lan_address(options) if is_loopback(request.url.hostname or "") else None
    return lan or page_address(request)


def picture(text: str, alt: str) -> None:
    """A QR code."""
    code = segno.make(text, micro=False).svg_data_uri(border=2, scale=4, dark="#0b1120", light="#ffffff")
    image = ui.element("img").props(f'src="{code}"').classes("qr")
    image.props["alt"] = alt


def _own_address(family: socket.AddressFamily) -> str | None:
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_ELSEWHERE[family], 9))  # sends nothing
            return str(probe.getsockname()[0])
        except OSError:
            return None
