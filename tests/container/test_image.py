"""The container without an engine: its steps in a clean root, its first process, its volumes, its user, its end."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx
import image
import pytest
from image import Image
from live_server import free_port

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's"),
    pytest.mark.timeout(900),  # the image is built first
]
T = TypeVar("T")
USER, GROUP = 4321, 1234


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    folder = tmp_path_factory.mktemp("image")
    yield image.build(folder)
    shutil.rmtree(folder)


def wait_for(what: str, ask: Callable[[], T], seconds: float = 60) -> T:
    until = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < until, f"{what}: not within {seconds} s"
        time.sleep(0.05)
    return answer


@pytest.fixture
def volumes(tmp_path: Path) -> dict[str, Path]:
    """As Docker makes them where there were none: root's."""
    made = {name: tmp_path / name[1:] for name in ("/config", "/downloads")}
    for folder in made.values():
        folder.mkdir()
    return made


def test_it_holds_what_media_needs_and_no_more(built: Image) -> None:
    def inside(*command: str) -> str:
        words = ["env", "-i", f"PATH={built.environment['PATH']}", "chroot", str(built.root), *command]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    assert "ffmpeg version" in inside("ffmpeg", "-version")
    assert "ffprobe version" in inside("ffprobe", "-version")
    assert "deno" in inside("deno", "--version")
    assert not (built.root / "source").exists()
    assert built.volumes == ["/config", "/downloads"]
    findings = inside("idm", "doctor", "--data-dir", "/config", "--download-dir", "/downloads")
    assert "✗" not in findings.replace("✗ Free room", "")


def test_it_serves_with_a_sign_in_as_the_user_that_was_told_and_ends_when_told(
    built: Image, volumes: dict[str, Path]
) -> None:
    port = free_port()
    told = {"PUID": str(USER), "PGID": str(GROUP), "UMASK": "027", "IDM_PORT": str(port)}
    address = f"http://127.0.0.1:{port}"
    with image.running(built, volumes, **told) as child, httpx.Client(base_url=address, trust_env=False) as client:
        wait_for("the health check", lambda: child.poll() is not None or image.check_health(built, child, **told))
        assert child.stdout is not None
        os.set_blocking(child.stdout.fileno(), False)
        said = b""
        while part := child.stdout.read():
            said += part
        assert child.poll() is None, said.decode()
        assert client.get("/api/downloads").status_code == 401
        password = re.search(r"password (\S+)", said.decode())
        assert password, said.decode()
        assert client.post("/api/login", json={"password": password[1]}).status_code == 204
        added = client.post("/api/downloads", json={"url": "http://example.org/a", "start": False})
        assert added.status_code == 201
        first = image.first_process(child)
        assert first
        for file in (volumes["/config"], volumes["/downloads"], *volumes["/config"].rglob("*")):
            assert (file.stat().st_uid, file.stat().st_gid) == (USER, GROUP), file
        os.kill(first, signal.SIGTERM)
        assert child.wait(30) == 0


def test_a_wrong_user_is_told_in_a_sentence(built: Image, volumes: dict[str, Path]) -> None:
    with image.running(built, volumes, PUID="me") as child:
        assert child.stdout is not None
        assert b"PUID=me is not a number" in child.stdout.read()
        assert child.wait(30) != 0
