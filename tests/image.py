"""The image of the Dockerfile without an engine: its steps replayed in a clean Debian, its entry point as process 1.

What stands in for ``python:slim`` is Debian's smallest root with Python, so a package that the steps forget is missing
here as well. Needs root on a Debian, and the package registries.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).parent.parent
_BASE_PACKAGES = "python3,python3-venv,ca-certificates"
_STEP_SECONDS = 600
_HOST_FILES = ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf", "/root/.config/pip/pip.conf")
"""How this machine reaches the registries; an engine's build would get it in its own way."""


@dataclass
class Image:
    """What an engine would make of the last stage."""

    root: Path
    environment: dict[str, str]
    volumes: list[str] = field(default_factory=list)
    entry_point: list[str] = field(default_factory=list)
    health_check: list[str] = field(default_factory=list)


def build(folder: Path) -> Image:
    """Replay every step of the Dockerfile. A step that fails is an :class:`AssertionError` with its output."""
    base = _make_base(folder / "base")
    stages: dict[str, Image] = {}
    image = Image(base, {})
    workdir = Path("/")
    for instruction, rest in _instructions():
        match instruction:
            case "FROM":
                name = rest.partition(" AS ")[2] or "last"
                _run("cp", "-a", str(base), str(folder / name))
                stages[name] = image = Image(folder / name, {"PATH": "/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin"})
                workdir = Path("/")
            case "WORKDIR":
                workdir = Path(rest)
                _inside(image.root, workdir).mkdir(parents=True, exist_ok=True)
            case "COPY":
                _copy(rest, image.root, workdir, stages)
            case "ENV":
                pairs = (pair.partition("=") for pair in shlex.split(rest))
                image.environment |= {k: v.replace("$PATH", image.environment["PATH"]) for k, _, v in pairs}
            case "RUN":
                _run_inside(image, workdir, rest)
            case other:
                _describe(image, other, rest)
    return image


@contextmanager
def running(image: Image, volumes: dict[str, Path], **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """The entry point as process 1 on a read-only root; the value is the process outside (its child is process 1)."""
    root = shlex.quote(str(image.root))
    script = [
        "mount --make-rprivate /",
        f"mount --bind {root} {root}",
        f"mount -t proc proc {root}/proc",
        f"mount --rbind /dev {root}/dev",
        *(f"mount --bind {shlex.quote(str(path))} {root}{name}" for name, path in volumes.items()),
        f"mount -o remount,bind,ro {root}",
        f"mount -t tmpfs tmpfs {root}/tmp",
        f"exec env -i {_assignments(image.environment | environment)} chroot {root} {shlex.join(image.entry_point)}",
    ]
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", "\n".join(script)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield child
    finally:
        child.kill()
        child.wait(30)


def first_process(child: subprocess.Popen[bytes]) -> int | None:
    """The number that process 1 has outside; ``None`` before it is there."""
    children = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    return int(children[0]) if children else None


def check_health(image: Image, child: subprocess.Popen[bytes], **environment: str) -> bool:
    """What the engine asks every 30 seconds, inside."""
    first = first_process(child)
    if first is None:
        return False
    inside = ["nsenter", "--target", str(first), "--mount", "--pid", "--root", "--wd"]
    variables = [f"{name}={value}" for name, value in (image.environment | environment).items()]
    command = [*inside, "env", "-i", *variables, *image.health_check]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _make_base(root: Path) -> Path:
    suite = re.search(r"VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text())
    sources = next(iter(sorted(Path("/etc/apt/sources.list.d").glob("*.sources"))), Path("/etc/apt/sources.list"))
    assert suite, "the replay needs a Debian to begin with"
    if not shutil.which("mmdebstrap"):
        _run("sh", "-c", "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq mmdebstrap")
    _run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={_BASE_PACKAGES}", suite[1], str(root), str(sources))
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    wanted = [*_HOST_FILES, os.environ.get("PIP_CERT", "")]
    for file in map(Path, filter(None, wanted)):
        if file.exists():
            _inside(root, file.parent).mkdir(parents=True, exist_ok=True)
            shutil.copy(file, _inside(root, file))
    return root


def _instructions() -> Iterator[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", (PROJECT / "Dockerfile").read_text(), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        instruction, _, rest = line.strip().partition(" ")
        if instruction:
            yield instruction, re.sub(r"  +", " ", rest)


def _describe(image: Image, instruction: str, rest: str) -> None:
    match instruction:
        case "VOLUME":
            image.volumes = json.loads(rest)
        case "HEALTHCHECK":
            image.health_check = json.loads(rest[rest.index("[") :])
        case "ENTRYPOINT":
            image.entry_point = json.loads(rest)
        case other:
            assert other == "EXPOSE", f"the replay does not know {other}"


def _copy(rest: str, root: Path, workdir: Path, stages: dict[str, Image]) -> None:
    words = shlex.split(rest)
    options, (*sources, target) = [w for w in words if w.startswith("--")], [w for w in words if not w.startswith("--")]
    from_stage = next((option.removeprefix("--from=") for option in options), None)
    place = _inside(root, workdir / target)
    for source in sources:
        origin = _context(source) if from_stage is None else _inside(stages[from_stage].root, Path(source))
        into = place / origin.name if target.endswith("/") else place
        if origin.is_dir():
            skip = shutil.ignore_patterns("__pycache__") if from_stage is None else None
            shutil.copytree(origin, into, symlinks=True, dirs_exist_ok=True, ignore=skip)
        else:
            shutil.copy(origin, into)


def _context(name: str) -> Path:
    allowed = [line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert name.split("/")[0] in allowed, f".dockerignore keeps {name} out"
    return PROJECT / name


def _run_inside(image: Image, workdir: Path, command: str) -> None:
    root = shlex.quote(str(image.root))
    passed = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    inner = shlex.quote(f"cd {workdir} && {command}")
    environment = _assignments(image.environment | passed | {"HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"})
    script = (
        f"mount --make-rprivate /; mount -t proc proc {root}/proc; mount --rbind /dev {root}/dev; "
        f"exec env -i {environment} chroot {root} sh -ec {inner}"
    )
    _run("unshare", "--mount", "sh", "-ec", script)


def _run(*command: str) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_STEP_SECONDS, check=False
    )
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}"


def _assignments(environment: dict[str, str]) -> str:
    return " ".join(shlex.quote(f"{name}={value}") for name, value in environment.items())


def _inside(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")
