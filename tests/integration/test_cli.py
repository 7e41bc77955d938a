"""The commands that talk to a running server, each as a process."""

import json
import os
import subprocess
import sys
from typing import Any

MIB = 1024 * 1024


def idm(server: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "idm_app", *arguments],
        env={**os.environ, "IDM_URL": server.url, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_add_watch_list_and_remove(server: Any, origin: Any) -> None:
    added = idm(server, "add", origin.url("/file/a.zip", size=10 * MIB, rate=150_000))
    assert (added.returncode, added.stdout) == (0, "Download started #1\n")
    watched = idm(server, "watch", "1", "--json")
    lines = [json.loads(line) for line in watched.stdout.splitlines()]
    assert watched.returncode == 0
    assert len(lines) > 5
    assert (lines[-1]["status"], lines[-1]["progress"]) == ("completed", 100.0)
    assert "a.zip" in idm(server, "list").stdout
    assert json.loads(idm(server, "list", "--json").stdout)["id"] == 1
    assert idm(server, "remove", "1").returncode == 0
    assert idm(server, "list", "--json").stdout == ""


def test_bars_are_shown_until_all_has_ended(server: Any, origin: Any) -> None:
    idm(server, "add", origin.url("/file/film.mkv", size=10 * MIB, rate=150_000))
    watched = idm(server, "watch")
    assert watched.returncode == 0
    assert "film.mkv" in watched.stdout


def test_pause_resume_and_what_is_not_allowed(server: Any, origin: Any) -> None:
    added = idm(server, "add", "--json", origin.url("/file/a.zip", size=30 * MIB, rate=300_000))
    assert json.loads(added.stdout)["status"] == "queued"
    assert idm(server, "pause", "1").stdout == "#1 paused\n"
    again = idm(server, "pause", "1")
    assert again.returncode == 1
    assert again.stderr.startswith("idm: ")
    assert idm(server, "resume", "1").stdout.startswith("#1 ")
    refused = idm(server, "retry", "99")
    assert (refused.returncode, refused.stderr) == (1, "idm: There is no download #99. It may have been removed.\n")


def test_a_bad_address_is_told_in_words(server: Any) -> None:
    refused = idm(server, "add", "ftp://example.org/x")
    assert refused.returncode == 1
    assert "http" in refused.stderr


def test_no_server_is_told_with_what_to_do(server: Any) -> None:
    server.stop()
    for command in (["list"], ["watch"], ["add", "http://127.0.0.1/x"]):
        ended = idm(server, *command)
        assert ended.returncode == 1
        assert "Start it with: idm" in ended.stderr
