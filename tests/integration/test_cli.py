"""The commands that talk to a running server, each as a process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MIB = 1024 * 1024


def idm(server: Any, *arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "idm_app", *arguments],
        env={
            **os.environ,
            "IDM_URL": server if isinstance(server, str) else server.url,
            "COLUMNS": "200",
            **environment,
        },
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def objects(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_add_watch_list_and_remove(server: Any, origin: Any) -> None:
    added = idm(server, "add", origin.url("/file/a.zip", size=10 * MIB, rate=150_000))
    assert (added.returncode, added.stdout) == (0, "Download started #1\n")
    watched = idm(server, "watch", "1", "--json")
    lines = objects(watched)
    assert watched.returncode == 0
    assert len(lines) > 5
    assert (lines[-1]["status"], lines[-1]["progress"]) == ("completed", 100.0)
    assert "a.zip" in idm(server, "list").stdout
    assert objects(idm(server, "list", "--json"))[0]["id"] == 1
    assert idm(server, "list", "--json", "--search", "no such name").stdout == ""
    assert idm(server, "remove", "1", "--file").returncode == 0
    assert idm(server, "list", "--json").stdout == ""
    assert not list(server.download_dir.glob("*.zip"))


def test_bars_are_shown_until_all_has_ended(server: Any, origin: Any) -> None:
    idm(server, "add", origin.url("/file/film.mkv", size=10 * MIB, rate=150_000))
    watched = idm(server, "watch")
    assert watched.returncode == 0
    assert "film.mkv" in watched.stdout


def test_addresses_come_from_standard_input_and_wait_tells_of_failure(server: Any, origin: Any) -> None:
    typed = f"# my list\n{origin.url('/file/a.bin', size=MIB)}\n\n  {origin.url('/missing', status=404)}\n"
    added = idm(server, "add", "-", "--wait", typed=typed)
    assert added.returncode == 1
    assert added.stdout.startswith("Download started #1\nDownload started #2\n")
    assert "idm: #2 failed: " in added.stderr
    assert (server.download_dir / "a.bin").stat().st_size == MIB
    assert idm(server, "add", typed=origin.url("/file/b.bin", size=MIB)).stdout == "Download started #3\n"
    nothing = idm(server, "add", typed="\n# nothing\n")
    assert nothing.returncode == 2
    assert "There is no address." in nothing.stderr


def test_what_comes_in_is_utf8_or_told(server: Any, origin: Any) -> None:
    def typed(what: bytes | None, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        line = [sys.executable, "-m", "idm_app", *arguments, "--server", server.url]
        closed = ["sh", "-c", 'exec "$@" <&-', "sh", *line]
        return subprocess.run(
            closed if what is None else line, input=what, capture_output=True, timeout=60, check=False
        )

    marked = typed(b"\xef\xbb\xbf" + origin.url("/file/a.bin", size=9).encode(), "add")
    assert marked.stdout == b"Download started #1\n"
    for arguments in (["add"], ["import", "-"]):
        refused = typed(b"\xff\xfeh\0t\0", *arguments)
        assert (refused.returncode, refused.stderr) == (1, b"idm: Standard input is not text in UTF-8.\n")
    nothing = typed(None, "add")
    assert nothing.returncode == 2
    assert b"There is no address." in nothing.stderr
    assert typed(None, "import", "-").stdout == b"0 added, 0 there already\n"


def test_any_terminal_is_good_enough(server: Any, origin: Any) -> None:
    idm(server, "add", "--wait", "--filename", "Übergröße.bin", origin.url("/file/a.bin", size=MIB))
    idm(server, "add", "--wait", origin.url("/missing", status=404))
    plain = idm(server, "list", LC_ALL="C", PYTHONIOENCODING="ascii")
    assert (plain.returncode, plain.stderr) == (0, "")
    assert "?bergr??e.bin" in plain.stdout
    for columns in ("10", "30", "60", "80", "200"):
        narrow = idm(server, "list", COLUMNS=columns).stdout
        assert "#2 failed: The server has no file" in narrow
        table = narrow.partition("#2 failed")[0].splitlines()
        assert columns == "10" or all(len(line) <= int(columns) and "Üb" in line for line in table[2:])


def test_a_watcher_can_be_stopped(server: Any, origin: Any) -> None:
    idm(server, "add", origin.url("/file/a.zip", size=100 * MIB, rate=100_000), "--connections", "1")
    command = [sys.executable, "-m", "idm_app", "watch", "--json", "--server", server.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watcher:
        assert watcher.stdout is not None
        watcher.stdout.readline()
        watcher.send_signal(signal.SIGINT)
        _, told = watcher.communicate(timeout=30)
    assert watcher.returncode == 130
    assert "Traceback" not in told


def test_a_server_may_have_a_sub_path(server_factory: Any, origin: Any) -> None:
    server = server_factory("--root-path", "/idm")
    for address in (f"{server.url}/idm", f"{server.url}/idm/"):
        assert idm(address, "add", "--wait", origin.url("/file/a.bin", size=MIB)).returncode == 0
    assert len(objects(idm(f"{server.url}/idm", "list", "--json"))) == 2
    elsewhere = idm(f"{server.url}/other", "list")
    assert elsewhere.returncode == 1
    assert "is it really idm?" in elsewhere.stderr


def test_how_to_download_is_passed_on(server: Any, origin: Any) -> None:
    chosen = ("--directory", "films", "--filename", "my film.mkv", "--connections", "1", "--limit", "200k")
    added = idm(server, "add", *chosen, "--json", origin.url("/file/x.mkv", size=60_000))
    assert objects(added)[0]["status"] == "queued"
    assert idm(server, "watch", "1").returncode == 0
    assert (server.download_dir / "films" / "my film.mkv").stat().st_size == 60_000
    later = idm(server, "add", "--paused", origin.url("/file/y.mkv", size=MIB))
    assert later.stdout == "Download added #2\n"
    assert objects(idm(server, "list", "--json"))[0]["status"] == "paused"
    for wrong in (("--limit", "fast"), ("--quality", "4k"), ("--connections", "99")):
        assert idm(server, "add", *wrong, "http://127.0.0.1/x").returncode == 2


def test_pause_resume_and_what_is_not_allowed(server: Any, origin: Any) -> None:
    added = idm(server, "add", "--json", origin.url("/file/a.zip", size=30 * MIB, rate=300_000))
    assert objects(added)[0]["status"] == "queued"
    assert idm(server, "pause", "1").stdout == "#1 paused\n"
    again = idm(server, "pause", "1")
    assert again.returncode == 1
    assert again.stderr.startswith("idm: ")
    assert idm(server, "resume", "1").stdout.startswith("#1 ")
    assert idm(server, "pause", "--all").stdout == "1 changed\n"
    assert idm(server, "pause").returncode == 2
    refused = idm(server, "retry", "99")
    assert (refused.returncode, refused.stderr) == (1, "idm: There is no download #99. It may have been removed.\n")
    assert idm(server, "watch", "99").returncode == 1


def test_one_that_is_refused_holds_none_of_the_others_up(server: Any) -> None:
    idm(server, "add", "--paused", "http://192.0.2.1/1", "http://192.0.2.1/2")
    server.client.post("/api/downloads", json={"url": "http://192.0.2.1/3", "start_at": "2999-01-01T00:00:00Z"})
    paused = idm(server, "pause", "1", "3", "99")
    assert (paused.returncode, paused.stdout) == (1, "#3 paused\n")
    assert [line.split(":")[:2] for line in paused.stderr.splitlines()] == [["idm", " #1"], ["idm", " #99"]]
    removed = idm(server, "remove", "--json", "99", "2", "3")
    assert (removed.returncode, [gone["id"] for gone in objects(removed)]) == (1, [2, 3])
    assert [left["id"] for left in objects(idm(server, "list", "--json"))] == [1]


def test_bytes_that_are_no_text_are_told_in_words(server: Any) -> None:
    for arguments in (["add", b"http://example.org/\xff"], ["list", "--search", b"\xff"]):
        command = [sys.executable, "-m", "idm_app", *arguments]
        done = subprocess.run(command, env={**os.environ, "IDM_URL": server.url}, capture_output=True, check=False)
        assert (done.returncode, b"Traceback" in done.stderr) == (int("add" in arguments), False), done.stderr


def test_what_is_no_address_or_token_is_told_in_words(server: Any) -> None:
    for address in ("http://[::1", "http://", "http://127.0.0.1:99999"):
        assert "is not the address of a server" in idm(address, "list").stderr
    for token in ("né", "a\nb"):
        wrong = idm(server, "list", IDM_TOKEN=token)
        assert (wrong.returncode, "is not a token" in wrong.stderr) == (6, True)
    assert idm(server, "list", IDM_TOKEN=" ").returncode == 0


def test_a_bad_address_is_told_in_words(server: Any) -> None:
    refused = idm(server, "add", "ftp://example.org/x")
    assert refused.returncode == 1
    assert "http" in refused.stderr


def test_foreign_text_does_not_drive_the_terminal(server: Any, origin: Any) -> None:
    name = "\x1b]0;owned\x07\x1b[31m\u202egpj.exe"
    added = server.client.post("/api/downloads", json={"url": origin.url("/file/a", size=9), "start": False})
    server.client.patch(f"/api/downloads/{added.json()['id']}", json={"title": name}).raise_for_status()
    for shown in (idm(server, "list"), idm(server, "watch", "1"), idm(server, "list", "--json")):
        assert shown.returncode == 0
        assert not set("\x1b\x07\u202e") & set(shown.stdout + shown.stderr)
    assert "gpj.exe" in idm(server, "list").stdout


def test_no_server_is_told_with_what_to_do(server: Any) -> None:
    server.stop()
    for command in (["list"], ["watch"], ["add", "http://127.0.0.1/x"], ["export"]):
        ended = idm(server, *command)
        assert ended.returncode == 5
        assert "Start it with: idm" in ended.stderr


def test_another_program_on_the_port_is_no_server_of_ours(origin: Any) -> None:
    for command in (["list"], ["watch"]):
        ended = idm(origin.url("").rstrip("/"), *command)
        assert ended.returncode == 1
        assert "is it really idm?" in ended.stderr
    assert idm("localhost:8000", "list").returncode == 1


def test_a_watcher_is_told_when_the_server_stops(server: Any, origin: Any) -> None:
    idm(server, "add", origin.url("/file/a.zip", size=100 * MIB, rate=100_000), "--connections", "1")
    with subprocess.Popen(
        [sys.executable, "-m", "idm_app", "watch", "--json", "--server", server.url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as watcher:
        assert watcher.stdout is not None
        assert json.loads(watcher.stdout.readline())["id"] == 1
        server.stop()
        _, told = watcher.communicate(timeout=30)
    assert watcher.returncode == 5
    assert told.startswith("idm: ")


def test_a_server_elsewhere_wants_a_token(server_factory: Any) -> None:
    server = server_factory("--host", "0.0.0.0", IDM_PASSWORD="a long enough password")
    refused = idm(server, "list")
    assert refused.returncode == 6
    assert "IDM_TOKEN" in refused.stderr
    assert idm(server, "watch").returncode == 6
    server.client.post("/api/login", json={"password": "a long enough password"}).raise_for_status()
    made = server.client.post("/api/tokens", json={"name": "laptop", "scopes": ["submit", "control"]}).json()
    token = {"IDM_TOKEN": made["token"]}
    assert idm(server, "add", "--paused", "http://example.org/a", **token).returncode == 0
    assert [found["id"] for found in objects(idm(server, "list", "--json", **token))] == [1]
    assert idm(server, "watch", "1", **token).returncode == 0
    assert "does not know this token" in idm(server, "list", IDM_TOKEN="wrong").stderr


def test_the_list_goes_out_and_in_again(server_factory: Any, tmp_path: Path) -> None:
    here, there = server_factory(), server_factory()
    idm(here, "add", "--paused", "http://example.org/a", "http://example.org/b")
    file = tmp_path / "list.json"
    assert idm(here, "export", str(file)).returncode == 0
    assert len(json.loads(idm(here, "export", "-").stdout)["downloads"]) == 2
    assert idm(there, "import", str(file)).stdout == "2 added, 0 there already\n"
    assert objects(idm(there, "import", "-", "--json", typed=idm(here, "export").stdout))[0]["skipped"] == 2
    lines = idm(there, "import", "--paused", "-", typed="http://example.org/c\n")
    assert lines.stdout == "1 added, 0 there already\n"
    assert {found["status"] for found in objects(idm(there, "list", "--json"))} == {"paused"}
    for wrong in (str(tmp_path / "nothing"), str(tmp_path)):
        refused = idm(there, "import", wrong)
        assert refused.returncode == 1
        assert "cannot be read" in refused.stderr


def test_doctor_says_what_is_there(tmp_path: Path) -> None:
    def doctor(*arguments: str) -> subprocess.CompletedProcess[str]:
        folders = ("--data-dir", str(tmp_path), "--download-dir", str(tmp_path))
        command = [sys.executable, "-m", "idm_app", "doctor", *folders, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    findings = objects(doctor("--json"))
    assert {"idm", "yt-dlp", "ffmpeg", "JavaScript runtime", "pycurl"} <= {finding["name"] for finding in findings}
    told = doctor()
    assert told.returncode == (0 if all(finding["ok"] for finding in findings) else 1)
    assert "✓ yt-dlp" in told.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shells_complete(shell: str) -> None:
    variables = {"bash": {"COMP_WORDS": "idm re", "COMP_CWORD": "1"}}
    variables |= {other: {"_TYPER_COMPLETE_ARGS": "idm re"} for other in ("zsh", "fish")}
    action = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"} if shell == "fish" else {}
    script = Path(sys.executable).with_name("idm")
    done = subprocess.run(
        [str(script)],
        env={**os.environ, "_IDM_COMPLETE": f"complete_{shell}", **variables[shell], **action},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    for command in ("resume", "retry", "remove"):
        assert command in done.stdout
    assert "pause" not in done.stdout.split()
