"""A screen without a monitor (Xvfb), and a person in front of it: windows, keys, pictures."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from Xlib import XK, X, display, error
from Xlib.ext import xtest
from Xlib.protocol import event

_SECONDS = 30
T = TypeVar("T")


def wait_for(what: str, ask: Callable[[], T]) -> T:
    """The first answer that is true."""
    until = time.monotonic() + _SECONDS
    while True:
        try:
            if answer := ask():
                return answer
        except error.BadWindow:  # it went while it was looked at
            pass
        assert time.monotonic() < until, f"{what}: not within {_SECONDS} s"
        time.sleep(0.05)


class Screen:
    """One X server; ``name`` goes into ``DISPLAY``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._display = display.Display(name)
        self.root = self._display.screen().root

    def windows(self, title: str) -> list[Any]:
        """Those that are shown and have ``title`` in their name, the newest last."""
        found = []
        for window in self.root.query_tree().children:
            attributes = window.get_attributes()
            if attributes.map_state == X.IsViewable and title in (self._title(window) or ""):
                found.append(window)
        return found

    def window(self, title: str) -> Any:
        return wait_for(f"a window {title!r}", lambda: self.windows(title))[-1]

    def ask_to_close(self, window: Any) -> None:
        """What a window manager does when the cross is pressed."""
        protocols, delete = (self._display.intern_atom(name) for name in ("WM_PROTOCOLS", "WM_DELETE_WINDOW"))
        window.send_event(
            event.ClientMessage(window=window, client_type=protocols, data=(32, [delete, X.CurrentTime, 0, 0, 0]))
        )
        self._display.sync()

    def place(self, window: Any, geometry: tuple[int, int, int, int]) -> None:
        """Move and resize: x, y, width, height."""
        x, y, width, height = geometry
        window.configure(x=x, y=y, width=width, height=height)
        self._display.sync()

    def geometry(self, window: Any) -> tuple[int, int, int, int]:
        found = window.get_geometry()
        return found.x, found.y, found.width, found.height

    def press(self, window: Any, *keys: str) -> None:
        """Type into ``window``."""
        window.set_input_focus(X.RevertToParent, X.CurrentTime)
        self._display.sync()
        for key in keys:
            code = self._display.keysym_to_keycode(XK.string_to_keysym(key))
            xtest.fake_input(self._display, X.KeyPress, code)
            xtest.fake_input(self._display, X.KeyRelease, code)
            self._display.sync()

    def make_tray(self) -> "Tray":
        """A panel with a place for the icons of programs that run in the background."""
        return Tray(self._display, self.root)

    def click(self, window: Any) -> None:
        """Its middle, with the left button."""
        place, size = window.translate_coords(self.root, 0, 0), window.get_geometry()
        xtest.fake_input(self._display, X.MotionNotify, x=size.width // 2 - place.x, y=size.height // 2 - place.y)
        for kind in (X.ButtonPress, X.ButtonRelease):
            xtest.fake_input(self._display, kind, 1)
        self._display.sync()

    def unfocus(self) -> None:
        self.root.set_input_focus(X.RevertToParent, X.CurrentTime)
        self._display.sync()

    def colours(self, window: Any) -> int:
        """How many different ones are to be seen in ``window``."""
        _, _, width, height = self.geometry(window)
        pixels = window.get_image(0, 0, width, height, X.ZPixmap, 0xFFFFFFFF).data
        return len({pixels[i : i + 4] for i in range(0, len(pixels), 4)})

    def close(self) -> None:
        self._display.close()

    def _title(self, window: Any) -> str | None:
        name = window.get_full_text_property(self._display.intern_atom("_NET_WM_NAME"))
        return name if isinstance(name, str) else None


class Tray:
    """freedesktop.org's System Tray Protocol, the host's side."""

    def __init__(self, connection: Any, root: Any) -> None:
        self._display = connection
        self._window = root.create_window(0, 0, 200, 32, 0, X.CopyFromParent, event_mask=X.SubstructureNotifyMask)
        self._window.map()
        self._window.set_selection_owner(connection.intern_atom("_NET_SYSTEM_TRAY_S0"), X.CurrentTime)
        manager = (X.CurrentTime, connection.intern_atom("_NET_SYSTEM_TRAY_S0"), self._window.id, 0, 0)
        told = event.ClientMessage(window=root, client_type=connection.intern_atom("MANAGER"), data=(32, manager))
        root.send_event(told, event_mask=X.StructureNotifyMask)
        connection.sync()

    def icon(self) -> Any:
        """The first one that asks for a place, given it."""
        asks = self._display.intern_atom("_NET_SYSTEM_TRAY_OPCODE")

        def asked() -> Any:
            while self._display.pending_events():
                told = self._display.next_event()
                if told.type == X.ClientMessage and told.client_type == asks and told.data[1][1] == 0:
                    return self._display.create_resource_object("window", told.data[1][2])
            return None

        icon = wait_for("an icon for the tray", asked)
        icon.reparent(self._window, 0, 0)
        icon.map()
        self._display.sync()
        return icon


@contextmanager
def screen() -> Iterator[Screen]:
    """A fresh one."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writer)
    with os.fdopen(reader) as told:
        number = told.readline().strip()
    assert number, "Xvfb does not start"
    shown = Screen(f":{number}")
    try:
        yield shown
    finally:
        shown.close()
        server.terminate()
        server.wait(_SECONDS)
