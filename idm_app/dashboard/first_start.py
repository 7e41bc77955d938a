"""What an empty list teaches: paste here, get the extension, put it on the phone."""

import socket

import segno
from nicegui import ui

from idm_app.dashboard.words import Words
from idm_app.settings import Options

_ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses for documentation (RFC 5737, RFC 3849): asked only by which of ours the way there begins."""


def teach(options: Options, words: Words) -> None:
    """Three steps; the third with the address for a phone as a QR code where others can reach the server."""
    with ui.element("div").classes("steps"):
        with _step("content_paste", words("empty.paste"), words("empty.paste_text")):
            pass
        with _step("extension", words("empty.extension"), words("empty.extension_text")):
            ui.link(words("empty.extension_link"), "extension")
        with _step("smartphone", words("empty.phone"), words("empty.phone_text")):
            address = lan_address(options)
            if address is None:
                ui.label(words("empty.phone_only_here"))
            else:
                code = segno.make(address).svg_data_uri(border=2, scale=4, dark="#0b1120", light="#ffffff")
                alt = words("empty.phone_code", address=address)
                ui.element("img").props(f'src="{code}" alt="{alt}"').classes("qr")
                ui.link(address, address).props("dir=ltr")


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


def _own_address(family: socket.AddressFamily) -> str | None:
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_ELSEWHERE[family], 9))  # sends nothing
            return str(probe.getsockname()[0])
        except OSError:
            return None


def _step(icon: str, name: str, text: str) -> ui.element:
    step = ui.element("div")
    with step:
        ui.icon(icon)
        ui.label(name).classes("heading")
        ui.label(text)
    return step
