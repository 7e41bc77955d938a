"""What an empty list teaches: paste here, get the extension, put it on the phone."""

from nicegui import ui

from idm_app.dashboard.own_address import address_elsewhere, picture
from idm_app.dashboard.words import Words
from idm_app.settings import Options


def teach(options: Options, page: str, words: Words) -> None:
    """Three steps; the third with the address for a phone as a QR code where others can reach the server.

    ``page`` is the address at which the browser has found us.
    """
    with ui.element("div").classes("steps"):
        with _step("content_paste", words("empty.paste"), words("empty.paste_text")):
            pass
        with _step("extension", words("empty.extension"), words("empty.extension_text")):
            ui.link(words("empty.extension_link"), "extension")
        with _step("smartphone", words("empty.phone"), words("empty.phone_text")):
            address = address_elsewhere(options, page)
            if address is None:
                ui.label(words("empty.phone_only_here" if options.is_loopback else "empty.phone_by_name"))
            else:
                picture(address, words("empty.phone_code", address=address))
                ui.link(address, address).props("dir=ltr")


def _step(icon: str, name: str, text: str) -> ui.element:
    step = ui.element("div")
    with step:
        ui.icon(icon)
        ui.label(name).classes("heading")
        ui.label(text)
    return step
