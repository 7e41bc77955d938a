"""Starting and stopping, as the shell sees it: exit codes, one line, nothing left behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

MIB = 1024 * 1024


def idm(tmp_path: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    folders = {"IDM_DATA_DIR": str(tmp_path / "data2"), "IDM_DOWNLOAD_DIR": str(tmp_path / "files2")}
    return subprocess.run(
        [sys.executable, "-m", "idm_app", "--no-browser", *options],
        env={**os.environ, **folders, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def one_line(text: str) -> str:
    assert len(text.strip().splitlines()) == 1, text
    return text


def test_a_taken_port_is_told_in_one_line_that_names_the_flag(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = idm(tmp_path, "--port", str(port))
    assert ended.returncode == 2
    assert f"Port {port}" in one_line(ended.stderr)
    assert "--port" in ended.stderr
    assert not (tmp_path / "data2").exists()


def test_a_taken_second_port_names_its_own_flag(tmp_path: Path, free_port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = idm(tmp_path, "--port", str(free_port), "--feed-port", str(taken.getsockname()[1]))
    assert ended.returncode == 2
    assert "another one with --feed-port" in one_line(ended.stderr)


def test_a_stop_while_it_starts_is_a_stop(tmp_path: Path, free_port: int) -> None:
    data_dir = tmp_path / "data"
    options = ["--no-browser", "--port", str(free_port), "--data-dir", str(data_dir), "--download-dir", str(tmp_path)]
    for number in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen([sys.executable, "-m", "idm_app", *options], stderr=subprocess.PIPE) as starting:
            until = time.monotonic() + 30
            while not data_dir.exists():
                assert time.monotonic() < until
                time.sleep(0.001)
            starting.send_signal(number)
            _, told = starting.communicate(timeout=30)
        assert (starting.returncode, told) == (0, b"")
        shutil.rmtree(data_dir)


def test_an_option_that_cannot_be_used_is_told_in_one_line(tmp_path: Path, free_port: int) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    for options, told in (
        (["--host", "no-such-host.invalid"], "--host"),
        (["--root-path", "/a b"], "--root-path /idm"),
        (["--cert", str(junk)], "junk.pem cannot be used"),
        (["--cert", str(tmp_path / "missing.pem")], "missing.pem cannot be used"),
        (["--key", str(junk)], "--cert"),
        (["--feed-port", str(free_port)], "--feed-port"),
        (["--trusted-host", "https://nas.example/"], "--trusted-host nas.example"),
        (["--trusted-proxy", "my-proxy"], "--trusted-proxy 127.0.0.1"),
    ):
        ended = idm(tmp_path, "--port", str(free_port), *options)
        assert ended.returncode == 2
        assert told in one_line(ended.stderr)
    assert not (tmp_path / "data2").exists()


def test_a_second_server_on_one_folder_names_the_first(server: Any, tmp_path: Path, free_port: int) -> None:
    ended = idm(tmp_path, "--port", str(free_port), "--data-dir", str(server.data_dir))
    assert ended.returncode == 3
    assert server.url in one_line(ended.stderr)
    assert server.client.get("/api/health").status_code == 200


def test_the_password_is_made_at_the_first_start_that_needs_one_and_told_once(server_factory: Any) -> None:
    server = server_factory("--host", "0.0.0.0")
    (line,) = [line for line in server.output().splitlines() if line.startswith("Sign in")]
    password = line.split("password ")[1].split()[0]
    assert server.client.post("/api/login", json={"password": password}).status_code == 204
    server.restart()
    assert server.output().count(password) == 1
    assert server.client.get("/list").status_code == 200  # a session outlives a restart


def test_a_proxy_that_is_no_address_is_2(tmp_path: Path) -> None:
    ended = idm(tmp_path, "--trusted-proxy", "nginx")
    assert ended.returncode == 2
    assert "--trusted-proxy" in one_line(ended.stderr)


def test_a_wrong_option_is_2(tmp_path: Path) -> None:
    assert idm(tmp_path, "--port", "x").returncode == 2
    assert idm(tmp_path, "--nonsense").returncode == 2


def test_version(tmp_path: Path) -> None:
    assert idm(tmp_path, "--version").stdout.startswith("idm ")


def test_a_list_that_cannot_be_read_is_4_until_it_is_set_aside(server: Any, tmp_path: Path, free_port: int) -> None:
    server.client.post("/api/downloads", json={"url": "http://127.0.0.1:9/x", "start": False})
    server.stop()
    for file in server.data_dir.iterdir():
        if file.is_file() and file.name != "lock":
            file.write_bytes(b"\x00" * 100)
    ended = idm(tmp_path, "--port", str(free_port), "--data-dir", str(server.data_dir))
    assert ended.returncode == 4
    assert "--reset-store" in ended.stderr
    server.restart("--reset-store")
    assert server.client.get("/api/downloads").json()["total"] == 0
    assert any("corrupt" in file.name for file in server.data_dir.iterdir())


def test_the_start_line_names_address_and_folders(server: Any) -> None:
    (line,) = [line for line in server.output().splitlines() if "ready" in line]
    assert server.url in line
    assert str(server.data_dir) in line
    assert str(server.download_dir) in line


def test_a_stop_leaves_no_child_and_the_next_start_goes_on(server: Any, origin: Any) -> None:
    url = origin.url("/file/big.bin", size=6 * MIB, seed=9, rate=800_000)
    download_id = server.client.post("/api/downloads", json={"url": url, "connections": 1}).json()["id"]
    until = time.monotonic() + 15
    while server.client.get(f"/api/downloads/{download_id}").json()["received_bytes"] < 2 * MIB:
        assert time.monotonic() < until
        time.sleep(0.05)
    children = psutil.Process(server.pid).children(recursive=True)
    assert children
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < 5
    _, alive = psutil.wait_procs(children, timeout=2)
    assert not alive
    origin.reset()
    server.restart()
    until = time.monotonic() + 20
    while (download := server.client.get(f"/api/downloads/{download_id}").json())["status"] != "completed":
        assert time.monotonic() < until, download
        time.sleep(0.05)
    assert origin.stats("/file/big.bin").bytes_sent < 4.5 * MIB
    assert origin.sha256(6 * MIB, 9) == _sha256(server.download_dir / download["filename"])


def test_a_killed_server_takes_its_workers_along_and_loses_nothing(server: Any, origin: Any) -> None:
    urls = [origin.url(f"/file/{n}.bin", size=4 * MIB, seed=n, rate=900_000) for n in range(3)]
    ids = [d["id"] for d in server.client.post("/api/downloads", json={"urls": urls}).json()["downloads"]]
    time.sleep(1.5)
    children = psutil.Process(server.pid).children(recursive=True)
    server.kill()
    _, alive = psutil.wait_procs(children, timeout=5)
    assert not alive
    server.restart()
    until = time.monotonic() + 30
    while {d["status"] for d in server.client.get("/list").json()} != {"completed"}:
        assert time.monotonic() < until, server.client.get("/list").json()
        time.sleep(0.05)
    names = {d["id"]: d["filename"] for d in server.client.get("/list").json()}
    for number, download_id in enumerate(ids):
        assert _sha256(server.download_dir / names[download_id]) == origin.sha256(4 * MIB, number)


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()
