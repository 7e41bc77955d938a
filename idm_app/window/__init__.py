"""The dashboard in a desktop window of its own: a child process with pywebview and Qt, the extra ``[native]``.

A process of its own because a window needs the main thread, which the server has.
"""

import importlib.util
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from idm_app import desktop
from idm_app.errors import WrongOption

_LOG = "window.log"
_LINUX_HINT = (
    "On Debian and Ubuntu it needs: apt-get install libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libnss3 libegl1"
)


def check() -> None:
    """Raise :class:`WrongOption` where no window can be shown."""
    if importlib.util.find_spec("webview") is None or importlib.util.find_spec("qtpy") is None:
        raise WrongOption(f'A window of its own needs more packages: {sys.executable} -m pip install "pywebview[qt]"')
    if not desktop.has_screen():
        raise WrongOption("There is no screen here for a window. Start without --native and open the address.")


def open_for(address: str, data_dir: Path, on_closed: Callable[[], None]) -> subprocess.Popen[bytes]:
    """Show ``address`` in a window; ``on_closed`` is called, from a thread, when it is gone.

    What it has to remember is kept in ``data_dir``. It closes by itself when this process ends.
    """
    from idm_app.dashboard.words import ASSETS

    with (data_dir / _LOG).open("wb") as log:
        command = [sys.executable, "-m", "idm_app.window", address, str(data_dir), str(ASSETS / "icons/logo.svg")]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)

    def wait() -> None:
        child.wait()
        on_closed()

    threading.Thread(target=wait, daemon=True).start()
    return child


def check_end(child: subprocess.Popen[bytes], data_dir: Path) -> None:
    """Raise :class:`WrongOption` if the window ended because it could not be shown."""
    if child.poll():
        hint = f" {_LINUX_HINT}" if sys.platform == "linux" else ""
        raise WrongOption(f"The window could not be shown; {data_dir / _LOG} says why.{hint}")
