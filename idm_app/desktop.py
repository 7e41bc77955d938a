"""The desktop of the machine that the server runs on: open a finished file there, show it in its folder.

Only for a server that nobody but this machine can reach, and where there is a screen. A file that would run when it is
opened is never opened from here; a person who looks at its folder decides. Blocking: call it in a thread.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from idm_app.errors import CannotOpen
from idm_app.settings import Options

_SECONDS_TO_FAIL = 2
_RUNS_WHEN_OPENED = re.compile(
    r"\.(app|appimage|bash|bat|cmd|com|command|cpl|deb|desktop|exe|hta|jar|jse?|lnk|msc|msi|pif|pkg|pl|ps1|py|reg|rpm|run"
    r"|scf|scr|sh|url|vb[es]|webloc|workflow|wsf)",
    re.IGNORECASE,
)
"""What Windows, macOS or a Linux desktop may carry out, or follow to elsewhere, rather than show."""


def has_screen() -> bool:
    """Whether there is a desktop session to show something in."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def is_shared_with(options: Options) -> bool:
    """Whether who talks to this server sits at its screen. A further host name means a proxy, so others."""
    return not options.needs_sign_in and not options.trusted_hosts and has_screen()


def show(path: Path, options: Options, *, in_folder: bool = False) -> None:
    """Open ``path`` in the program that the system has for it, or show it in its folder. Raises :class:`CannotOpen`."""
    if not is_shared_with(options):
        raise CannotOpen("This server does not run on a desktop of yours; save the file instead.")
    if in_folder:
        _show_in_folder(path)
    else:
        _open_file(path)


def _open_file(path: Path) -> None:
    if _RUNS_WHEN_OPENED.fullmatch(path.suffix):
        raise CannotOpen(
            f"{path.name} can run programs, so it is not opened from here. Show its folder and decide there."
        )
    _open(path)


def _show_in_folder(path: Path) -> None:
    if sys.platform == "darwin":
        _run(["open", "-R", str(path)])
    elif sys.platform == "win32":
        subprocess.Popen(f'explorer /select,"{path}"')
    else:
        _open(path.parent)


def _open(path: Path) -> None:
    if sys.platform == "win32":
        os.startfile(path)  # noqa: S606
    else:
        _run(["open" if sys.platform == "darwin" else "xdg-open", str(path)])


def _run(command: list[str]) -> None:
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        failed = child.wait(_SECONDS_TO_FAIL) != 0
    except subprocess.TimeoutExpired:  # it shows the file itself
        failed = False
    except OSError as error:
        raise CannotOpen(f"Nothing here can open files: {command[0]} is missing. Install xdg-utils.") from error
    if failed:
        raise CannotOpen(f"The system knows no program that opens {Path(command[-1]).name}.")
