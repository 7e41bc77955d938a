"""The dashboard in a desktop window of its own: a child process with pywebview, the extra ``[native]``.

A process of its own because a window needs the main thread, which the server has.
"""

import importlib.util
import subprocess
import sys
import threading
from collections.abc import Callable

from idm_app.errors import WrongOption


def open_for(address: str, on_closed: Callable[[], None]) -> None:
    """Show ``address`` in a window; ``on_closed`` is called, from a thread, when it is gone.

    Raises :class:`WrongOption` when pywebview is not installed.
    """
    if importlib.util.find_spec("webview") is None:
        raise WrongOption("A window of its own needs pywebview: pip install 'idm-app[native]'.")
    child = subprocess.Popen([sys.executable, "-m", "idm_app.window", address], stdin=subprocess.PIPE)

    def wait() -> None:
        child.wait()
        on_closed()

    threading.Thread(target=wait, daemon=True).start()


def _show(address: str) -> None:
    import webview

    window = webview.create_window("idm – download manager", address, width=1180, height=760, min_size=(380, 480))

    def close_with_server() -> None:
        sys.stdin.read()  # ends when the server has ended
        window.destroy()

    threading.Thread(target=close_with_server, daemon=True).start()
    webview.settings["ALLOW_DOWNLOADS"] = True
    webview.start()


if __name__ == "__main__":
    _show(sys.argv[1])
