"""What can go wrong on a machine, each by really doing it to a running server.

Whatever happens: each acknowledged download is in the list once, its id is never that of another, what was received
stays, and no finished file is wrong.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from crashes import Crashes
from fault_server import FaultServer
from live_server import LiveServer
from media_site import MediaSite

KILLS = 6
"""Here; ``python3 dev.py bench crashes`` kills 200 times."""
MB = 1_000_000

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc, or mounts")


@pytest.fixture
def crashes(server: LiveServer, origin: FaultServer) -> Crashes:
    return Crashes(server, origin)


# -- processes


@pytest.mark.timeout(600)
def test_a_server_killed_at_random_moments_loses_nothing(crashes: Crashes) -> None:
    for _ in range(KILLS):
        crashes.round()
    downloads = crashes.check_end()
    assert len(crashes.acknowledged) >= KILLS
    assert downloads


def test_what_was_received_is_not_fetched_again_after_a_kill(crashes: Crashes, origin: FaultServer) -> None:
    size = 6 * MB
    download_id = crashes.add(size, rate=600_000)
    crashes.wait(lambda downloads: downloads[0]["received_bytes"] > 2 * MB)
    crashes.server.kill()
    path = f"/{crashes.server.port}-1.bin"
    sent_before = origin.stats(path).bytes_sent
    crashes.server.start()
    crashes.check_end()
    assert crashes.server.client.get(f"/api/downloads/{download_id}").json()["received_bytes"] == size
    again = origin.stats(path).bytes_sent - size
    assert again < sent_before - 1 * MB, "most of what had come was fetched a second time"


@linux_only
def test_killed_workers_are_replaced(crashes: Crashes) -> None:
    for victims in (["worker"], ["worker"] * 3, ["zygote", "worker", "worker", "worker"], ["zygote"]):
        new = [crashes.add(2 * MB, rate=500_000) for _ in range(3)]
        crashes.wait(lambda downloads, new=new: all(d["received_bytes"] > 100_000 for d in downloads if d["id"] in new))
        (zygote,) = psutil.Process(crashes.server.pid).children()
        workers = zygote.children()
        for victim in victims:
            (zygote if victim == "zygote" else workers.pop()).kill()
        crashes.add(50_000)
        downloads = crashes.check_end()
        assert not any(d["error"] for d in downloads)


@linux_only
def test_a_worker_that_keeps_dying_is_a_failure_that_retry_leaves(crashes: Crashes) -> None:
    download_id = crashes.add(4 * MB, rate=300_000)

    def kill_workers(downloads: list[dict[str, object]]) -> bool:
        if downloads[0]["status"] == "downloading":
            for process in psutil.Process(crashes.server.pid).children(recursive=True)[1:]:
                process.kill()
        return downloads[0]["status"] == "failed"

    (failed,) = crashes.wait(kill_workers)
    assert failed["error"]["code"] == "worker-crashed"
    crashes.server.client.post(f"/api/downloads/{download_id}/retry").raise_for_status()
    crashes.check_end()


def test_where_workers_cannot_start_the_list_is_kept_and_the_log_stays_short(
    server_factory: Callable[..., LiveServer], origin: FaultServer, tmp_path: Path
) -> None:
    (tmp_path / "broken").mkdir()
    broken = tmp_path / "broken" / "sitecustomize.py"
    broken.write_text("import os, sys\nif any('idm_app.engine' in part for part in sys.orig_argv): os._exit(1)")
    server = server_factory(PYTHONPATH=str(broken.parent))
    crashes = Crashes(server, origin)
    for _ in range(12):
        crashes.add(1000)
    downloads = crashes.wait(lambda downloads: sum(d["status"] == "failed" for d in downloads) >= 4)
    assert {d["error"]["code"] for d in downloads if d["error"]} == {"worker-cannot-start"}
    assert server.stop() == 0
    assert len(server.output().splitlines()) < 100
    broken.unlink()
    server.start()
    server.client.post("/api/downloads/actions", json={"action": "retry", "ids": "all"}).raise_for_status()
    assert len(crashes.check_end()) == 12


@linux_only
def test_a_worker_that_hangs_can_be_paused_and_goes_on(crashes: Crashes) -> None:
    download_id = crashes.add(2 * MB, rate=300_000)
    crashes.wait(lambda downloads: downloads[0]["received_bytes"] > 100_000)
    (worker,) = psutil.Process(crashes.server.pid).children()[0].children()
    worker.suspend()
    answer = crashes.server.client.post(f"/api/downloads/{download_id}/pause")
    assert answer.json()["status"] == "paused"
    assert not worker.is_running()
    crashes.server.client.post(f"/api/downloads/{download_id}/resume").raise_for_status()
    crashes.check_end()


def test_of_servers_that_start_at_once_on_one_folder_one_runs(server: LiveServer, origin: FaultServer) -> None:
    Crashes(server, origin).add(1000)
    server.stop()
    rivals = [LiveServer(server.data_dir.parent) for _ in range(3)]
    command = [sys.executable, "-m", "idm_app", "--no-browser", "--data-dir", str(server.data_dir)]
    command += ["--download-dir", str(server.download_dir)]
    processes = [
        subprocess.Popen([*command, "--port", str(rival.port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for rival in rivals
    ]
    until = time.monotonic() + 60
    while sum(process.poll() == 3 for process in processes) < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
    (winner,) = [process for process in processes if process.poll() is None]
    assert winner.stdout is not None
    assert b"ready" in winner.stdout.readline()
    winner.terminate()
    assert winner.wait(15) == 0
    server.start()
    assert len(server.client.get("/list").json()) == 1


# -- networks


def test_a_server_that_is_gone_for_a_while_is_waited_for(server: LiveServer) -> None:
    with FaultServer() as origin:
        crashes = Crashes(server, origin)
        download_id = crashes.add(2 * MB, rate=300_000)
        crashes.wait(lambda downloads: downloads[0]["received_bytes"] > 500_000)
    (waiting,) = crashes.wait(lambda downloads: downloads[0]["status"] == "queued")
    assert waiting["error"]["code"] == "connection-refused"
    events = server.client.get(f"/api/downloads/{download_id}").json()["events"]
    assert events[-1]["code"] == "waiting.connection-refused"
    with FaultServer(origin.port) as back:
        crashes.check_end()
        assert back.stats(f"/{server.port}-1.bin").bytes_sent < 1_600_000
    events = server.client.get(f"/api/downloads/{download_id}").json()["events"]
    assert len(events) <= 4, "one line for each reason to wait"


def test_a_server_that_is_never_there_is_a_failure_soon(
    server: LiveServer, origin: FaultServer, free_port: int
) -> None:
    server.client.post("/api/downloads", json={"url": f"http://127.0.0.1:{free_port}/a.zip"}).raise_for_status()
    (failed,) = Crashes(server, origin).wait(lambda downloads: downloads[0]["status"] == "failed", 15)
    assert failed["error"]["code"] == "connection-refused"


def test_a_server_that_wants_to_be_left_alone_for_longer_is_asked_again_by_itself(
    server: LiveServer, origin: FaultServer
) -> None:
    crashes = Crashes(server, origin)
    crashes.add(10_000, fail=1, status=429, retry_after=33)
    (waiting,) = crashes.wait(lambda downloads: downloads[0]["error"])
    assert (waiting["status"], waiting["error"]["code"]) == ("queued", "server-busy")
    crashes.check_end()
    first, second = origin.stats(f"/{server.port}-1.bin").exchanges
    assert second.at - first.at >= 32.9


def test_a_new_address_is_gone_on_with_at_once(server: LiveServer, origin: FaultServer) -> None:
    crashes = Crashes(server, origin)
    download_id = crashes.add(4 * MB, rate=300_000)
    crashes.wait(lambda downloads: downloads[0]["received_bytes"] > MB)
    with FaultServer() as fresh:
        url = fresh.url("/fresh.bin", size=4 * MB, seed=1)
        answer = server.client.patch(f"/api/downloads/{download_id}", json={"url": url})
        assert (answer.json()["url"], answer.json()["status"] in ("queued", "probing", "downloading")) == (url, True)
        (finished,) = crashes.wait(lambda downloads: downloads[0]["done"])
        assert fresh.stats("/fresh.bin").bytes_sent <= 3 * MB
        assert (server.download_dir / finished["filename"]).read_bytes() == fresh.content(0, 4 * MB, 1)


def test_a_new_address_and_other_wishes_at_the_same_moment(server: LiveServer, origin: FaultServer) -> None:
    crashes = Crashes(server, origin)
    path = f"/api/downloads/{crashes.add(3 * MB, rate=500_000)}"
    for number, wish in enumerate(("pause", "pause", "pause", "remove")):
        crashes.wait(lambda downloads: downloads[0]["received_bytes"] > 100_000)
        url = f"{crashes.listed()[0]['url']}&again={number}"
        with ThreadPoolExecutor() as clients:
            changed = clients.submit(server.client.patch, path, json={"url": url})
            if wish == "pause":
                clients.submit(server.client.post, f"{path}/pause")
            else:
                clients.submit(server.client.delete, path)
        assert changed.result().status_code in (200, 404)
        if wish == "pause":
            (download,) = crashes.wait(lambda downloads: downloads[0]["status"] == "paused")
            received = download["received_bytes"]
            server.client.post(f"{path}/resume").raise_for_status()
            assert server.client.get(path).json()["received_bytes"] >= received
    assert crashes.listed() == []
    assert not list(server.download_dir.glob(".idm/*/1"))


# -- disks


@contextmanager
def small_disk(folder: Path, size: str = "4m") -> Iterator[None]:
    """``folder`` is a disk of its own, empty at first."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """``folder`` cannot be written, not even by root."""
    subprocess.run(["mount", "-o", "bind,ro", str(folder), str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def filled(folder: Path) -> Path:
    """A file that takes all the room there is."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(65_536)):
            pass
    return path


may_mount = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0,
    reason="only root may mount; test_store_faults.py limits files instead",
)


@may_mount
def test_a_full_download_disk_pauses_and_room_goes_on_by_itself(tmp_path: Path, origin: FaultServer) -> None:
    with small_disk(tmp_path / "files"), _running(LiveServer(tmp_path)) as server:
        crashes = Crashes(server, origin)
        crashes.add(2 * MB, rate=500_000, burst=200_000)
        crashes.wait(lambda downloads: downloads[0]["received_bytes"] > 200_000)
        filler = filled(server.download_dir)
        (paused,) = crashes.wait(lambda downloads: downloads[0]["status"] == "paused")
        assert paused["error"]["code"] == "disk-full"
        assert not list(server.download_dir.glob("*.bin")), "nothing stands under the final name"
        filler.unlink()
        crashes.check_end()


@may_mount
def test_a_disk_that_fills_up_while_streams_are_joined_pauses_and_room_goes_on(
    tmp_path: Path, media_site: MediaSite
) -> None:
    with small_disk(tmp_path / "files", "900k"), _running(LiveServer(tmp_path)) as server:
        crashes = Crashes(server, media_site.server)
        server.client.post("/api/downloads", json={"url": media_site.dash_on_demand()}).raise_for_status()
        (paused,) = crashes.wait(lambda downloads: downloads[0]["status"] == "paused")
        assert paused["error"]["code"] == "disk-full"
        assert not list(server.download_dir.glob("*.mp4"))
        subprocess.run(["mount", "-o", "remount,size=8m", str(server.download_dir)], check=True)
        (done,) = crashes.wait(lambda downloads: downloads[0]["done"])
        assert (done["status"], done["error"]) == ("completed", None)


@may_mount
def test_a_full_disk_where_only_the_finished_file_goes(tmp_path: Path, origin: FaultServer) -> None:
    with _running(LiveServer(tmp_path)) as server, small_disk(server.download_dir / "elsewhere"):
        folder = server.download_dir / "elsewhere"
        url = origin.url("/a.bin", size=3 * MB, rate=2 * MB)
        added = server.client.post("/api/downloads", json={"url": url, "directory": "elsewhere"}).json()
        crashes = Crashes(server, origin)
        crashes.wait(lambda downloads: downloads[0]["received_bytes"] > MB)
        filler = filled(folder)
        (paused,) = crashes.wait(lambda downloads: downloads[0]["status"] == "paused")
        assert (paused["error"]["code"], paused["received_bytes"]) == ("disk-full", 3 * MB)
        time.sleep(4)  # longer than it takes to look for room
        events = server.client.get(f"/api/downloads/{added['id']}").json()["events"]
        assert events == [], "it is not tried again where there is no room"
        assert list(folder.iterdir()) == [filler]
        filler.unlink()
        crashes.wait(lambda downloads: downloads[0]["status"] == "completed")
        assert (folder / "a.bin").read_bytes() == origin.content(0, 3 * MB)
        assert origin.stats("/a.bin").bytes_sent < 4 * MB
        second = server.client.post("/api/downloads", json={"url": url, "directory": "elsewhere"}).json()["id"]
        crashes.wait(lambda downloads: downloads[0]["status"] == "paused")
        told = server.client.get(f"/api/downloads/{second}").json()
        assert (told["received_bytes"], told["total_bytes"], told["filename"]) == (0, 3 * MB, "a.bin")


@may_mount
def test_a_full_disk_under_the_list_refuses_and_forgets_nothing(tmp_path: Path, origin: FaultServer) -> None:
    with small_disk(tmp_path / "data", "1m"), _running(LiveServer(tmp_path)) as server:
        crashes = Crashes(server, origin)
        crashes.add(50_000)
        crashes.check_end()
        filler = filled(server.data_dir)
        answer = server.client.post("/api/downloads", json={"urls": [crashes.address(10) for _ in range(50)]})
        assert (answer.status_code, answer.json()["code"]) == (507, "disk-full")
        assert len(crashes.listed()) == 1
        assert server.client.get("/api/health").is_success
        filler.unlink()
        crashes.add(60_000)
        crashes.check_end()
        server.kill()
        server.start()
        assert len(crashes.check_end()) == 2
        assert server.client.get("/api/stats").json()["recovery"] is None


@may_mount
def test_a_download_folder_that_becomes_read_only(tmp_path: Path, origin: FaultServer) -> None:
    with small_disk(tmp_path / "files"), _running(LiveServer(tmp_path)) as server:
        crashes = Crashes(server, origin)
        with read_only(server.download_dir):
            download_id = crashes.add(50_000)
            (failed,) = crashes.wait(lambda downloads: downloads[0]["status"] == "failed")
        assert failed["error"]["code"] == "folder-not-writable"
        server.client.post(f"/api/downloads/{download_id}/retry").raise_for_status()
        crashes.check_end()


@may_mount
def test_a_data_folder_that_becomes_read_only(tmp_path: Path, origin: FaultServer) -> None:
    with small_disk(tmp_path / "data"), _running(LiveServer(tmp_path)) as server:
        crashes = Crashes(server, origin)
        crashes.add(50_000)
        crashes.check_end()
        with read_only(server.data_dir):
            answer = server.client.post("/api/downloads", json={"url": crashes.address(10)})
        assert (answer.status_code, answer.json()["code"]) == (507, "disk-full")
        assert "Read-only" in answer.json()["message"]
        crashes.add(60_000)
        crashes.check_end()


def test_a_download_folder_that_is_removed_while_downloads_run(crashes: Crashes) -> None:
    for _ in range(2):
        crashes.add(2 * MB, rate=300_000)
    crashes.wait(lambda downloads: all(d["received_bytes"] > 100_000 for d in downloads))
    moved = crashes.server.download_dir.rename(crashes.server.download_dir.with_name("elsewhere"))
    downloads = crashes.wait(lambda downloads: all(d["status"] in ("completed", "failed") for d in downloads))
    for download in downloads:
        if download["status"] == "failed":
            assert download["error"]["code"] == "folder-not-writable", download["error"]
            crashes.server.client.post(f"/api/downloads/{download['id']}/retry").raise_for_status()
    crashes.check_end()
    assert moved.is_dir()


def test_a_finished_file_that_is_deleted_is_gone_and_nothing_else(crashes: Crashes) -> None:
    gone, stays = crashes.add(20_000), crashes.add(30_000)
    downloads = {d["id"]: d for d in crashes.check_end()}
    (crashes.server.download_dir / downloads[gone]["filename"]).unlink()
    client = crashes.server.client
    assert (answer := client.get(f"/api/downloads/{gone}/file")).status_code == 410
    assert answer.json()["code"] == "file-gone"
    assert len(client.get(f"/api/downloads/{stays}/file").content) == 30_000
    crashes.server.restart()
    assert client.get(f"/api/downloads/{gone}").json()["done"]
    assert client.delete(f"/api/downloads/{gone}?file=true").status_code == 204


# -- the list


@pytest.mark.parametrize("damage", ["cut", "scrambled"])
def test_a_damaged_list_comes_back_from_its_backup(crashes: Crashes, damage: str) -> None:
    server = crashes.server
    for _ in range(2):
        crashes.add(10_000)
        crashes.check_end()
        server.restart()  # a stop writes a generation
    server.kill()
    newest = max(server.data_dir.glob("list.*.json"), key=lambda path: int(path.name.split(".")[1]))
    content = newest.read_bytes()
    half = len(content) // 2
    damaged = {
        "cut": content[:half],
        "scrambled": content[:half] + bytes(255 - byte for byte in content[half : half + 40]) + content[half + 40 :],
    }[damage]
    newest.write_bytes(damaged)
    server.start()
    assert len(crashes.check_end()) == 2
    recovery = server.client.get("/api/stats").json()["recovery"]
    (kept,) = server.data_dir.glob(f"{newest.name}.corrupt-*")
    assert kept.read_bytes() == damaged
    assert "restored from its backup" in recovery
    assert kept.name in recovery
    assert crashes.add(20_000) == 3
    crashes.check_end()


# -- the clock


@pytest.mark.parametrize("days", [-3, 3], ids=["back", "ahead"])
def test_a_clock_that_jumps(
    server_factory: Callable[..., LiveServer], origin: FaultServer, tmp_path: Path, days: int
) -> None:
    offset = tmp_path / "offset"
    offset.write_text("0")
    clock = tmp_path / "clock"
    clock.mkdir()
    (clock / "sitecustomize.py").write_text(_MOVED_CLOCK.format(offset=str(offset)))
    crashes = Crashes(server_factory(PYTHONPATH=str(clock)), origin)
    running = crashes.add(2 * MB, rate=300_000)
    waiting = crashes.add(MB, drop=400_000, drop_once=True, fail=0)
    crashes.wait(lambda downloads: all(d["received_bytes"] > 100_000 for d in downloads))
    offset.write_text(str(days * 86_400))
    third = crashes.add(50_000)
    crashes.server.kill()
    crashes.server.start()
    downloads = {d["id"]: d for d in crashes.check_end()}
    assert {running, waiting, third} == set(downloads)
    assert sorted(downloads) == [d["id"] for d in reversed(crashes.listed())], "the order is that of adding"


_MOVED_CLOCK = """
import time, pathlib
import idm_app.units
real_time, real_now = time.time, idm_app.units.utc_now
def offset():
    return float(pathlib.Path({offset!r}).read_text() or 0)
def moved_now():
    import datetime
    return real_now() + datetime.timedelta(seconds=offset())
time.time = lambda: real_time() + offset()
idm_app.units.utc_now = moved_now
"""


@contextmanager
def _running(server: LiveServer) -> Iterator[LiveServer]:
    server.start()
    try:
        yield server
    finally:
        server.close()
