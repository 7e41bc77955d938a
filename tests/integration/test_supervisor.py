"""Workers started, read, limited and stopped, by both ways to start them."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from fault_server import FaultServer

from idm_app.engine import launchers, resting
from idm_app.engine.forking import ForkLauncher
from idm_app.engine.launchers import FreshLauncher, Launcher
from idm_app.engine.messages import Failed, Finished, Job, Probed, Progressed, Ready, Report, encode
from idm_app.engine.supervisor import Supervisor
from idm_app.engine.worker import MOST_JOBS

SIZE = 8_000_000


class Engine:
    """A supervisor and what it has called back."""

    def __init__(self, folder: Path, launcher: Launcher) -> None:
        self.folder = folder
        self.reports: list[tuple[int, Report]] = []
        self.exits: list[tuple[int, int | None, bool]] = []
        self.launcher = launcher
        self.supervisor = Supervisor(self._reported, self._exited, launcher)
        self._workers: dict[int, int] = {}

    def _reported(self, download_id: int, report: Report) -> None:
        self.reports.append((download_id, report))
        self._workers[download_id] = self.worker(download_id)

    def _exited(self, download_id: int, exit_code: int | None) -> None:
        self.exits.append((download_id, exit_code, self.supervisor.is_stopping(download_id)))

    def begin(self, download_id: int, url: str, **fields: Any) -> None:
        job_folder = self.folder / ".idm" / str(download_id)
        self.supervisor.run(Job(download_id, url, str(self.folder), str(job_folder), **fields))

    async def run(self, download_id: int, url: str, **fields: Any) -> None:
        """Begin, and wait until a worker has the job."""
        ended = len(self.exits)
        self.begin(download_id, url, **fields)
        await self.until(lambda: self.worker(download_id) or len(self.exits) > ended)

    def worker(self, download_id: int) -> int:
        """Which process has the job, or had it; 0 for none."""
        run = self.supervisor._runs.get(download_id)
        return run.process.pid if run and run.process else self._workers.get(download_id, 0)

    def of(self, download_id: int, kind: type[Any]) -> list[Any]:
        return [report for number, report in self.reports if number == download_id and isinstance(report, kind)]

    async def until(self, condition: Callable[[], Any], seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.005)


@pytest.fixture(params=[ForkLauncher, FreshLauncher], ids=["fork", "fresh"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    if request.param is ForkLauncher and sys.platform != "linux":
        pytest.skip("forks on Linux only")
    running = Engine(tmp_path, request.param())
    await running.supervisor.start()
    yield running
    await running.supervisor.close()


async def test_a_job_reports_and_ends(engine: Engine, origin: FaultServer) -> None:
    await engine.run(1, origin.url("/a.bin", size=SIZE))
    await engine.until(lambda: engine.exits)
    assert isinstance(engine.reports[0][1], Probed)
    assert engine.reports[-1] == (1, Finished(str(engine.folder / "a.bin"), SIZE))
    assert engine.exits == [(1, 0, False)]


async def test_many_at_once_keep_apart(engine: Engine, origin: FaultServer) -> None:
    for number in range(1, 9):
        await engine.run(number, origin.url(f"/{number}.bin", size=100_000, seed=number))
    await engine.until(lambda: len(engine.exits) == 8)
    for number in range(1, 9):
        assert (engine.folder / f"{number}.bin").stat().st_size == 100_000
    assert {code for _, code, _ in engine.exits} == {0}


async def test_a_stop_ends_it_soon_and_keeps_what_is_there(engine: Engine, origin: FaultServer) -> None:
    await engine.run(1, origin.url("/a.bin", size=SIZE, rate=500_000))
    await engine.until(lambda: engine.of(1, Progressed))
    began = time.monotonic()
    await engine.supervisor.stop(1)
    assert time.monotonic() - began < 5
    assert [(number, stopping) for number, _, stopping in engine.exits] == [(1, True)]
    assert not engine.supervisor.is_stopping(1)
    await asyncio.sleep(1)  # for an origin that is behind with its sums
    sent = origin.stats("/a.bin").bytes_sent
    await asyncio.sleep(0.5)
    assert origin.stats("/a.bin").bytes_sent == sent < SIZE  # it would be a megabyte more
    await engine.run(1, origin.url("/a.bin", size=SIZE))
    await engine.until(lambda: engine.of(1, Finished))


async def test_a_worker_that_does_not_stop_is_killed(engine: Engine, origin: FaultServer) -> None:
    await engine.run(1, origin.url("/a.bin", size=SIZE, rate=500_000))
    await engine.until(lambda: engine.of(1, Progressed))
    os.kill(engine.worker(1), signal.SIGSTOP)
    began = time.monotonic()
    await engine.supervisor.stop(1)
    assert time.monotonic() - began < 5
    assert len(engine.exits) == 1


async def test_a_stop_before_the_worker_has_its_job(engine: Engine, origin: FaultServer) -> None:
    engine.begin(1, origin.url("/a.bin", size=SIZE, rate=100_000))
    await engine.supervisor.stop(1)
    assert engine.exits == [(1, None, True)]
    assert not engine.reports


async def test_a_limit_reaches_a_running_job(engine: Engine, origin: FaultServer) -> None:
    await engine.run(1, origin.url("/a.bin", size=SIZE), bytes_per_second_limit=50_000)
    await engine.until(lambda: engine.of(1, Progressed))
    engine.supervisor.limit(1, None)
    engine.supervisor.limit(99, 5)
    await engine.until(lambda: engine.of(1, Finished), 10)


async def test_a_worker_that_dies_is_told_once(engine: Engine, origin: FaultServer) -> None:
    await engine.run(1, origin.url("/a.bin", size=SIZE, rate=500_000))
    await engine.until(lambda: engine.of(1, Progressed))
    os.kill(engine.worker(1), signal.SIGKILL)
    await engine.until(lambda: engine.exits)
    assert engine.exits == [(1, -signal.SIGKILL, False)]
    await engine.run(2, origin.url("/b.bin", size=1000))
    await engine.until(lambda: engine.of(2, Finished))


async def test_closing_leaves_no_process(engine: Engine, origin: FaultServer) -> None:
    for number in range(1, 5):
        await engine.run(number, origin.url("/a.bin", size=SIZE, rate=200_000))
    await engine.until(lambda: all(engine.of(number, Progressed) for number in range(1, 5)))
    children = psutil.Process().children(recursive=True)
    assert len(children) >= 4
    began = time.monotonic()
    await engine.supervisor.close()
    assert time.monotonic() - began < 3
    _, alive = psutil.wait_procs(children, 1)
    assert alive == []
    assert len(engine.exits) == 4


async def test_a_failure_is_a_report(engine: Engine, origin: FaultServer) -> None:
    await engine.run(1, origin.url("/a.bin", status=404))
    await engine.until(lambda: engine.exits)
    assert [report.code for report in engine.of(1, Failed)] == ["not-found"]


async def test_one_worker_does_plain_files_one_after_the_other(engine: Engine, origin: FaultServer) -> None:
    await engine.run(1, origin.url("/a.bin", size=100_000), bytes_per_second_limit=50_000)
    first = engine.worker(1)
    await engine.until(lambda: len(engine.exits) == 1)
    await engine.run(2, origin.url("/b.bin", status=404))
    await engine.until(lambda: len(engine.exits) == 2)
    await engine.run(3, origin.url("/c.bin", size=SIZE))
    assert engine.worker(3) == first
    await engine.until(lambda: len(engine.exits) == 3)
    assert engine.of(3, Finished) == [Finished(str(engine.folder / "c.bin"), SIZE)]
    assert [report.code for report in engine.of(2, Failed)] == ["not-found"]
    assert engine.exits == [(1, 0, False), (2, 0, False), (3, 0, False)]


class AtOnce:
    """A worker that has done each job as soon as it has it."""

    pid = 0

    def __init__(self) -> None:
        self.reader, self.writer = asyncio.StreamReader(), self

    def write(self, line: bytes) -> None:
        self.reader.feed_data(encode(Finished("", 0)) + encode(Ready()))

    def end_input(self) -> None:
        self.reader.feed_eof()

    async def wait(self) -> int:
        return 0


class Slow:
    """Takes its time to start a worker."""

    started = 0

    async def start(self) -> None: ...

    async def launch(self) -> Any:
        self.started += 1
        await asyncio.sleep(0.05)
        return AtOnce()

    async def close(self) -> None: ...


async def test_where_to_start_a_worker_takes_longer_than_a_job_few_are_started(tmp_path: Path) -> None:
    launcher = Slow()
    engine = Engine(tmp_path, launcher)
    for number in range(1, 201):  # sixteen at a time
        await engine.until(lambda number=number: number - len(engine.exits) <= 16)
        engine.begin(number, "http://x.example/")
    await engine.until(lambda: len(engine.exits) == 200)
    assert launcher.started <= 8
    await engine.supervisor.close()


async def test_files_that_take_their_time_get_a_worker_each(engine: Engine, origin: FaultServer) -> None:
    for number in range(1, 11):
        engine.begin(number, origin.url(f"/{number}.bin", size=SIZE, rate=100_000))
    await engine.until(lambda: len({engine.worker(number) for number in range(1, 11)} - {0}) == 10, 60)


async def test_after_many_jobs_another_worker_takes_over(engine: Engine, origin: FaultServer) -> None:
    workers = set()
    for number in range(1, MOST_JOBS + 2):
        await engine.run(number, origin.url(f"/{number}.bin", size=10))
        workers.add(engine.worker(number))
        await engine.until(lambda number=number: len(engine.exits) == number)
    assert len(workers) == 2
    assert all(exit_code == 0 for _, exit_code, _ in engine.exits)


def test_a_worker_that_dies_before_it_has_its_job_ends_as_any_other(tmp_path: Path) -> None:
    uvloop = pytest.importorskip("uvloop", reason="the server's event loop, where there is one")

    class Stillborn(FreshLauncher):
        async def launch(self) -> Any:
            process = await super().launch()
            process.kill()
            await process.process.wait()
            await asyncio.sleep(0)
            return process

    async def main() -> None:
        engine = Engine(tmp_path, Stillborn(keeps_spare=False))
        await engine.run(1, "http://127.0.0.1:9/a.bin")
        await engine.until(lambda: engine.exits)
        assert engine.exits == [(1, -signal.SIGKILL, False)]
        await engine.supervisor.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def test_a_stopped_worker_does_nothing_else(engine: Engine, origin: FaultServer) -> None:
    await engine.run(1, origin.url("/a.bin", size=SIZE, rate=200_000))
    first = engine.worker(1)
    await engine.until(lambda: engine.of(1, Progressed))
    await engine.supervisor.stop(1)
    await engine.run(2, origin.url("/b.bin", size=1000))
    assert engine.worker(2) != first
    await engine.until(lambda: engine.of(2, Finished))


async def test_a_worker_that_died_while_it_rested_is_not_missed(engine: Engine, origin: FaultServer) -> None:
    await engine.run(1, origin.url("/a.bin", size=1000))
    process = psutil.Process(engine.worker(1))
    await engine.until(lambda: engine.exits)
    process.kill()
    await engine.until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
    await asyncio.sleep(0.1)  # until the loop has seen it
    await engine.run(2, origin.url("/b.bin", size=1000))
    await engine.until(lambda: len(engine.exits) == 2)
    assert engine.of(2, Finished)
    assert engine.exits == [(1, 0, False), (2, 0, False)]


async def test_a_resting_worker_that_hangs_does_not_hold_the_end_up(engine: Engine, origin: FaultServer) -> None:
    await engine.run(1, origin.url("/a.bin", size=1000))
    process = psutil.Process(engine.worker(1))
    await engine.until(lambda: engine.exits)
    process.suspend()
    began = time.monotonic()
    await engine.supervisor.close()
    assert time.monotonic() - began < 10
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


async def test_a_worker_does_not_rest_for_ever(
    engine: Engine, origin: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resting, "REST_SECONDS", 0.1)
    await engine.run(1, origin.url("/a.bin", size=1000))
    process = psutil.Process(engine.worker(1))
    await engine.until(lambda: engine.exits)
    await engine.until(lambda: not process.is_running())


async def test_when_no_process_can_be_started_the_job_fails(tmp_path: Path) -> None:
    class Broken(FreshLauncher):
        async def launch(self) -> Any:
            raise OSError("no more processes")

    engine = Engine(tmp_path, Broken(keeps_spare=False))
    await engine.run(1, "http://127.0.0.1:1/")
    assert [report.code for report in engine.of(1, Failed)] == ["worker-cannot-start"]
    assert engine.exits == [(1, None, False)]


async def test_a_process_that_is_not_ready_in_time_is_a_failed_job_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launchers, "START_SECONDS", 0.01)
    engine = Engine(tmp_path, FreshLauncher(keeps_spare=False))
    await engine.run(1, "http://127.0.0.1:1/")
    (failed,) = engine.of(1, Failed)
    assert failed.code == "worker-cannot-start"
    assert "not ready" in failed.detail


_BROKEN = """
import sys
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "pycurl":
            raise ImportError("no pycurl here")
if any(part.startswith("idm_app.engine.") for part in sys.orig_argv):
    sys.meta_path.insert(0, Broken())
"""


@pytest.fixture
def _nothing_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sitecustomize.py").write_text(_BROKEN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))


@pytest.mark.usefixtures("_nothing_starts")
async def test_where_workers_cannot_start_jobs_fail_or_wait_and_all_can_be_stopped(engine: Engine) -> None:
    for number in range(1, 5):
        await engine.run(number, "http://127.0.0.1:1/")
    await engine.until(lambda: len(engine.exits) == 4)
    assert [report.code for _, report in engine.reports] == ["worker-cannot-start"] * 4
    engine.begin(5, "http://127.0.0.1:1/")  # waits: the next would fare no better
    await asyncio.sleep(0.2)
    assert not engine.worker(5)
    began = time.monotonic()
    await engine.supervisor.stop(5)
    await engine.supervisor.close()
    assert time.monotonic() - began < 3
    assert engine.exits[4:] == [(5, None, True)]


forking = pytest.mark.parametrize("engine", [ForkLauncher], ids=["fork"], indirect=True)


@forking
async def test_when_the_forking_process_dies_a_new_one_is_started(engine: Engine, origin: FaultServer) -> None:
    await engine.run(1, origin.url("/a.bin", size=SIZE, rate=2_000_000))
    await engine.until(lambda: engine.of(1, Progressed))
    (zygote,) = (child for child in psutil.Process().children() if child.children())
    zygote.kill()
    await engine.run(2, origin.url("/b.bin", size=1000))
    await engine.until(lambda: engine.of(2, Finished))
    await engine.until(lambda: engine.of(1, Finished))
    await engine.until(lambda: len(engine.exits) == 2)
    assert not zygote.is_running(), "nobody took leave of it"


@forking
async def test_a_job_that_comes_before_everything_is_loaded_does_not_wait_for_it(
    engine: Engine, origin: FaultServer
) -> None:
    began = time.monotonic()
    await engine.run(1, origin.url("/a.bin", size=1000))
    await engine.until(lambda: engine.of(1, Finished))
    assert time.monotonic() - began < 3


_SERVER = """
import asyncio, sys
from idm_app.engine.forking import ForkLauncher
from idm_app.engine.launchers import FreshLauncher
from idm_app.engine.messages import Job
from idm_app.engine.supervisor import Supervisor
from idm_app.engine.worker import MOST_JOBS

async def main():
    launcher = ForkLauncher() if sys.argv[1] == "fork" else FreshLauncher()
    supervisor = Supervisor(lambda number, report: print(report, flush=True), lambda *_: None, launcher)
    await supervisor.start()
    supervisor.run(Job(1, sys.argv[2], sys.argv[3], sys.argv[3] + "/.idm"))
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("launcher", ["fork", "fresh"])
def test_when_the_server_is_killed_nothing_is_left(tmp_path: Path, origin: FaultServer, launcher: str) -> None:
    url = origin.url("/a.bin", size=SIZE, rate=300_000)
    command = [sys.executable, "-c", _SERVER, launcher, url, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        while b"Progressed" not in server.stdout.readline():
            pass
        children = psutil.Process(server.pid).children(recursive=True)
        assert children
        server.kill()
    _, alive = psutil.wait_procs(children, 4)
    assert alive == []
