"""``dev.py run`` in a project of its own: installs once, starts, passes on. Nothing comes from the network."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DEV = Path(__file__).parent.parent.parent / "dev.py"
PROJECT = """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "idm-app"
version = "1"
[dependency-groups]
dev = []
"""
BACKEND = '''"""Builds the smallest editable wheel there is."""
import os, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "idm_app-1-py3-none-any.whl"
    open("builds.txt", "a").write("x")
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("idm_app.pth", os.getcwd())
        wheel.writestr("idm_app-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: idm-app\\nVersion: 1\\n")
        wheel.writestr("idm_app-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("idm_app-1.dist-info/RECORD", "")
    return name
'''
SERVER = """import os, signal, sys, time
if sys.argv[1:2] == ["wait"]:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    print(os.getpid(), flush=True)
    time.sleep(30)
print(os.getcwd(), *sys.argv[1:])
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "idm_app").mkdir()
    for name, text in {"pyproject.toml": PROJECT, "backend.py": BACKEND, "idm_app/__main__.py": SERVER}.items():
        (folder / name).write_text(text)
    shutil.copy(DEV, folder)
    return folder


def command(project: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(project / "dev.py"), *arguments]


def run(project: Path, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CI": "true"}
    return subprocess.run(
        command(project, "run", *arguments),
        cwd=cwd or project,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def builds(project: Path) -> int:
    return len((project / "builds.txt").read_text())


def test_two_first_starts_at_once_install_once_and_pass_on_arguments_and_exit_code(project: Path) -> None:
    both = [
        subprocess.Popen(command(project, "run", code), cwd="/", stdout=subprocess.PIPE, text=True)
        for code in ("0", "5")
    ]
    told = [child.communicate(timeout=110)[0] for child in both]
    assert [child.returncode for child in both] == [0, 5], told
    assert builds(project) == 1
    assert [text.splitlines()[-1] for text in told] == ["/ 0", "/ 5"]
    assert sum("Installing" in text for text in told) == 1


def test_the_next_start_installs_nothing_and_is_quick(project: Path, tmp_path: Path) -> None:
    (tmp_path / "idm_app.py").write_text("raise OSError('of the current folder, not of the project')")
    begun = time.monotonic()
    ended = run(project, "0", "--port", "1", cwd=tmp_path)
    assert time.monotonic() - begun < 3
    assert (ended.stdout, builds(project)) == (f"{tmp_path} 0 --port 1\n", 1)


def test_a_signal_goes_straight_to_the_server(project: Path) -> None:
    with subprocess.Popen(command(project, "run", "wait"), stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert int(child.stdout.readline()) == child.pid
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 7


def test_a_changed_project_and_what_is_missing_are_installed(project: Path) -> None:
    (project / "pyproject.toml").write_text(PROJECT + "# changed\n")
    assert run(project, "0").returncode == 0
    assert builds(project) == 2
    ended = subprocess.run(command(project, "bench"), capture_output=True, text=True, timeout=110, check=False)
    assert ended.returncode == 1  # there is none to run
    assert builds(project) == 3  # the group dev
    assert run(project, "0").returncode == 0
    assert builds(project) == 3  # has what run needs


def test_a_copied_or_broken_environment_is_made_anew(project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(project, copy, symlinks=True)
    assert "Making" in run(copy, "0").stdout
    told = subprocess.run([copy / ".venv/bin/pip", "--version"], capture_output=True, text=True, check=True).stdout
    assert str(copy) in told
    (copy / ".venv/bin/python").unlink()
    (copy / ".venv/bin/python").symlink_to("/nowhere")
    ended = run(copy, "0")
    assert (ended.returncode, "Making" in ended.stdout) == (0, True)


def test_without_venv_it_names_the_package(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(project / "dev.py", tmp_path)
    shutil.copy(project / "pyproject.toml", tmp_path)
    (tmp_path / "venv.py").write_text("raise ImportError('no ensurepip')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ended = run(tmp_path, "0")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert f"apt-get install python3.{sys.version_info[1]}-venv" in line
