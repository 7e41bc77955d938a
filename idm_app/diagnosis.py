"""What this installation consists of, what is missing, what that costs and how to get it.

For ``idm doctor``, the dashboard's About page and the diagnostics bundle. It starts programs to ask for their versions
and takes about half a second: call it in a thread.
"""

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from idm_app import __version__
from idm_app.engine.binaries import JAVASCRIPT_RUNTIMES, ffmpeg_folder, find_program
from idm_app.units import format_bytes

_ANSWER_SECONDS = 10
_LITTLE_ROOM_BYTES = 1_000_000_000
_SYSTEM_PACKAGES = {
    "apt-get": "apt-get install",
    "dnf": "dnf install",
    "pacman": "pacman -S",
    "zypper": "zypper install",
    "apk": "apk add",
    "brew": "brew install",
    "winget": "winget install",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of the installation, or one condition that it needs.

    ``version`` is ``None`` for what has none or is not there; ``detail`` says where it is, or what is wrong with it;
    ``cost``, what does not work without it; ``remedy``, what to do, a command where there is one.
    """

    name: str
    ok: bool
    version: str | None
    detail: str
    cost: str
    remedy: str


def examine(data_dir: Path, download_dir: Path) -> list[Finding]:
    """Every finding, the program itself first. Blocks; never raises."""
    return [
        Finding("idm", True, __version__, str(Path(__file__).parent), "", ""),
        Finding("Python", True, platform.python_version(), sys.executable, "", ""),
        _package("yt-dlp", "No media: videos, music and playlists of any site.", "yt-dlp"),
        *_media_programs(),
        _javascript_runtime(),
        _libcurl(),
        _package("curl_cffi", "Sites that let only browsers in refuse their media.", "curl-cffi>=0.16,<0.18"),
        _folder("List folder", data_dir, "--data-dir"),
        _folder("Download folder", download_dir, "--download-dir"),
        _room(download_dir),
    ]


def _media_programs() -> Iterator[Finding]:
    folder = ffmpeg_folder()
    for name, cost in (
        (
            "ffmpeg",
            "Picture and sound cannot be joined, nothing can be converted to audio, no subtitles go into a film.",
        ),
        ("ffprobe", "The kind of sound in a file is not recognised, so converting to audio fails."),
    ):
        path = folder and next((p for p in (folder / name, folder / f"{name}.exe") if p.exists()), None)
        told = re.match(r"\w+ version (\S+)", _answer(path, "-version")) if path else None
        yield Finding(
            name=name,
            ok=told is not None,
            version=told[1] if told else None,
            detail=str(path.resolve()) if path and told else f"{path} does not run" if path else "not found",
            cost=cost,
            remedy=_from_system("ffmpeg"),
        )


def _javascript_runtime() -> Finding:
    too_old = []
    ok, version, detail = False, None, "none of deno, node, quickjs, bun found"
    for name, (program, oldest) in JAVASCRIPT_RUNTIMES.items():
        path = find_program(program)
        if path is None:
            continue
        told = re.search(r"\d+[.-]\d+[.-]\d+", _answer(path, "--help" if name == "quickjs" else "--version"))
        if told and _numbers(told[0]) >= _numbers(oldest):
            ok, version, detail = True, f"{name} {told[0]}", str(path)
            break
        too_old.append(f"{path} ({told[0] if told else 'unknown'}) is older than {oldest}")
    return Finding(
        name="JavaScript runtime",
        ok=ok,
        version=version,
        detail=detail if ok or not too_old else "; ".join(too_old),
        cost="YouTube offers few formats, or refuses.",
        remedy=_from_pip("deno"),
    )


def _libcurl() -> Finding:
    told = _answer(Path(sys.executable), "-c", "import pycurl; print(pycurl.version)").split()
    version = told[0].removeprefix("PycURL/").strip('"') if told else None
    return Finding(
        name="pycurl",
        ok=version is not None,
        version=version,
        detail=" ".join(told[1:3]) if told else "cannot be imported",
        cost="No file can be downloaded.",
        remedy=_from_pip("pycurl"),
    )


def _package(name: str, cost: str, requirement: str) -> Finding:
    try:
        version: str | None = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        version = None
    detail = "Python package" if version else "not installed"
    return Finding(name, version is not None, version, detail, cost, _from_pip(requirement))


def _folder(name: str, folder: Path, option: str) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=_existing(folder)):
            problem = None
    except OSError as error:
        problem = error.strerror or str(error)
    return Finding(
        name=name,
        ok=problem is None,
        version=None,
        detail=str(folder) if problem is None else f"{folder}: {problem}",
        cost="Nothing can be kept there.",
        remedy=f"Make the folder writable, or choose another one with {option}.",
    )


def _room(folder: Path) -> Finding:
    try:
        free_bytes = shutil.disk_usage(_existing(folder)).free
    except OSError:
        free_bytes = 0
    return Finding(
        name="Free room",
        ok=free_bytes >= _LITTLE_ROOM_BYTES,
        version=None,
        detail=f"{format_bytes(free_bytes)} on the disk of {folder}",
        cost="Downloads fail when the disk is full.",
        remedy="Delete what is no longer needed, or choose another disk with --download-dir.",
    )


def _existing(folder: Path) -> Path:
    """The folder, or the one above it in which it would be made."""
    return next((path for path in (folder, *folder.parents) if path.exists()), folder)


def _answer(program: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            [str(program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.split(r"[.-]", version))


def _from_pip(requirement: str) -> str:
    quoted = f'"{requirement}"' if set(requirement) & set("<>") else requirement
    if importlib.util.find_spec("pip") is None:
        return f"Add the Python package {quoted} to the environment of {sys.executable}."
    return f"{sys.executable} -m pip install {quoted}"


def _from_system(package: str) -> str:
    for program, command in _SYSTEM_PACKAGES.items():
        if shutil.which(program):
            as_root = "sudo " if sys.platform == "linux" and os.geteuid() != 0 else ""
            return f"{as_root}{command} {package}"
    return f"Install {package} from your system's packages."
