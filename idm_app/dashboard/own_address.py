"""Where another device finds this server, and that as a picture for its camera."""

import os
import socket
from urllib.parse import urlsplit

import segno
from fastapi import Request
from nicegui import ui

from idm_app.settings import Options, is_loopback

_ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses for documentation (RFC 5737, RFC 3849): asked only by which of ours the way there begins."""


def page_address(request: Request) -> str:
    """Where the browser found the page: with a reverse proxy's sub-path, without a slash at the end."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}".rstrip("/")


def address_elsewhere(options: Options, page: str) -> str | None:
    """Where other devices find the server: as the ``page`` was found, if that was not on this machine only.

    ``None`` where nobody else reaches it, or nothing here knows how.
    """
    if not is_loopback(urlsplit(page).hostname or ""):
        return page
    host = None if options.is_loopback else _lan_host(options)
    return None if host is None else options.address_at(host)


def _lan_host(options: Options) -> str | None:
    """The machine's own address in its network; a container's is good for nobody."""
    if options.host not in ("0.0.0.0", "::"):  # noqa: S104
        return options.host
    return None if "container" in os.environ else _own_address(socket.AF_INET) or _own_address(socket.AF_INET6)


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
