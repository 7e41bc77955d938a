"""Open file and Open folder, through the API and the command, with a program in place of the system's opener."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from idm_app import desktop
from idm_app.errors import CannotOpen
from idm_app.settings import Options

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the opener of these systems is no program")


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """What the system's opener was last called with."""
    programs, told = tmp_path / "programs", tmp_path / "opened"
    programs.mkdir()
    opener = programs / "xdg-open"
    opener.write_text(f'#!/bin/sh\ncase "$1" in *unknown*) exit 3;; esac\nprintf %s "$1" > "{told}"\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    return told.read_text


def finish(server: Any, url: str) -> int:
    download_id = int(server.client.post("/api/downloads", json={"url": url}).json()["id"])
    until = time.monotonic() + 60
    while server.client.get(f"/api/downloads/{download_id}").json()["status"] != "completed":
        assert time.monotonic() < until
        time.sleep(0.02)
    return download_id


def test_a_finished_file_and_its_folder_are_opened(
    opened: Callable[[], str], server_factory: Callable[..., Any], origin: Any
) -> None:
    server = server_factory()
    download_id = finish(server, origin.url("/file/a film.mkv", size=5000))
    assert server.client.post(f"/api/downloads/{download_id}/open").status_code == 204
    assert opened() == str(server.download_dir / "a film.mkv")
    command = [sys.executable, "-m", "idm_app", "open", str(download_id), "--folder", "--server", server.url]
    assert subprocess.run(command, check=False, timeout=60).returncode == 0
    assert opened() == str(server.download_dir)
    dangerous = finish(server, origin.url("/file/setup.exe", size=5000))
    refused = server.client.post(f"/api/downloads/{dangerous}/open")
    assert (refused.status_code, refused.json()["code"]) == (409, "cannot-open")
    unknown = finish(server, origin.url("/file/unknown.xyz", size=5000))
    assert "no program" in server.client.post(f"/api/downloads/{unknown}/open").json()["message"]
    (server.download_dir / "unknown.xyz").unlink()
    assert server.client.post(f"/api/downloads/{unknown}/open").status_code == 410
    waiting = server.client.post("/api/downloads", json={"url": origin.url("/file/b"), "start": False}).json()["id"]
    assert server.client.post(f"/api/downloads/{waiting}/open").status_code == 409


def test_nothing_is_opened_where_nobody_sits(
    opened: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.txt"
    file.touch()
    ours = Options(data_dir=tmp_path, download_dir=tmp_path)
    others = (
        Options(data_dir=tmp_path, download_dir=tmp_path, host="0.0.0.0"),
        Options(data_dir=tmp_path, download_dir=tmp_path, trusted_hosts=("files.example.org",)),
    )
    desktop.show(file, ours)
    assert opened() == str(file)
    for options in others:
        with pytest.raises(CannotOpen):
            desktop.show(file, options)
    monkeypatch.delenv("DISPLAY")
    with pytest.raises(CannotOpen):
        desktop.show(file, ours)
